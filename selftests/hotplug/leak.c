// SPDX-License-Identifier: GPL-2.0
/*
 * A driver with a bug: the thread that polls its device forgets, where the device fails, to
 * release protection. Who unplugs the device waits, and wants to know for whom. Kbuild compiles
 * this file with EX_RUNDOWN_TRACK, so the log says.
 *
 * In /sys/kernel/debug/rundown_leak/: a write to unplug waits, one to release has the thread let
 * go.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "ex_rundown.h"

static struct ex_rundown_ref_cache_aware *ref;
static struct task_struct *poller;
static struct dentry *directory;
static DECLARE_COMPLETION(polled);
static DECLARE_COMPLETION(let_go);

static noinline int read_device(void)
{
	return -EIO;
}

static noinline int poll_device(void)
{
	int error;

	if (!ex_acquire_rundown_protection_cache_aware(ref))
		return -ENODEV;
	error = read_device();
	if (error)
		return error;		/* the bug */
	ex_release_rundown_protection_cache_aware(ref);
	return 0;
}

static int poll_thread(void *unused)
{
	bool leaked = poll_device() == -EIO;

	complete(&polled);
	wait_for_completion_interruptible(&let_go);
	if (leaked)
		ex_release_rundown_protection_cache_aware(ref);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
	return 0;
}

static int unplug_device(void *unused, u64 value)
{
	ex_wait_for_rundown_protection_release_cache_aware(ref);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(unplug_fops, NULL, unplug_device, "%llu\n");

static int release_set(void *unused, u64 value)
{
	complete_all(&let_go);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(release_fops, NULL, release_set, "%llu\n");

static int __init leak_init(void)
{
	int error;

	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	if (!ref)
		return -ENOMEM;
	poller = kthread_run(poll_thread, NULL, "leak/poll");
	if (IS_ERR(poller)) {
		error = PTR_ERR(poller);
		ex_free_cache_aware_rundown_protection(ref);
		return error;
	}
	wait_for_completion(&polled);
	directory = debugfs_create_dir("rundown_leak", NULL);
	debugfs_create_file("unplug", 0200, directory, NULL, &unplug_fops);
	debugfs_create_file("release", 0200, directory, NULL, &release_fops);
	return 0;
}

/* Nobody waits: that is a write, and the file would be open. */
static void __exit leak_exit(void)
{
	debugfs_remove(directory);
	complete_all(&let_go);
	/* The thread may have to let go yet, before it ends. */
	kthread_stop(poller);
	ex_wait_for_rundown_protection_release_cache_aware(ref);
	ex_free_cache_aware_rundown_protection(ref);
}

module_init(leak_init);
module_exit(leak_exit);

MODULE_DESCRIPTION("Run-down protection test: a holder that forgets to release");
MODULE_LICENSE("GPL");
