/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What does a port of a Windows driver have in place of wdm.h? This, as far as ours needs it: the
 * run-down routines, and the few other things that wdm_driver.c takes from there.
 */
#ifndef _SELFTESTS_WDM_H
#define _SELFTESTS_WDM_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/slab.h>
#include <linux/stddef.h>

/* The same as the header's: C takes a typedef twice. */
typedef u32 ULONG;
typedef unsigned long ULONG_PTR;
typedef size_t SIZE_T;
typedef void *PVOID;
typedef int POOL_TYPE;

#include "ex_rundown_wdm.h"

typedef int NTSTATUS;
typedef int LONG;
typedef unsigned long *PULONG_PTR;
typedef size_t *PSIZE_T;

#define C_ASSERT(expression)		static_assert(expression)
#define FIELD_OFFSET(type, field)	offsetof(type, field)

#define STATUS_SUCCESS			((NTSTATUS)0)
#define STATUS_DELETE_PENDING		((NTSTATUS)0xC0000056)
#define STATUS_DEVICE_BUSY		((NTSTATUS)0x80000011)
#define STATUS_INSUFFICIENT_RESOURCES	((NTSTATUS)0xC000009A)

static inline PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
	return kmalloc(NumberOfBytes, PoolType & PagedPool ? GFP_KERNEL : GFP_ATOMIC);
}

static inline VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
	kfree(P);
}

static inline LONG InterlockedIncrement(LONG *Addend)
{
	return atomic_inc_return((atomic_t *)Addend);
}

static inline LONG InterlockedDecrement(LONG *Addend)
{
	return atomic_dec_return((atomic_t *)Addend);
}

#endif /* _SELFTESTS_WDM_H */
