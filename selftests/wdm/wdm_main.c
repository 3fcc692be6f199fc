// SPDX-License-Identifier: GPL-2.0
/*
 * Does a driver under the Windows names behave as on Windows? Loading the module runs it through
 * its life, and fails if anything comes out wrong; the log says what.
 *
 * With failures=1 also: what becomes of a ref whose initialization failed, where the routine can't
 * say so? The kernel warns of these, on purpose.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/timer.h>

#include "wdm.h"
#include "wdm_driver.h"
#include "wdm_predefined.h"

#define SEGMENTS	3
#define COMPLETION_MS	20
#define REFS		8000

static bool failures;
module_param(failures, bool, 0444);
MODULE_PARM_DESC(failures, "Also test initializations that fail; the kernel warns");

/* True, and says so, if what should be true is not. Then return: to go on might hang. */
#define fails(condition) (!(condition) && report_failure(#condition))

static bool report_failure(const char *condition)
{
	pr_err("rundown_wdm: failed: %s\n", condition);
	return true;
}

static DEVICE_EXTENSION device;

/* Completes a request in softirq, which is DISPATCH_LEVEL. */
static void complete_request(struct timer_list *timer)
{
	SampleComplete(&device, SEGMENTS);
}

static DEFINE_TIMER(request_timer, complete_request);

static int check_driver_ref(void)
{
	if (fails(SampleDriverIsOpen() == FALSE))
		return -EINVAL;
	if (fails(!SampleDriverLooksOpen()))
		return -EINVAL;
	SampleDriverOpen();
	if (fails(SampleDriverIsOpen() == TRUE))
		return -EINVAL;
	if (fails(SampleDriverLooksOpen()))
		return -EINVAL;
	SampleUnload();
	if (fails(SampleDriverIsOpen() == FALSE))
		return -EINVAL;
	if (fails(!SampleDriverLooksOpen()))
		return -EINVAL;
	return 0;
}

/* The device is stopped and started; a request is pending at the stop, which has to wait for it. */
static int check_running_device(void)
{
	if (fails(SampleIsThere(&device) == TRUE))
		return -EINVAL;
	/* PowerRef is closed yet. */
	if (fails(SampleDispatch(&device, SEGMENTS) == STATUS_DELETE_PENDING))
		return -EINVAL;
	SampleStop(&device);
	SampleStart(&device);

	if (fails(SampleDispatch(&device, SEGMENTS) == STATUS_SUCCESS))
		return -EINVAL;
	if (fails(SampleDispatch(&device, SEGMENTS) == STATUS_SUCCESS))
		return -EINVAL;
	if (fails(device.Pending == 2))
		return -EINVAL;
	SampleComplete(&device, SEGMENTS);
	if (fails(device.Pending == 1))
		return -EINVAL;

	mod_timer(&request_timer, jiffies + msecs_to_jiffies(COMPLETION_MS));
	SampleStop(&device);
	/* The timer function may still be returning. */
	timer_delete_sync(&request_timer);
	if (fails(device.Pending == 0))
		return -EINVAL;
	if (fails(SampleDispatch(&device, SEGMENTS) == STATUS_DELETE_PENDING))
		return -EINVAL;

	SampleStart(&device);
	if (fails(SampleDispatch(&device, SEGMENTS) == STATUS_SUCCESS))
		return -EINVAL;
	SampleComplete(&device, SEGMENTS);
	return 0;
}

static int check_device(void)
{
	int error;

	if (fails(SampleAddDevice(&device) == STATUS_SUCCESS))
		return -EINVAL;
	error = check_running_device();
	if (error)
		return error;
	SampleRemoveDevice(&device);
	if (fails(SampleDispatch(&device, SEGMENTS) == STATUS_DELETE_PENDING))
		return -EINVAL;
	if (fails(SampleIsThere(&device) == FALSE))
		return -EINVAL;

	/* The place is used again. */
	if (fails(SampleAddDevice(&device) == STATUS_SUCCESS))
		return -EINVAL;
	SampleRemoveDevice(&device);
	return 0;
}

/* As many as a driver of many queues allocates at its start: non-paged, from where it may sleep. */
static int check_many_refs(void)
{
	PEX_RUNDOWN_REF_CACHE_AWARE *refs = kvcalloc(REFS, sizeof(*refs), GFP_KERNEL);
	int i, count = 0;

	if (!refs)
		return -ENOMEM;
	for (i = 0; i < REFS; i++) {
		refs[count] = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, 0);
		if (refs[count])
			count++;
	}
	/* Together, or each would interrupt all CPUs. */
	ex_rundown_wait_many_cache_aware(refs, count);
	for (i = 0; i < count; i++)
		ExFreeCacheAwareRundownProtection(refs[i]);
	kvfree(refs);
	/* Else nobody knows who may sleep. */
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT) && fails(count == REFS))
		return -EINVAL;
	return 0;
}

/* Refuses everybody, and can be waited on and cleaned up. */
static int check_refusing(PEX_RUNDOWN_REF_CACHE_AWARE ref)
{
	if (fails(!ExAcquireRundownProtectionCacheAware(ref)))
		return -EINVAL;
	if (fails(!ExAcquireRundownProtectionCacheAwareEx(ref, 2)))
		return -EINVAL;
	ExWaitForRundownProtectionReleaseCacheAware(ref);
	if (fails(!ExAcquireRundownProtectionCacheAware(ref)))
		return -EINVAL;
	ExReInitializeRundownProtectionCacheAware(ref);
	if (fails(!ExAcquireRundownProtectionCacheAware(ref)))
		return -EINVAL;
	ExRundownCompletedCacheAware(ref);
	ExCleanupRundownProtectionCacheAware(ref);
	if (fails(!ExAcquireRundownProtectionCacheAware(ref)))
		return -EINVAL;
	return 0;
}

static int check_failures(void)
{
	EX_RUNDOWN_REF_CACHE_AWARE ref;
	int error;

	pr_info("expect-splat begin: initializes a ref\n");
	memset(&ref, 0x5a, sizeof(ref));
	ExInitializeRundownProtectionCacheAwareEx(&ref, ~0u);
	pr_info("expect-splat end\n");
	error = check_refusing(&ref);
	if (error)
		return error;

	pr_info("expect-splat begin: initializes a ref\n");
	memset(&ref, 0x5a, sizeof(ref));
	ExInitializeRundownProtectionCacheAware(&ref, sizeof(ref));
	pr_info("expect-splat end\n");
	return check_refusing(&ref);
}

static int __init wdm_init(void)
{
	int error = check_driver_ref();

	if (!error)
		error = check_device();
	if (!error)
		error = check_many_refs();
	if (!error && fails(wdm_predefined_works()))
		error = -EINVAL;
	if (!error && failures)
		error = check_failures();
	return error;
}

static void __exit wdm_exit(void)
{
}

module_init(wdm_init);
module_exit(wdm_exit);

MODULE_DESCRIPTION("Run-down protection test: a driver under the Windows names");
MODULE_LICENSE("GPL");
