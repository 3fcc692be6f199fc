/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run-down protection under its Windows names.
 *
 * Driver source that uses the run-down routines of wdm.h compiles unchanged against this header.
 * The routines mean the same, and take any context that they take on Windows. The differences:
 *
 * - EX_RUNDOWN_REF is two words instead of one, and its Count and Ptr hold other bits. Drivers may
 *   give Count the value EX_RUNDOWN_ACTIVE, in memory that is otherwise zero or holds a ref that is
 *   run down.
 * - Count == EX_RUNDOWN_ACTIVE is not true of every ref that is running down or run down: refused
 *   acquires leave bits in Count. Count & EX_RUNDOWN_ACTIVE is, here and on Windows.
 * - A count of 0 is out of range for the Ex routines: they warn, and an acquire is refused.
 * - There is no IRQL. What wants APC_LEVEL or less on Windows may sleep here.
 * - Two of the routines that can't report a failure can fail. They warn, and leave a ref on which
 *   every acquire is refused and a wait returns at once.
 *
 * The Exf names are what 32-bit and older sources call.
 */
#ifndef _EX_RUNDOWN_WDM_H
#define _EX_RUNDOWN_WDM_H

#include <linux/bug.h>
#include <linux/gfp.h>
#include <linux/kconfig.h>
#include <linux/preempt.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "ex_rundown.h"
#include "ex_rundown_wdm_types.h"

typedef struct ex_rundown_ref EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;
typedef struct ex_rundown_ref_cache_aware EX_RUNDOWN_REF_CACHE_AWARE, *PEX_RUNDOWN_REF_CACHE_AWARE;

/* The tags, in sources that declare pointers by them. */
#define _EX_RUNDOWN_REF			ex_rundown_ref
#define _EX_RUNDOWN_REF_CACHE_AWARE	ex_rundown_ref_cache_aware

/**
 * ExInitializeRundownProtection() - make a ref live
 * @RunRef: the ref; zero-filled memory needs no initialization
 *
 * Context: Any.
 */
static __always_inline void ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	ex_initialize_rundown_protection(RunRef);
}

/**
 * ExAcquireRundownProtection() - try to acquire protection
 * @RunRef: the ref
 *
 * Context: Any.
 * Return: TRUE if granted, FALSE if the object is running down or run down.
 */
static __always_inline BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	return ex_acquire_rundown_protection(RunRef);
}

/**
 * ExAcquireRundownProtectionEx() - try to acquire protection several times over
 * @RunRef: the ref
 * @Count:  how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * Context: Any.
 * Return: TRUE if all are granted, FALSE if none is.
 */
static __always_inline BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
	return ex_acquire_rundown_protection_ex(RunRef, Count);
}

/**
 * ExReleaseRundownProtection() - release protection
 * @RunRef: the ref it was acquired on
 *
 * Context: Any.
 */
static __always_inline void ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	ex_release_rundown_protection(RunRef);
}

/**
 * ExReleaseRundownProtectionEx() - release protection several times over
 * @RunRef: the ref it was acquired on
 * @Count:  how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * Context: Any.
 */
static __always_inline void ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
	ex_release_rundown_protection_ex(RunRef, Count);
}

/**
 * ExWaitForRundownProtectionRelease() - run the object down
 * @RunRef: the ref
 *
 * Context: Task. May sleep.
 */
static __always_inline void ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
	ex_wait_for_rundown_protection_release(RunRef);
}

/**
 * ExRundownCompleted() - declare an object run down that nobody holds
 * @RunRef: the ref
 *
 * Context: Task.
 */
static __always_inline void ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
	ex_rundown_completed(RunRef);
}

/**
 * ExReInitializeRundownProtection() - open a run-down object again
 * @RunRef: the ref
 *
 * Context: Task.
 */
static __always_inline void ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	ex_reinitialize_rundown_protection(RunRef);
}

/*
 * Drivers ask for non-paged memory wherever they are, since what is paged can't be used at
 * DISPATCH_LEVEL; it does not mean that the caller may not sleep. One who may is not sent to the
 * per-CPU allocator's reserve, which lasts for some 2,000 refs in a row. With CONFIG_PREEMPT_RCU
 * preemption is on in an RCU read-side critical section; without CONFIG_PREEMPT_COUNT nobody knows.
 */
static __always_inline gfp_t __ex_rundown_wdm_gfp(POOL_TYPE PoolType)
{
	if (PoolType & PagedPool)
		return GFP_KERNEL;
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT) && preemptible() && !rcu_preempt_depth())
		return GFP_KERNEL;
	return GFP_ATOMIC;
}

