// SPDX-License-Identifier: GPL-2.0
/*
 * May the source have its own idea of the Windows words, as most do? Everything here is defined
 * before ex_rundown_wdm.h is included, which has to leave it alone: what it defined twice would not
 * compile, and what it defined instead shows in the assertions.
 */
#include <linux/build_bug.h>
#include <linux/types.h>

#define VOID void
#define BOOLEAN unsigned char
#define FORCEINLINE static inline
#define TRUE (1 == 1)
#define FALSE (!TRUE)
#define DISPATCH_LEVEL 20
#define UNREFERENCED_PARAMETER(parameter) sizeof(parameter)
#define NTAPI __cold
#define _In_ const
#define _IRQL_requires_max_(level) __aligned(level)
#define _Must_inspect_result_ __must_check

/* Its own types, one of which is an enum, as in wdm.h. */
#define EX_RUNDOWN_WDM_NO_TYPES
typedef u32 ULONG;
typedef unsigned long ULONG_PTR;
typedef size_t SIZE_T;
typedef void *PVOID;
typedef enum _POOL_TYPE {
	NonPagedPool,
	NonPagedPoolExecute = NonPagedPool,
	PagedPool,
	NonPagedPoolCacheAligned = NonPagedPool + 4,
	PagedPoolCacheAligned,
	NonPagedPoolNx = 512,
} POOL_TYPE;

#include "ex_rundown_wdm.h"
#include "wdm_predefined.h"

static_assert(TRUE == 1 && !FALSE);
static_assert(DISPATCH_LEVEL == 20);
static_assert(PagedPoolCacheAligned == 5);
static_assert(NonPagedPoolNxCacheAligned == 516);
static_assert(UNREFERENCED_PARAMETER(TRUE) == sizeof(int));
static_assert(__builtin_types_compatible_p(_In_ int *, const int *));
static_assert(__alignof__(struct { _IRQL_requires_max_(32) char aligned; }) == 32);

/* Pool tags are written like this. Sparse warns of it, and has no option not to. */
#ifndef __CHECKER__
static_assert('erpS' == 0x65727053);
#endif

/* Would be an error after the header's. */
FORCEINLINE POOL_TYPE wdm_predefined_pool(BOOLEAN Paged)
{
	switch (Paged ? PagedPool : NonPagedPoolNx) {
	case PagedPool:
		return PagedPool;
	default:
		return NonPagedPoolNx | POOL_ZERO_ALLOCATION;
	}
}

/* And the routines work with it. */
NTAPI BOOLEAN wdm_predefined_works(VOID)
{
	EX_RUNDOWN_REF Ref = {};
	PEX_RUNDOWN_REF_CACHE_AWARE Aware;
	BOOLEAN Works;

	Aware = ExAllocateCacheAwareRundownProtection(wdm_predefined_pool(FALSE), 0);
	if (!Aware)
		return FALSE;
	Works = ExAcquireRundownProtection(&Ref) == TRUE &&
		ExAcquireRundownProtectionCacheAware(Aware) == TRUE;
	ExReleaseRundownProtectionCacheAware(Aware);
	ExReleaseRundownProtection(&Ref);
	ExWaitForRundownProtectionRelease(&Ref);
	ExWaitForRundownProtectionReleaseCacheAware(Aware);
	Works = Works && ExAcquireRundownProtection(&Ref) == FALSE &&
		ExAcquireRundownProtectionCacheAware(Aware) == FALSE;
	ExFreeCacheAwareRundownProtection(Aware);
	return Works;
}
