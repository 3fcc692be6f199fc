// SPDX-License-Identifier: GPL-2.0
/* The Windows names, and the older Exf ones. */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <ex_rundown_wdm.h>

#include "outside.h"

/* Both prefixes, as driver headers declare pointers. */
struct _EX_RUNDOWN_REF;
struct _EX_RUNDOWN_REF_CACHE_AWARE;

static int use_Ex(PEX_RUNDOWN_REF Ref, PEX_RUNDOWN_REF_CACHE_AWARE Aware)
{
	ExInitializeRundownProtection(Ref);
	WANT(ExAcquireRundownProtection(Ref) == TRUE);
	WANT(ExAcquireRundownProtectionEx(Ref, 2) == TRUE);
	ExReleaseRundownProtectionEx(Ref, 2);
	ExReleaseRundownProtection(Ref);
	ExWaitForRundownProtectionRelease(Ref);
	WANT(ExAcquireRundownProtection(Ref) == FALSE);
	ExReInitializeRundownProtection(Ref);
	ExRundownCompleted(Ref);
	WANT(ExAcquireRundownProtectionCacheAware(Aware) == TRUE);
	WANT(ExAcquireRundownProtectionCacheAwareEx(Aware, 2) == TRUE);
	ExReleaseRundownProtectionCacheAwareEx(Aware, 2);
	ExReleaseRundownProtectionCacheAware(Aware);
	ExWaitForRundownProtectionReleaseCacheAware(Aware);
	WANT(ExAcquireRundownProtectionCacheAware(Aware) == FALSE);
	ExReInitializeRundownProtectionCacheAware(Aware);
	ExRundownCompletedCacheAware(Aware);
	return 0;
}

static int use_Exf(PEX_RUNDOWN_REF Ref, PEX_RUNDOWN_REF_CACHE_AWARE Aware)
{
	ExfInitializeRundownProtection(Ref);
	WANT(ExfAcquireRundownProtection(Ref) == TRUE);
	WANT(ExfAcquireRundownProtectionEx(Ref, 2) == TRUE);
	ExfReleaseRundownProtectionEx(Ref, 2);
	ExfReleaseRundownProtection(Ref);
	ExfWaitForRundownProtectionRelease(Ref);
	WANT(ExfAcquireRundownProtection(Ref) == FALSE);
	ExfReInitializeRundownProtection(Ref);
	ExfRundownCompleted(Ref);
	WANT(ExfAcquireRundownProtectionCacheAware(Aware) == TRUE);
	WANT(ExfAcquireRundownProtectionCacheAwareEx(Aware, 2) == TRUE);
	ExfReleaseRundownProtectionCacheAwareEx(Aware, 2);
	ExfReleaseRundownProtectionCacheAware(Aware);
	ExfWaitForRundownProtectionReleaseCacheAware(Aware);
	WANT(ExfAcquireRundownProtectionCacheAware(Aware) == FALSE);
	ExfReInitializeRundownProtectionCacheAware(Aware);
	ExfRundownCompletedCacheAware(Aware);
	return 0;
}

/* Each is what wdm.h has. */
static_assert(NonPagedPool == 0 && NonPagedPoolExecute == 0 && NonPagedPoolBase == 0);
static_assert(PagedPool == 1 && DontUseThisType == 3 && MaxPoolType == 7);
static_assert(NonPagedPoolMustSucceed == 2 && NonPagedPoolBaseMustSucceed == 2);
static_assert(NonPagedPoolCacheAligned == 4 && NonPagedPoolBaseCacheAligned == 4);
static_assert(PagedPoolCacheAligned == 5);
static_assert(NonPagedPoolCacheAlignedMustS == 6 && NonPagedPoolBaseCacheAlignedMustS == 6);
static_assert(NonPagedPoolSession == 32 && PagedPoolSession == 33);
static_assert(NonPagedPoolMustSucceedSession == 34 && DontUseThisTypeSession == 35);
static_assert(NonPagedPoolCacheAlignedSession == 36 && PagedPoolCacheAlignedSession == 37);
static_assert(NonPagedPoolCacheAlignedMustSSession == 38);
static_assert(NonPagedPoolNx == 512 && NonPagedPoolNxCacheAligned == 516);
static_assert(NonPagedPoolSessionNx == 544);
static_assert(POOL_QUOTA_FAIL_INSTEAD_OF_RAISE == 8 && POOL_RAISE_IF_ALLOCATION_FAILURE == 16);
static_assert(POOL_COLD_ALLOCATION == 256 && POOL_NX_ALLOCATION == 512);
static_assert(POOL_ZERO_ALLOCATION == 1024);
static_assert(PASSIVE_LEVEL < APC_LEVEL && APC_LEVEL < DISPATCH_LEVEL);
static_assert(EX_CARR_ALLOCATE_PAGED_POOL == 0 && EX_CARR_DISABLE_EXPANSION == 2);

