/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_CACHE_AWARE_H
#define _RUNDOWN_CACHE_AWARE_H

#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/percpu.h>

#include "ex_rundown.h"
#include "misuse.h"

enum ex_cache_aware_state {
	EX_LIVE,
	EX_DOWN = EX_RUNDOWN_STATE_DOWN,
};

#define EX_OWNS_SLOTS	BIT(0)	/* alloc_percpu()ed: cleanup frees them */
#define EX_ALLOCATED	BIT(1)	/* by ex_allocate_cache_aware_rundown_protection() */

struct ex_rundown_slot {
	atomic_long_t count;
} ____cacheline_aligned;

/*
 * A ref that is all zero, from kzalloc() or after a failed initialization, has no slots. The
 * in-line functions do not check that, so all others do.
 */
static inline bool
ex_cache_aware_uninitialized(const struct ex_rundown_ref_cache_aware *ref, unsigned long caller)
{
	if (likely(READ_ONCE(ref->slots)))
		return false;
	ex_rundown_report(EX_MISUSE_UNINITIALIZED, ref, caller);
	return true;
}

/* LOCKed slots, which the fast path is kept from. */
static inline bool ex_cache_aware_locked(struct ex_rundown_ref_cache_aware *ref)
{
	return ref->slots != ref->percpu;
}

/* The slot of @cpu, for atomics. NULL after cleanup, when there is none. */
static inline atomic_long_t *ex_slot_of(struct ex_rundown_ref_cache_aware *ref, int cpu)
{
	if (ref->percpu)
		return per_cpu_ptr(ref->percpu, cpu);
	return ref->in_place ? &ref->in_place[cpu].count : NULL;
}

void ex_cache_aware_start(struct ex_rundown_ref_cache_aware *ref, bool cpuslocked,
			  unsigned long caller);

#endif /* _RUNDOWN_CACHE_AWARE_H */
