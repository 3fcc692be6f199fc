/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_CODEGEN_H
#define _RUNDOWN_CODEGEN_H

#include "ex_rundown.h"

bool codegen_acquire(struct ex_rundown_ref_cache_aware *ref);
void codegen_release(struct ex_rundown_ref_cache_aware *ref);
bool codegen_acquire_basic(struct ex_rundown_ref *ref);
bool codegen_generic_acquire(struct ex_rundown_ref_cache_aware *ref);
void codegen_generic_release(struct ex_rundown_ref_cache_aware *ref);
bool codegen_generic_acquire_basic(struct ex_rundown_ref *ref);

#endif /* _RUNDOWN_CODEGEN_H */
