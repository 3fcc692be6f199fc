/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What do the words of Windows driver source mean here?
 *
 * The base types, constants and specifiers that the run-down routines' prototypes and their callers
 * use; the annotations are in ex_rundown_wdm_sal.h. All that the including source has defined
 * before, as macros, is left alone. Whether a typedef exists can't be asked; C takes the same one
 * twice, and these are the types that wdm.h has, on 64 bits and on 32. A source whose own typedefs
 * differ (its POOL_TYPE may be an enum) defines EX_RUNDOWN_WDM_NO_TYPES and declares all of the
 * types below before it includes this.
 */
#ifndef _EX_RUNDOWN_WDM_TYPES_H
#define _EX_RUNDOWN_WDM_TYPES_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/kconfig.h>
#include <linux/types.h>

#include "ex_rundown_wdm_sal.h"

/* Pool tags are character constants of four. */
#pragma GCC diagnostic ignored "-Wmultichar"
#ifdef CONFIG_CC_IS_GCC
/* FORCEINLINE may come before static. */
#pragma GCC diagnostic ignored "-Wold-style-declaration"
#endif

/* The compiler prints these lines, with their comments, for a source whose types differ. */
#ifndef EX_RUNDOWN_WDM_NO_TYPES
#ifndef VOID
typedef void VOID;		/* To have your own: #define EX_RUNDOWN_WDM_NO_TYPES */
#endif
#ifndef PVOID
typedef void *PVOID;		/* To have your own: #define EX_RUNDOWN_WDM_NO_TYPES */
#endif
#ifndef BOOLEAN
typedef unsigned char BOOLEAN;	/* To have your own: #define EX_RUNDOWN_WDM_NO_TYPES */
#endif
#ifndef ULONG
typedef unsigned int ULONG;	/* To have your own: #define EX_RUNDOWN_WDM_NO_TYPES */
#endif
#ifndef ULONG_PTR
typedef unsigned long ULONG_PTR; /* To have your own: #define EX_RUNDOWN_WDM_NO_TYPES */
#endif
#ifndef SIZE_T
typedef size_t SIZE_T;		/* To have your own: #define EX_RUNDOWN_WDM_NO_TYPES */
#endif
#ifndef POOL_TYPE
typedef int POOL_TYPE;		/* To have your own: #define EX_RUNDOWN_WDM_NO_TYPES */
#endif
#endif /* !EX_RUNDOWN_WDM_NO_TYPES */

#ifndef CONST
#define CONST const
#endif
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

/* The pool types. Bit 0 says paged, and nothing else of them matters here. */
#ifndef NonPagedPool
#define NonPagedPool 0 /* Your enum? #define EX_RUNDOWN_WDM_NO_TYPES, include this after it */
#endif
#ifndef NonPagedPoolExecute
#define NonPagedPoolExecute 0
#endif
#ifndef PagedPool
#define PagedPool 1 /* Your enum? #define EX_RUNDOWN_WDM_NO_TYPES, include this after it */
#endif
#ifndef NonPagedPoolMustSucceed
#define NonPagedPoolMustSucceed 2
#endif
#ifndef DontUseThisType
#define DontUseThisType 3
#endif
#ifndef NonPagedPoolCacheAligned
#define NonPagedPoolCacheAligned 4
#endif
#ifndef PagedPoolCacheAligned
#define PagedPoolCacheAligned 5
#endif
#ifndef NonPagedPoolCacheAlignedMustS
#define NonPagedPoolCacheAlignedMustS 6
#endif
#ifndef MaxPoolType
#define MaxPoolType 7
#endif
#ifndef NonPagedPoolBase
#define NonPagedPoolBase 0 /* Your enum? #define EX_RUNDOWN_WDM_NO_TYPES, include this after it */
#endif
#ifndef NonPagedPoolBaseMustSucceed
#define NonPagedPoolBaseMustSucceed 2
#endif
#ifndef NonPagedPoolBaseCacheAligned
#define NonPagedPoolBaseCacheAligned 4
#endif
#ifndef NonPagedPoolBaseCacheAlignedMustS
#define NonPagedPoolBaseCacheAlignedMustS 6
#endif
#ifndef NonPagedPoolSession
#define NonPagedPoolSession 32
#endif
#ifndef PagedPoolSession
#define PagedPoolSession 33
#endif
#ifndef NonPagedPoolMustSucceedSession
#define NonPagedPoolMustSucceedSession 34
#endif
#ifndef DontUseThisTypeSession
#define DontUseThisTypeSession 35
#endif
#ifndef NonPagedPoolCacheAlignedSession
#define NonPagedPoolCacheAlignedSession 36
#endif
#ifndef PagedPoolCacheAlignedSession
#define PagedPoolCacheAlignedSession 37
#endif
#ifndef NonPagedPoolCacheAlignedMustSSession
#define NonPagedPoolCacheAlignedMustSSession 38
#endif
#ifndef NonPagedPoolNx
#define NonPagedPoolNx 512 /* Your enum? #define EX_RUNDOWN_WDM_NO_TYPES, include this after it */
#endif
#ifndef NonPagedPoolNxCacheAligned
#define NonPagedPoolNxCacheAligned 516
#endif
#ifndef NonPagedPoolSessionNx
#define NonPagedPoolSessionNx 544
#endif

