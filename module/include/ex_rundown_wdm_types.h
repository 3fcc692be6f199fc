/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What do the words of Windows driver source mean here?
 *
 * The base types, constants and annotations that the run-down routines' prototypes and their
 * callers use. All that the including source has defined before, as macros, is left alone. Whether
 * a typedef exists can't be asked; C takes the same one twice, and these are the types that wdm.h
 * has, on 64 bits and on 32. A source whose own typedefs differ (its POOL_TYPE may be an enum)
 * defines EX_RUNDOWN_WDM_NO_TYPES and brings all of the types below.
 */
#ifndef _EX_RUNDOWN_WDM_TYPES_H
#define _EX_RUNDOWN_WDM_TYPES_H

#include <linux/types.h>

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

/*
 * Annotations and calling conventions: nothing. The old spellings IN, OUT, __in and __out are not
 * here: the kernel has its own uses for such names (a label in wait_event() is one).
 */
#ifndef _In_
#define _In_
#endif
#ifndef _In_opt_
#define _In_opt_
#endif
#ifndef _Out_
#define _Out_
#endif
#ifndef _Out_opt_
#define _Out_opt_
#endif
#ifndef _Inout_
#define _Inout_
#endif
#ifndef _Inout_opt_
#define _Inout_opt_
#endif
#ifndef _Outptr_
#define _Outptr_
#endif
#ifndef _Outptr_opt_
#define _Outptr_opt_
#endif
#ifndef _In_reads_
#define _In_reads_(...)
#endif
#ifndef _In_reads_bytes_
#define _In_reads_bytes_(...)
#endif
#ifndef _In_reads_opt_
#define _In_reads_opt_(...)
#endif
#ifndef _Out_writes_
#define _Out_writes_(...)
#endif
#ifndef _Out_writes_bytes_
#define _Out_writes_bytes_(...)
#endif
#ifndef _Inout_updates_
#define _Inout_updates_(...)
#endif
#ifndef _Inout_updates_bytes_
#define _Inout_updates_bytes_(...)
#endif
#ifndef _Ret_maybenull_
#define _Ret_maybenull_
#endif
#ifndef _Ret_notnull_
#define _Ret_notnull_
#endif
#ifndef _Must_inspect_result_
#define _Must_inspect_result_
#endif
#ifndef _Check_return_
#define _Check_return_
#endif
#ifndef _Use_decl_annotations_
#define _Use_decl_annotations_
#endif
#ifndef _Function_class_
#define _Function_class_(...)
#endif
#ifndef _When_
#define _When_(...)
#endif
#ifndef _At_
#define _At_(...)
#endif
#ifndef _Success_
#define _Success_(...)
#endif
#ifndef _Pre_
#define _Pre_
#endif
#ifndef _Post_
#define _Post_
#endif
#ifndef _Pre_satisfies_
#define _Pre_satisfies_(...)
#endif
#ifndef _Post_satisfies_
#define _Post_satisfies_(...)
#endif
#ifndef _Analysis_assume_
#define _Analysis_assume_(...)
#endif
#ifndef _IRQL_requires_
#define _IRQL_requires_(...)
#endif
#ifndef _IRQL_requires_max_
#define _IRQL_requires_max_(...)
#endif
#ifndef _IRQL_requires_min_
#define _IRQL_requires_min_(...)
#endif
#ifndef _IRQL_requires_same_
#define _IRQL_requires_same_
#endif
#ifndef _IRQL_raises_
#define _IRQL_raises_(...)
#endif
#ifndef _IRQL_saves_
#define _IRQL_saves_
#endif
#ifndef _IRQL_restores_
#define _IRQL_restores_
#endif
#ifndef _IRQL_saves_global_
#define _IRQL_saves_global_(...)
#endif
#ifndef _IRQL_restores_global_
#define _IRQL_restores_global_(...)
#endif
#ifndef _Requires_lock_held_
#define _Requires_lock_held_(...)
#endif
#ifndef _Requires_lock_not_held_
#define _Requires_lock_not_held_(...)
#endif
#ifndef _Acquires_lock_
#define _Acquires_lock_(...)
#endif
#ifndef _Releases_lock_
#define _Releases_lock_(...)
#endif
#ifndef _Requires_shared_lock_held_
#define _Requires_shared_lock_held_(...)
#endif
#ifndef _Requires_exclusive_lock_held_
#define _Requires_exclusive_lock_held_(...)
#endif
#ifndef _Acquires_shared_lock_
#define _Acquires_shared_lock_(...)
#endif
#ifndef _Releases_shared_lock_
#define _Releases_shared_lock_(...)
#endif
#ifndef _Acquires_exclusive_lock_
#define _Acquires_exclusive_lock_(...)
#endif
#ifndef _Releases_exclusive_lock_
#define _Releases_exclusive_lock_(...)
#endif
#ifndef _Guarded_by_
#define _Guarded_by_(...)
#endif
#ifndef _Interlocked_
#define _Interlocked_
#endif
#ifndef _Reserved_
#define _Reserved_
#endif
#ifndef _Enum_is_bitflag_
#define _Enum_is_bitflag_
#endif
#ifndef __checkReturn
#define __checkReturn
#endif
#ifndef __drv_maxIRQL
#define __drv_maxIRQL(...)
#endif
#ifndef __drv_minIRQL
#define __drv_minIRQL(...)
#endif
#ifndef __drv_requiresIRQL
#define __drv_requiresIRQL(...)
#endif
#ifndef __drv_sameIRQL
#define __drv_sameIRQL
#endif
#ifndef __drv_raisesIRQL
#define __drv_raisesIRQL(...)
#endif
#ifndef __drv_when
#define __drv_when(...)
#endif
#ifndef __drv_at
#define __drv_at(...)
#endif
#ifndef __drv_freesMem
#define __drv_freesMem(...)
#endif
#ifndef __drv_allocatesMem
#define __drv_allocatesMem(...)
#endif
#ifndef __drv_mustHoldCriticalRegion
#define __drv_mustHoldCriticalRegion
#endif
#ifndef __drv_aliasesMem
#define __drv_aliasesMem
#endif
#ifndef __drv_functionClass
#define __drv_functionClass(...)
#endif
#ifndef __drv_dispatchType
#define __drv_dispatchType(...)
#endif
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
