// SPDX-License-Identifier: GPL-2.0
/*
 * What does a caller's in-lined acquire and release compile to? The check beside this file reads
 * the disassembly of these functions. Never linked into a module.
 */
#include <linux/types.h>

#include "codegen.h"

bool codegen_acquire(struct ex_rundown_ref_cache_aware *ref)
{
	return ex_acquire_rundown_protection_cache_aware(ref);
}

void codegen_release(struct ex_rundown_ref_cache_aware *ref)
{
	ex_release_rundown_protection_cache_aware(ref);
}

bool codegen_acquire_basic(struct ex_rundown_ref *ref)
{
	return ex_acquire_rundown_protection(ref);
}

/* The same by the names that serve both kinds. */
bool codegen_generic_acquire(struct ex_rundown_ref_cache_aware *ref)
{
	return ex_rundown_acquire(ref);
}

void codegen_generic_release(struct ex_rundown_ref_cache_aware *ref)
{
	ex_rundown_release(ref);
}

bool codegen_generic_acquire_basic(struct ex_rundown_ref *ref)
{
	return ex_rundown_acquire(ref);
}
