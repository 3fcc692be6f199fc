// SPDX-License-Identifier: GPL-2.0
/*
 * Porting a Windows driver's file: what is around it.
 *
 * windows_driver.c compiles unchanged, with a wdm.h that brings what Linux has instead of Windows.
 * This is its Linux side: system calls dispatch, a softirq, which is DISPATCH_LEVEL, completes.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/timer.h>

#include "wdm.h"
#include "windows_driver.h"
#include "exercise.h"

/* Its RemoveRef is asked by whoever comes late, so it is never freed. */
static DEVICE_EXTENSION device = { .RemoveRef.Count = EX_RUNDOWN_ACTIVE };

static atomic_t in_flight;
static atomic_long_t completed, paused, removed;

/* A DPC. */
static void complete_requests(struct timer_list *timer)
{
	while (atomic_dec_if_positive(&in_flight) >= 0) {
		/* Counted before: then the device may be removed. */
		atomic_long_inc(&completed);
		QueueComplete(&device);
	}
}

static DEFINE_TIMER(completion_timer, complete_requests);

/* As from an ioctl. */
static int dispatch(void)
{
	switch (QueueDispatch(&device)) {
	case STATUS_SUCCESS:
		/*
		 * In this order: the timer that is armed here, if no other before, finds it. The
		 * device may be removed by then; the timer is not.
		 */
		atomic_inc(&in_flight);
		mod_timer(&completion_timer, jiffies + 1);
		return 0;
	case STATUS_DEVICE_BUSY:
		return -EBUSY;
	default:
		return -ENODEV;
	}
}

static int device_add(void)
{
	return QueueAddDevice(&device) == STATUS_SUCCESS ? 0 : -ENOMEM;
}

static void request(void *unused)
{
	switch (dispatch()) {
	case -EBUSY:
		atomic_long_inc(&paused);
		break;
	case -ENODEV:
		atomic_long_inc(&removed);
	}
}

static int __init windows_init(void)
{
	struct exercise users = { .fn = request };
	int error, i;

	error = expect(dispatch() == -ENODEV) ?: device_add();
	if (error)
		return error;
	error = exercise_start(&users);
	for (i = 0; !error && i < 20; i++) {
		error = exercise_more(&completed, 10);
		QueuePause(&device);
		error = error ?: expect(!READ_ONCE(device.Queued)) ?: exercise_more(&paused, 1);
		QueueResume(&device);
	}
	QueueRemoveDevice(&device);
	error = error ?: exercise_more(&removed, 10) ?: expect(!atomic_read(&in_flight));
	exercise_stop(&users);
	/* Nobody arms it any more, but it may be armed, or running: KeFlushQueuedDpcs(). */
	timer_delete_sync(&completion_timer);
	if (error)
		return error;
	pr_info("%s: %ld requests completed over 20 pauses, %ld refused, then %ld by removal\n",
		KBUILD_MODNAME, atomic_long_read(&completed), atomic_long_read(&paused),
		atomic_long_read(&removed));
	return 0;
}

static void __exit windows_exit(void)
{
}

module_init(windows_init);
module_exit(windows_exit);
MODULE_DESCRIPTION("Run-down protection cookbook: a Windows driver's file");
MODULE_LICENSE("GPL");
