/* SPDX-License-Identifier: GPL-2.0 */
/* What does the driver offer to its harness? Its dispatch routines, as Windows would see them. */
#ifndef _WDM_DRIVER_H
#define _WDM_DRIVER_H

typedef struct _DEVICE_EXTENSION {
	/* Basic: guards the device. */
	EX_RUNDOWN_REF RemoveRef;
	/* Cache-aware: guard the two queues. The second lies in a buffer of the driver's. */
	PEX_RUNDOWN_REF_CACHE_AWARE ReadRef;
	PEX_RUNDOWN_REF_CACHE_AWARE WriteRef;
	/* Cache-aware, embedded: guards Pending, which is kept while the device is started. */
	EX_RUNDOWN_REF_CACHE_AWARE StatisticsRef;
	/* Basic, not opened before the first start. */
	EX_RUNDOWN_REF PowerRef;
	LONG Pending;
} DEVICE_EXTENSION, *PDEVICE_EXTENSION;

_Must_inspect_result_
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS NTAPI SampleAddDevice(_Out_ PDEVICE_EXTENSION Extension);

_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI SampleDispatch(_Inout_ PDEVICE_EXTENSION Extension, _In_ ULONG Segments);

_IRQL_requires_max_(DISPATCH_LEVEL)
VOID NTAPI SampleComplete(_Inout_ PDEVICE_EXTENSION Extension, _In_ ULONG Segments);

_IRQL_requires_max_(APC_LEVEL)
VOID NTAPI SampleStop(_Inout_ PDEVICE_EXTENSION Extension);

_IRQL_requires_max_(APC_LEVEL)
VOID NTAPI SampleStart(_Inout_ PDEVICE_EXTENSION Extension);

_IRQL_requires_max_(APC_LEVEL)
VOID NTAPI SampleRemoveDevice(_Inout_ PDEVICE_EXTENSION Extension);

_Must_inspect_result_
BOOLEAN NTAPI SampleDriverIsOpen(void);
VOID NTAPI SampleDriverOpen(void);
VOID NTAPI SampleDriverClose(void);

#endif /* _WDM_DRIVER_H */
