// SPDX-License-Identifier: GPL-2.0
/* The Windows names, and the older Exf ones. */
#include <linux/build_bug.h>
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
	return error;
}