typedef struct _QUEUE {
	DECLSPEC_CACHEALIGN EX_RUNDOWN_REF Ref;
	DECLSPEC_ALIGN(16) ULONG_PTR Tail;
	ULONG Pending;
} QUEUE, *PQUEUE;

static_assert(__alignof__(QUEUE) >= SYSTEM_CACHE_ALIGNMENT_SIZE);
static_assert(SYSTEM_CACHE_ALIGNMENT_SIZE >= 64);

NTSYSAPI NTKERNELAPI BOOLEAN NTAPI QueueEnter(CONST PQUEUE Queue);

static FORCEINLINE BOOLEAN Enter(PQUEUE Queue)
{
	return ExAcquireRundownProtection(&Queue->Ref);
}

static __forceinline VOID FASTCALL Leave(PQUEUE Queue, PVOID Context)
{
	UNREFERENCED_PARAMETER(Context);
	ExReleaseRundownProtection(&Queue->Ref);
}

NTKERNELAPI BOOLEAN NTAPI QueueEnter(CONST PQUEUE Queue)
{
	return Enter(Queue);
}

DECLSPEC_NORETURN VOID QueueBroken(VOID);
DECLSPEC_NORETURN VOID QueueBroken(VOID)
{
	panic("outside: a queue is broken\n");
}

static int use_queue(void)
{
	static QUEUE Queue = {};

	WANT(QueueEnter(&Queue) == TRUE);
	Leave(&Queue, NULL);
	if (Queue.Pending)
		QueueBroken();
	ExWaitForRundownProtectionRelease(&Queue.Ref);
	WANT((ULONG_PTR)Queue.Ref.Ptr & EX_RUNDOWN_ACTIVE);
	return 0;
}

/* Nearly every driver passes the fourth. */
static int use_pools(void)
{
	static const POOL_TYPE pools[] = {
		PagedPool, NonPagedPool, NonPagedPoolNxCacheAligned, NonPagedPoolNx,
		NonPagedPoolNx | POOL_ZERO_ALLOCATION | POOL_RAISE_IF_ALLOCATION_FAILURE,
	};
	PEX_RUNDOWN_REF_CACHE_AWARE Aware;
	SIZE_T Size = ExSizeOfRundownProtectionCacheAware();
	int i;

	for (i = 0; i < ARRAY_SIZE(pools); i++) {
		Aware = ExAllocateCacheAwareRundownProtection(pools[i], 'stuO');
		WANT(Aware);
		ExFreeCacheAwareRundownProtection(Aware);
	}
	Aware = kzalloc(Size, GFP_KERNEL);
	WANT(Aware);
	ExInitializeRundownProtectionCacheAware(Aware, Size);
	WANT(ExAcquireRundownProtectionCacheAware(Aware) == TRUE);
	ExReleaseRundownProtectionCacheAware(Aware);
	ExWaitForRundownProtectionReleaseCacheAware(Aware);
	kfree(Aware);
	return 0;
}

int outside_windows(void)
{
	EX_RUNDOWN_REF Ref = { .Count = EX_RUNDOWN_ACTIVE };
	EX_RUNDOWN_REF_CACHE_AWARE Aware;
	int error;

	ExInitializeRundownProtectionCacheAwareEx(&Aware, EX_CARR_ALLOCATE_NONPAGED_POOL);
	error = use_Ex(&Ref, &Aware);
	if (error)
		return error;
	ExReInitializeRundownProtectionCacheAware(&Aware);
	error = use_Exf(&Ref, &Aware);
	ExCleanupRundownProtectionCacheAware(&Aware);
	error = error ?: use_queue();
	return error ?: use_pools();
}
