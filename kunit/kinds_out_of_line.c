// SPDX-License-Identifier: GPL-2.0
/* The kinds of ref, for who can't use the in-line functions. */
#define EX_RUNDOWN_OUT_OF_LINE
#include "kind_ops.h"

const struct ref_ops basic_out_of_line_ops = {
	.name = "basic, out of line",
	BASIC_OPS,
	.create = basic_create,
	.destroy = basic_destroy,
};

const struct ref_ops allocated_out_of_line_ops = {
	.name = "cache-aware, out of line",
	.traits = KIND_CACHE_AWARE | KIND_ALLOCATED,
	CACHE_AWARE_OPS,
	.create = allocated_create,
	.destroy = allocated_destroy,
};

void exported_basic_culprit(struct ex_rundown_ref *ref)
{
	ex_release_rundown_protection(ref);
	/* No tail call: the address that is returned to must be in here. */
	barrier();
}

void exported_cache_aware_culprit(struct ex_rundown_ref_cache_aware *ref)
{
	ex_release_rundown_protection_cache_aware(ref);
	barrier();
}
