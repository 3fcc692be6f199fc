// SPDX-License-Identifier: GPL-2.0
/*
 * Does Windows driver source compile unchanged? This is one such: the run-down routines in all the
 * ways that drivers use them, with nothing of Linux in sight.
 */
#include <wdm.h>
#include "wdm_driver.h"

#define SAMPLE_TAG 0x6c706d53

/* Nobody gets in before the driver is open. */
static EX_RUNDOWN_REF DriverRef = { .Count = EX_RUNDOWN_ACTIVE };

/* A zero-filled one is live. */
static EX_RUNDOWN_REF TraceRef = { 0 };

/* Filter drivers keep the routines in tables. */
typedef BOOLEAN FASTCALL SAMPLE_ACQUIRE(PEX_RUNDOWN_REF RunRef);
typedef VOID FASTCALL SAMPLE_RELEASE(PEX_RUNDOWN_REF RunRef);

static CONST struct {
	SAMPLE_ACQUIRE *Acquire;
	SAMPLE_RELEASE *Release;
} TraceRoutines = { ExAcquireRundownProtection, ExReleaseRundownProtection };

static FORCEINLINE VOID SampleFreeRef(_In_ _Frees_ptr_opt_ PEX_RUNDOWN_REF_CACHE_AWARE Ref)
{
	if (Ref)
		ExFreePoolWithTag(Ref, SAMPLE_TAG);
}

/* In a file, static may come behind it, and it may be without, if no other file has the name. */
_Post_maybenull_ _Post_writable_byte_size_(Size)
FORCEINLINE static PVOID SampleAllocate(_In_ POOL_TYPE PoolType, _In_ SIZE_T Size)
{
	return ExAllocatePoolWithTag(PoolType, Size, SAMPLE_TAG);
}

_Use_decl_annotations_
FORCEINLINE VOID SampleFreeWriteRef(PDEVICE_EXTENSION Extension)
{
	SampleFreeRef(Extension->WriteRef);
	Extension->WriteRef = NULL;
}

_Use_decl_annotations_
NTSTATUS NTAPI SampleAddDevice(PDEVICE_EXTENSION Extension)
{
	SIZE_T Size;

	ExInitializeRundownProtection(&Extension->RemoveRef);

	Extension->ReadRef = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, SAMPLE_TAG);
	if (!Extension->ReadRef)
		return STATUS_INSUFFICIENT_RESOURCES;

	Size = ExSizeOfRundownProtectionCacheAware();
	Extension->WriteRef = SampleAllocate(PagedPool | POOL_COLD_ALLOCATION, Size);
	if (!Extension->WriteRef) {
		ExFreeCacheAwareRundownProtection(Extension->ReadRef);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	ExInitializeRundownProtectionCacheAware(Extension->WriteRef, Size);
	ExInitializeRundownProtectionCacheAwareEx(&Extension->StatisticsRef,
						  EX_CARR_ALLOCATE_NONPAGED_POOL);

	ExInitializeRundownProtection(&Extension->PowerRef);
	ExRundownCompleted(&Extension->PowerRef);

	Extension->Pending = 0;
	Extension->Name = NULL;
	Extension->NameLength = 0;
	return STATUS_SUCCESS;
}

/* The request holds the device and the read queue once, and the rest once for each segment. */
_Use_decl_annotations_
NTSTATUS NTAPI SampleDispatch(PDEVICE_EXTENSION Extension, ULONG Segments)
{
	if (!SampleEnter(Extension))
		return STATUS_DELETE_PENDING;

	if (ExAcquireRundownProtectionCacheAware(Extension->ReadRef) == FALSE)
		goto ReleaseRemove;
	if (ExAcquireRundownProtectionCacheAwareEx(Extension->WriteRef, Segments) != TRUE)
		goto ReleaseRead;
	if (!ExfAcquireRundownProtectionEx(&Extension->PowerRef, Segments))
		goto ReleaseWrite;

	if (ExAcquireRundownProtectionCacheAware(&Extension->StatisticsRef)) {
		InterlockedIncrement(&Extension->Pending);
		ExReleaseRundownProtectionCacheAware(&Extension->StatisticsRef);
	}
	return STATUS_SUCCESS;

ReleaseWrite:
	ExReleaseRundownProtectionCacheAwareEx(Extension->WriteRef, Segments);
ReleaseRead:
	ExReleaseRundownProtectionCacheAware(Extension->ReadRef);
ReleaseRemove:
	SampleLeave(Extension);
	return STATUS_DELETE_PENDING;
}