/**
 * ExAllocateCacheAwareRundownProtection() - allocate a live cache-aware ref
 * @PoolType: paged: the caller may sleep. Non-paged: it need not be able to
 * @PoolTag:  of no use here
 *
 * A caller that can't sleep gets memory from a small reserve, which is refilled behind it. So does,
 * for non-paged memory, every caller on a kernel without CONFIG_PREEMPT_COUNT, which can't tell. A
 * caller that may sleep may wait for memory to be written out: a storage driver that allocates on
 * its way to the disk does so within memalloc_noio_save().
 *
 * Context: Task if paged. Non-paged: not hardirq (on Windows: DISPATCH_LEVEL at most); may sleep
 * where that is allowed.
 * Return: the ref; NULL without memory.
 */
static __always_inline PEX_RUNDOWN_REF_CACHE_AWARE
ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType, ULONG PoolTag)
{
	return ex_allocate_cache_aware_rundown_protection(__ex_rundown_wdm_gfp(PoolType));
}

/**
 * ExFreeCacheAwareRundownProtection() - free an allocated cache-aware ref
 * @RunRefCacheAware: the ref
 *
 * Context: Task. May sleep.
 */
static __always_inline void
ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
	ex_free_cache_aware_rundown_protection(RunRefCacheAware);
}

/**
 * ExSizeOfRundownProtectionCacheAware() - size of a cache-aware ref in a caller's buffer
 *
 * Context: Any.
 * Return: the size in bytes.
 */
static __always_inline SIZE_T ExSizeOfRundownProtectionCacheAware(void)
{
	return ex_size_of_rundown_protection_cache_aware();
}

/*
 * The initialization of @ref failed and the caller can't be told, so it will use it. A ref without
 * any slots refuses whoever acquires; its token makes it otherwise an ordinary live one, which can
 * be waited on and cleaned up. By memcpy(), since the buffer may be misaligned.
 */
static __always_inline void __ex_rundown_wdm_refuse_all(void *ref)
{
	struct ex_rundown_ref_cache_aware refusing = {
		.slots = &ex_rundown_slow_slot,
		.outstanding = ATOMIC_LONG_INIT(EX_RUNDOWN_TOKEN),
	};

	memcpy(ref, &refusing, sizeof(refusing));
}

/**
 * ExInitializeRundownProtectionCacheAware() - make a live cache-aware ref in a caller's buffer
 * @RunRefCacheAware: the buffer
 * @RunRefSize:       its size, at least ExSizeOfRundownProtectionCacheAware()
 *
 * Warns if the buffer is too small or misaligned; then every acquire on it is refused. Only if it
 * has no room even for sizeof(EX_RUNDOWN_REF_CACHE_AWARE), it is left alone and can't be used.
 *
 * Context: Task.
 */
static __always_inline void
ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware,
					SIZE_T RunRefSize)
{
	int error = ex_initialize_rundown_protection_cache_aware(RunRefCacheAware, RunRefSize);

	if (likely(!error))
		return;
	WARN_RATELIMIT(true, "rundown: %pS initializes a ref in %zu bytes at %p: error %d\n",
		       (void *)_THIS_IP_, (size_t)RunRefSize, RunRefCacheAware, error);
	if (RunRefCacheAware && RunRefSize >= sizeof(*RunRefCacheAware))
		__ex_rundown_wdm_refuse_all(RunRefCacheAware);
}

/**
 * ExInitializeRundownProtectionCacheAwareEx() - make a live cache-aware ref
 * @RunRefCacheAware: a struct of the caller's
 * @Flags:            EX_CARR_ALLOCATE_PAGED_POOL or EX_CARR_ALLOCATE_NONPAGED_POOL, perhaps with
 *                    EX_CARR_DISABLE_EXPANSION: all the same here, where kernel memory is not
 *                    paged and each CPU has its slot from the start
 *
 * Warns if there is no memory, or for other flags; then every acquire on the ref is refused. To be
 * told instead, call ex_initialize_rundown_protection_cache_aware_ex(), whose flags are others.
 *
 * Context: Task. May sleep.
 */
