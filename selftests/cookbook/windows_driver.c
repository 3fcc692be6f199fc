// SPDX-License-Identifier: GPL-2.0
/*
 * Porting a Windows driver's file: this is the file, as on Windows. windows.c is what it is ported
 * to.
 */
#include <wdm.h>
#include "windows_driver.h"

#define QUEUE_TAG 0x75657551

_Use_decl_annotations_
NTSTATUS NTAPI QueueAddDevice(PDEVICE_EXTENSION Extension)
{
	Extension->QueueRef = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, QUEUE_TAG);
	if (!Extension->QueueRef)
		return STATUS_INSUFFICIENT_RESOURCES;
	Extension->Queued = 0;
	ExInitializeRundownProtection(&Extension->RemoveRef);
	return STATUS_SUCCESS;
}

/* What is acquired here, QueueComplete() releases. */
_Use_decl_annotations_
NTSTATUS NTAPI QueueDispatch(PDEVICE_EXTENSION Extension)
{
	if (!ExAcquireRundownProtection(&Extension->RemoveRef))
		return STATUS_DELETE_PENDING;
	if (!ExAcquireRundownProtectionCacheAware(Extension->QueueRef)) {
		ExReleaseRundownProtection(&Extension->RemoveRef);
		return STATUS_DEVICE_BUSY;
	}
	InterlockedIncrement(&Extension->Queued);
	return STATUS_SUCCESS;
}

_Use_decl_annotations_
VOID NTAPI QueueComplete(PDEVICE_EXTENSION Extension)
{
	InterlockedDecrement(&Extension->Queued);
	ExReleaseRundownProtectionCacheAware(Extension->QueueRef);
	ExReleaseRundownProtection(&Extension->RemoveRef);
}

_Use_decl_annotations_
VOID NTAPI QueuePause(PDEVICE_EXTENSION Extension)
{
	ExWaitForRundownProtectionReleaseCacheAware(Extension->QueueRef);
}

_Use_decl_annotations_
VOID NTAPI QueueResume(PDEVICE_EXTENSION Extension)
{
	ExReInitializeRundownProtectionCacheAware(Extension->QueueRef);
}

_Use_decl_annotations_
VOID NTAPI QueueRemoveDevice(PDEVICE_EXTENSION Extension)
{
	ExWaitForRundownProtectionRelease(&Extension->RemoveRef);
	/* Whoever asks QueueRef holds RemoveRef. */
	ExFreeCacheAwareRundownProtection(Extension->QueueRef);
	Extension->QueueRef = NULL;
}