/* What is or'ed to a pool type. A routine that can't raise returns NULL instead. */
#ifndef POOL_QUOTA_FAIL_INSTEAD_OF_RAISE
#define POOL_QUOTA_FAIL_INSTEAD_OF_RAISE 8
#endif
#ifndef POOL_RAISE_IF_ALLOCATION_FAILURE
#define POOL_RAISE_IF_ALLOCATION_FAILURE 16
#endif
#ifndef POOL_COLD_ALLOCATION
#define POOL_COLD_ALLOCATION 256
#endif
#ifndef POOL_NX_ALLOCATION
#define POOL_NX_ALLOCATION 512
#endif
#ifndef POOL_ZERO_ALLOCATION
#define POOL_ZERO_ALLOCATION 1024
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

/*
 * Windows source writes FORCEINLINE, static FORCEINLINE, and FORCEINLINE static. In C a second
 * static is an error, and in a header a function without one is defined by each file that includes
 * it. So it depends on where FORCEINLINE stands:
 *
 * - In a .c file it says in-line, not static, and all three compile. Without static the function is
 *   a global symbol: where another file of the module has one of the same name, the linker says
 *   "multiple definition", and one of them needs a static.
 * - In a header it says static. A static before it goes to an empty function in front, of which no
 *   code is made; a static after it is the error "duplicate static". Where a header has that form,
 *   and no header has FORCEINLINE alone: #define FORCEINLINE __always_inline before including this.
 *
 * The address of such a function can be taken.
 */
#ifndef FORCEINLINE
#define FORCEINLINE __ex_rundown_forceinline(__INCLUDE_LEVEL__)
#endif
#ifndef __forceinline
#define __forceinline FORCEINLINE
#endif

/* As IS_ENABLED() does it: level 0 becomes a comma, which puts the macro for files second. */
#define __ex_rundown_level_0 0,
#define __ex_rundown_forceinline(level) __ex_rundown_forceinline_at(level)
#define __ex_rundown_forceinline_at(level) __ex_rundown_forceinline_if(__ex_rundown_level_##level)
#define __ex_rundown_forceinline_if(comma_or_junk)					\
	__take_second_arg(comma_or_junk __always_inline, __ex_rundown_forceinline_static)
#define __ex_rundown_forceinline_static							\
	__inline void __UNIQUE_ID(ex_rundown_forceinline)(void) { } static __always_inline

#ifndef UNREFERENCED_PARAMETER
#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#endif

#ifndef SYSTEM_CACHE_ALIGNMENT_SIZE
#define SYSTEM_CACHE_ALIGNMENT_SIZE (L1_CACHE_BYTES > 64 ? L1_CACHE_BYTES : 64)
#endif
#ifndef DECLSPEC_ALIGN
#define DECLSPEC_ALIGN(alignment) __aligned(alignment)
#endif
#ifndef DECLSPEC_CACHEALIGN
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(SYSTEM_CACHE_ALIGNMENT_SIZE)
#endif
#ifndef DECLSPEC_NORETURN
#define DECLSPEC_NORETURN __noreturn
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