static __always_inline void
ExInitializeRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Flags)
{
	int error = -EINVAL;

	if (likely(!(Flags & ~(EX_CARR_ALLOCATE_NONPAGED_POOL | EX_CARR_DISABLE_EXPANSION))))
		error = ex_initialize_rundown_protection_cache_aware_ex(RunRefCacheAware, 0);
	if (likely(!error))
		return;
	WARN_RATELIMIT(true, "rundown: %pS initializes a ref with flags %#x: error %d\n",
		       (void *)_THIS_IP_, Flags, error);
	__ex_rundown_wdm_refuse_all(RunRefCacheAware);
}

/**
 * ExCleanupRundownProtectionCacheAware() - undo ExInitializeRundownProtectionCacheAwareEx()
 * @RunRefCacheAware: the ref; acquires on it are refused afterwards
 *
 * Context: Task. May sleep.
 */
static __always_inline void
ExCleanupRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
	ex_cleanup_rundown_protection_cache_aware(RunRefCacheAware);
}

/**
 * ExAcquireRundownProtectionCacheAware() - try to acquire protection
 * @RunRefCacheAware: the ref
 *
 * Context: Any.
 * Return: TRUE if granted, FALSE if the object is running down or run down.
 */
static __always_inline BOOLEAN
ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
	return ex_acquire_rundown_protection_cache_aware(RunRefCacheAware);
}

/**
 * ExAcquireRundownProtectionCacheAwareEx() - try to acquire protection several times over
 * @RunRefCacheAware: the ref
 * @Count:            how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * Context: Any.
 * Return: TRUE if all are granted, FALSE if none is.
 */
static __always_inline BOOLEAN
ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count)
{
	return ex_acquire_rundown_protection_cache_aware_ex(RunRefCacheAware, Count);
}

/**
 * ExReleaseRundownProtectionCacheAware() - release protection
 * @RunRefCacheAware: the ref it was acquired on
 *
 * Context: Any.
 */
static __always_inline void
ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
	ex_release_rundown_protection_cache_aware(RunRefCacheAware);
}

/**
 * ExReleaseRundownProtectionCacheAwareEx() - release protection several times over
 * @RunRefCacheAware: the ref it was acquired on
 * @Count:            how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * Context: Any.
 */
static __always_inline void
ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count)
{
	ex_release_rundown_protection_cache_aware_ex(RunRefCacheAware, Count);
}

/**
 * ExWaitForRundownProtectionReleaseCacheAware() - run the object down
 * @RunRefCacheAware: the ref
 *
 * Context: Task. May sleep.
 */
static __always_inline void
ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
	ex_wait_for_rundown_protection_release_cache_aware(RunRefCacheAware);
}

/**
 * ExRundownCompletedCacheAware() - declare an object run down that nobody holds
 * @RunRefCacheAware: the ref
 *
 * Context: Task. May sleep.
 */
static __always_inline void
ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
	ex_rundown_completed_cache_aware(RunRefCacheAware);
}

/**
 * ExReInitializeRundownProtectionCacheAware() - open a run-down object again
 * @RunRefCacheAware: the ref
 *
 * Context: Task. May sleep.
 */
static __always_inline void
ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
	ex_reinitialize_rundown_protection_cache_aware(RunRefCacheAware);
}

#define ExfInitializeRundownProtection			ExInitializeRundownProtection
#define ExfAcquireRundownProtection			ExAcquireRundownProtection
#define ExfAcquireRundownProtectionEx			ExAcquireRundownProtectionEx
#define ExfReleaseRundownProtection			ExReleaseRundownProtection
#define ExfReleaseRundownProtectionEx			ExReleaseRundownProtectionEx
#define ExfWaitForRundownProtectionRelease		ExWaitForRundownProtectionRelease
#define ExfRundownCompleted				ExRundownCompleted
#define ExfReInitializeRundownProtection		ExReInitializeRundownProtection
#define ExfAcquireRundownProtectionCacheAware		ExAcquireRundownProtectionCacheAware
#define ExfAcquireRundownProtectionCacheAwareEx		ExAcquireRundownProtectionCacheAwareEx
#define ExfReleaseRundownProtectionCacheAware		ExReleaseRundownProtectionCacheAware
#define ExfReleaseRundownProtectionCacheAwareEx		ExReleaseRundownProtectionCacheAwareEx
#define ExfWaitForRundownProtectionReleaseCacheAware	ExWaitForRundownProtectionReleaseCacheAware
#define ExfRundownCompletedCacheAware			ExRundownCompletedCacheAware
#define ExfReInitializeRundownProtectionCacheAware	ExReInitializeRundownProtectionCacheAware

#endif /* _EX_RUNDOWN_WDM_H */