_Use_decl_annotations_
VOID NTAPI SampleComplete(PDEVICE_EXTENSION Extension, ULONG Segments)
{
	ULONG Segment;

	InterlockedDecrement(&Extension->Pending);
	for (Segment = 0; Segment < Segments; Segment++)
		ExReleaseRundownProtectionCacheAware(Extension->WriteRef);
	ExfReleaseRundownProtectionEx(&Extension->PowerRef, Segments);
	ExReleaseRundownProtectionCacheAware(Extension->ReadRef);
	ExReleaseRundownProtection(&Extension->RemoveRef);
}

_Use_decl_annotations_
VOID NTAPI SampleStop(PDEVICE_EXTENSION Extension)
{
	ExWaitForRundownProtectionRelease(&Extension->RemoveRef);
	ExWaitForRundownProtectionReleaseCacheAware(Extension->ReadRef);
	ExWaitForRundownProtectionReleaseCacheAware(Extension->WriteRef);
	ExfWaitForRundownProtectionRelease(&Extension->PowerRef);
	ExRundownCompletedCacheAware(&Extension->StatisticsRef);

	/* No effect. */
	ExWaitForRundownProtectionRelease(&Extension->RemoveRef);
	ExRundownCompleted(&Extension->RemoveRef);
}

/* After a stop. */
_Use_decl_annotations_
VOID NTAPI SampleStart(PDEVICE_EXTENSION Extension)
{
	ExReInitializeRundownProtectionCacheAware(&Extension->StatisticsRef);
	ExReInitializeRundownProtectionCacheAware(Extension->WriteRef);
	ExfReInitializeRundownProtectionCacheAware(Extension->ReadRef);
	ExReInitializeRundownProtection(&Extension->PowerRef);
	ExReInitializeRundownProtection(&Extension->RemoveRef);
}

_Use_decl_annotations_
VOID NTAPI SampleRemoveDevice(PDEVICE_EXTENSION Extension)
{
	SampleStop(Extension);

	/* Left for the next device at this place: refuses, as long as nobody initializes it. */
	Extension->RemoveRef.Count = EX_RUNDOWN_ACTIVE;

	ExCleanupRundownProtectionCacheAware(&Extension->StatisticsRef);
	SampleFreeWriteRef(Extension);
	ExFreeCacheAwareRundownProtection(Extension->ReadRef);
	Extension->ReadRef = NULL;
}

BOOLEAN NTAPI SampleDriverIsOpen(VOID)
{
	BOOLEAN Open;

	if (!TraceRoutines.Acquire(&TraceRef))
		return FALSE;
	Open = ExAcquireRundownProtection(&DriverRef);
	if (Open)
		ExReleaseRundownProtection(&DriverRef);
	TraceRoutines.Release(&TraceRef);
	return Open;
}

VOID NTAPI SampleDriverOpen(VOID)
{
	ExReInitializeRundownProtection(&DriverRef);
}

VOID NTAPI SampleDriverClose(VOID)
{
	ExWaitForRundownProtectionRelease(&DriverRef);
}

/* Refused acquires do not hide that it is closed. Of a live ref that nobody holds, all is zero. */
BOOLEAN NTAPI SampleDriverLooksOpen(VOID)
{
	return !(DriverRef.Count & EX_RUNDOWN_ACTIVE) && !DriverRef.Ptr;
}

_Use_decl_annotations_
VOID NTAPI SampleUnload(VOID)
{
	SampleDriverClose();
}
