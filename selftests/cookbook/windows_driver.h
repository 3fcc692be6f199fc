/* SPDX-License-Identifier: GPL-2.0 */
/* What the driver of windows_driver.c is called for, in Windows' words. */
#ifndef _COOKBOOK_WINDOWS_DRIVER_H
#define _COOKBOOK_WINDOWS_DRIVER_H

typedef struct _DEVICE_EXTENSION {
	EX_RUNDOWN_REF RemoveRef;		/* the device: until it is removed */
	PEX_RUNDOWN_REF_CACHE_AWARE QueueRef;	/* the queue: while it is not paused */
	LONG Queued;
} DEVICE_EXTENSION, *PDEVICE_EXTENSION;

_Must_inspect_result_
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS NTAPI QueueAddDevice(_Out_ PDEVICE_EXTENSION Extension);

_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI QueueDispatch(_Inout_ PDEVICE_EXTENSION Extension);

_IRQL_requires_max_(DISPATCH_LEVEL)
VOID NTAPI QueueComplete(_Inout_ PDEVICE_EXTENSION Extension);

_IRQL_requires_max_(APC_LEVEL)
VOID NTAPI QueuePause(_Inout_ PDEVICE_EXTENSION Extension);

_IRQL_requires_max_(APC_LEVEL)
VOID NTAPI QueueResume(_Inout_ PDEVICE_EXTENSION Extension);

_IRQL_requires_max_(APC_LEVEL)
VOID NTAPI QueueRemoveDevice(_Inout_ PDEVICE_EXTENSION Extension);

#endif /* _COOKBOOK_WINDOWS_DRIVER_H */
