// SPDX-License-Identifier: GPL-2.0
/*
 * I/O acquired in a system call and completed in an interrupt.
 *
 * Who submits a request acquires protection and does not wait for the request; the protection goes
 * with it, to be released by the interrupt that completes it. The disk is removed when no request
 * is in flight and none can come. A timer with a hard interrupt is what the hardware would be.
 */
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "../compat.h"
#include "ex_rundown.h"
#include "exercise.h"

#define DISK_TAGS	4

struct disk {
	DECLARE_BITMAP(busy, DISK_TAGS);
	struct disk_request {
		struct hrtimer interrupt;
		unsigned int tag;
	} requests[DISK_TAGS];
};

/* Not in the disk: it is asked when there is no disk any more, or not yet. */
DEFINE_STATIC_EX_RUNDOWN_REF_RUN_DOWN(disk_ref);
static struct disk *disk;		/* to be used under protection only */

static atomic_long_t submitted, completed, busy, elsewhere;

static enum hrtimer_restart disk_interrupt(struct hrtimer *timer)
{
	struct disk_request *request = container_of(timer, struct disk_request, interrupt);

	atomic_long_inc(&completed);
	if (!in_hardirq())
		atomic_long_inc(&elsewhere);
	clear_bit_unlock(request->tag, disk->busy);
	/* Last. Neither the disk nor the request are ours after this. */
	ex_rundown_release(&disk_ref);
	return HRTIMER_NORESTART;
}

static int disk_submit(void)
{
	unsigned int tag;

	if (!ex_rundown_acquire(&disk_ref))
		return -ENODEV;
	for (tag = 0; tag < DISK_TAGS; tag++) {
		if (test_and_set_bit_lock(tag, disk->busy))
			continue;
		atomic_long_inc(&submitted);
		hrtimer_start(&disk->requests[tag].interrupt, ns_to_ktime(300 * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_HARD);
		/* The interrupt may have been here already: hands off the disk. */
		return 0;
	}
	ex_rundown_release(&disk_ref);
	return -EBUSY;
}

static int disk_add(void)
{
	unsigned int tag;

	disk = kzalloc(sizeof(*disk), GFP_KERNEL);
	if (!disk)
		return -ENOMEM;
	for (tag = 0; tag < DISK_TAGS; tag++) {
		struct disk_request *request = &disk->requests[tag];

		request->tag = tag;
		hrtimer_setup(&request->interrupt, disk_interrupt, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_HARD);
	}
	ex_rundown_reinitialize(&disk_ref);
	return 0;
}

static void disk_remove(void)
{
	unsigned int tag;

	/* All requests are completed. */
	ex_rundown_wait(&disk_ref);
	/* But an interrupt may still be returning: of hardware, free_irq() would wait for it. */
	for (tag = 0; disk && tag < DISK_TAGS; tag++)
		hrtimer_cancel(&disk->requests[tag].interrupt);
	kfree(disk);
	disk = NULL;
}

/* The system call: echo 1 >/sys/module/rundown_cookbook_completion/parameters/submit */
static int submit_set(const char *value, const struct kernel_param *kp)
{
	return disk_submit();
}

static const struct kernel_param_ops submit_ops = { .set = submit_set };
module_param_cb(submit, &submit_ops, NULL, 0200);
MODULE_PARM_DESC(submit, "Submit a request (write only)");

static void submit(void *unused)
{
	if (disk_submit() == -EBUSY)
		atomic_long_inc(&busy);
}

static int __init completion_init(void)
{
	struct exercise submitters = { .fn = submit };
	int error, i;

	error = expect(disk_submit() == -ENODEV) ?: exercise_start(&submitters);
	for (i = 0; !error && i < 20; i++) {
		error = disk_add() ?: exercise_more(&submitted, 20);
		disk_remove();
		if (!error)
			error = expect(atomic_long_read(&completed) ==
				       atomic_long_read(&submitted));
	}
	exercise_stop(&submitters);
	/* Leaves a disk to be played with. */
	error = error ?: expect(!atomic_long_read(&elsewhere)) ?: disk_add();
	if (error)
		return error;
	pr_info("%s: %ld requests, completed in hard interrupts, over 20 removals; busy %ld times\n",
		KBUILD_MODNAME, atomic_long_read(&completed), atomic_long_read(&busy));
	return 0;
}

static void __exit completion_exit(void)
{
	disk_remove();
}

module_init(completion_init);
module_exit(completion_exit);
MODULE_DESCRIPTION("Run-down protection cookbook: I/O completed in an interrupt");
MODULE_LICENSE("GPL");
