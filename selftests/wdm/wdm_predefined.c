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
#define TRUE (1 == 1)
#define FALSE (!TRUE)
#define PagedPool 0x101
#define NonPagedPoolNx NonPagedPoolNx
#define DISPATCH_LEVEL 20
#define UNREFERENCED_PARAMETER(parameter) sizeof(parameter)
#define NTAPI __cold
#define _In_ const
#define _IRQL_requires_max_(level) __aligned(level)
#define _Must_inspect_result_ __must_check

/* The same as the header's: C takes a typedef twice. */
typedef u32 ULONG;
typedef unsigned long ULONG_PTR;
typedef size_t SIZE_T;
typedef void *PVOID;
typedef int POOL_TYPE;

enum { NonPagedPoolNx = 0x200 };

#include "ex_rundown_wdm.h"
#include "wdm_predefined.h"

static_assert(TRUE == 1 && !FALSE);
static_assert(DISPATCH_LEVEL == 20);
static_assert(PagedPool == 0x101);
static_assert(NonPagedPoolNx == 512);
static_assert(UNREFERENCED_PARAMETER(TRUE) == sizeof(int));
static_assert(__builtin_types_compatible_p(_In_ int *, const int *));
static_assert(__alignof__(struct { _IRQL_requires_max_(32) char aligned; }) == 32);

/* Pool tags are written like this. Sparse warns of it, and has no option not to. */
#ifndef __CHECKER__
static_assert('erpS' == 0x65727053);
#endif

/* And the routines work with it. */
NTAPI BOOLEAN wdm_predefined_works(VOID)
{
	EX_RUNDOWN_REF Ref = {};
	PEX_RUNDOWN_REF_CACHE_AWARE Aware;
	BOOLEAN Works;

	Aware = ExAllocateCacheAwareRundownProtection(PagedPool, 0);
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
