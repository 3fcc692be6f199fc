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
	/* Basic, not opened before the first start. Taken by all CPUs, so not beside the others. */
	DECLSPEC_CACHEALIGN EX_RUNDOWN_REF PowerRef;

	LONG Pending;

	/* What a dump of the device shows. */
	DECLSPEC_ALIGN(16) ULONG_PTR State[2];

	_Field_size_bytes_opt_(NameLength) PVOID Name;

	ULONG NameLength;
} DEVICE_EXTENSION, *PDEVICE_EXTENSION;

C_ASSERT(FIELD_OFFSET(DEVICE_EXTENSION, PowerRef) % 64 == 0);
C_ASSERT(FIELD_OFFSET(DEVICE_EXTENSION, State) % 16 == 0);

/* The three forms of an in-line function, in a header that two files include: alone, ... */
_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
FORCEINLINE
BOOLEAN
SampleEnter(_Inout_ PDEVICE_EXTENSION Extension)
{
	return ExAcquireRundownProtection(&Extension->RemoveRef);
}

/* ... with static before it, ... */
_IRQL_requires_max_(DISPATCH_LEVEL)
static FORCEINLINE VOID SampleLeave(_Inout_ PDEVICE_EXTENSION Extension)
{
	ExReleaseRundownProtection(&Extension->RemoveRef);
}

static VOID SampleTouch(_In_opt_ PDEVICE_EXTENSION Extension);

/* ... and, calling these and what is plainly static, as the compiler itself calls it. */
__forceinline BOOLEAN SampleIsThere(_Inout_ PDEVICE_EXTENSION Extension)
{
	if (!SampleEnter(Extension))
		return FALSE;
	SampleTouch(Extension);
	SampleLeave(Extension);
	return TRUE;
}

_Success_(return)
static BOOLEAN SampleCopyState(
	_In_ PDEVICE_EXTENSION Extension,
	_Out_writes_bytes_to_(Size, *Written) PULONG_PTR State,
	_In_ SIZE_T Size,
	_Out_ _Deref_out_range_(0, Size) PSIZE_T Written)
{
	*Written = 0;
	if (Size < sizeof(*State))
		return FALSE;
	*State = Extension->RemoveRef.Count & EX_RUNDOWN_ACTIVE;
	*Written = sizeof(*State);
	return TRUE;
}

static VOID SampleTouch(PDEVICE_EXTENSION Extension)
{
	SIZE_T Written;

	if (Extension)
		SampleCopyState(Extension, Extension->State, sizeof(Extension->State), &Written);
}

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

_When_(Extension->WriteRef, _Post_satisfies_(!Extension->WriteRef))
_IRQL_requires_same_
VOID SampleFreeWriteRef(_Inout_ PDEVICE_EXTENSION Extension);

_IRQL_requires_(PASSIVE_LEVEL) _Kernel_clear_do_init_(yes) __drv_clearDoInit(yes)
_Dispatch_type_(IRP_MJ_PNP) _Function_class_(DRIVER_UNLOAD)
VOID NTAPI SampleUnload(VOID);

_Must_inspect_result_
BOOLEAN NTAPI SampleDriverIsOpen(void);
VOID NTAPI SampleDriverOpen(void);
VOID NTAPI SampleDriverClose(void);
BOOLEAN NTAPI SampleDriverLooksOpen(void);

#endif /* _WDM_DRIVER_H */
