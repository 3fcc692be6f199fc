/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What do the words of Windows driver source mean here?
 *
 * The base types and constants that the run-down routines' prototypes and their callers use; the
 * annotations are in ex_rundown_wdm_sal.h. All that the including source has defined before, as macros, is left alone. Whether
 * a typedef exists can't be asked; C takes the same one twice, and these are the types that wdm.h
 * has, on 64 bits and on 32. A source whose own typedefs differ (its POOL_TYPE may be an enum)
 * defines EX_RUNDOWN_WDM_NO_TYPES and brings all of the types below.
 */
#ifndef _EX_RUNDOWN_WDM_TYPES_H
#define _EX_RUNDOWN_WDM_TYPES_H

#include <linux/types.h>

#include "ex_rundown_wdm_sal.h"

/* Pool tags are character constants of four. */
#pragma GCC diagnostic ignored "-Wmultichar"

#ifndef EX_RUNDOWN_WDM_NO_TYPES
#ifndef VOID
typedef void VOID;
#endif
#ifndef PVOID
typedef void *PVOID;
#endif
#ifndef BOOLEAN
typedef unsigned char BOOLEAN;
#endif
#ifndef ULONG
typedef unsigned int ULONG;
#endif
#ifndef ULONG_PTR
typedef unsigned long ULONG_PTR;
#endif
#ifndef SIZE_T
typedef size_t SIZE_T;
#endif
#ifndef POOL_TYPE
typedef int POOL_TYPE;
#endif
#endif /* !EX_RUNDOWN_WDM_NO_TYPES */

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

/* IRQLs, for who compares. Nothing here depends on one. */
#ifndef PASSIVE_LEVEL
#define PASSIVE_LEVEL 0
#endif
#ifndef APC_LEVEL
#define APC_LEVEL 1
#endif
#ifndef DISPATCH_LEVEL
#define DISPATCH_LEVEL 2
#endif

/* Bit 0 says paged. */
#ifndef NonPagedPool
#define NonPagedPool 0
#endif
#ifndef NonPagedPoolExecute
#define NonPagedPoolExecute 0
#endif
#ifndef PagedPool
#define PagedPool 1
#endif
#ifndef NonPagedPoolCacheAligned
#define NonPagedPoolCacheAligned 4
#endif
#ifndef PagedPoolCacheAligned
#define PagedPoolCacheAligned 5
#endif
#ifndef NonPagedPoolNx
#define NonPagedPoolNx 512
#endif
#ifndef NonPagedPoolNxCacheAligned
#define NonPagedPoolNxCacheAligned 516
#endif

/* Flags of ExInitializeRundownProtectionCacheAwareEx(). */
#ifndef EX_CARR_ALLOCATE_PAGED_POOL
#define EX_CARR_ALLOCATE_PAGED_POOL 0
#endif
#ifndef EX_CARR_ALLOCATE_NONPAGED_POOL
#define EX_CARR_ALLOCATE_NONPAGED_POOL 1
#endif
#ifndef EX_CARR_DISABLE_EXPANSION
#define EX_CARR_DISABLE_EXPANSION 2
#endif

#ifndef FORCEINLINE
#define FORCEINLINE static __always_inline
#endif
#ifndef UNREFERENCED_PARAMETER
#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#endif

/* Calling conventions: there is one. */
#ifndef NTAPI
#define NTAPI
#endif
#ifndef FASTCALL
#define FASTCALL
#endif
#ifndef NTKERNELAPI
#define NTKERNELAPI
#endif
#ifndef NTSYSAPI
#define NTSYSAPI
#endif

#endif /* _EX_RUNDOWN_WDM_TYPES_H */
