// SPDX-License-Identifier: GPL-2.0
/*
 * Waits that take long are reported in the log, and all waits in debugfs.
 *
 * As with the kernel's hung tasks, one parameter says when a wait is reported, and another how many
 * reports there are in all. A work item looks for overdue waits; it wakes none of the waiters, so
 * khungtaskd still finds them.
 */
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched/debug.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "drain.h"
#include "events.h"
#include "track.h"
#include "waits.h"
#include "watch.h"

/* How often one ref is reported, at growing intervals. */
#define EX_WATCH_TIMES	10
/* So that the last pause is not so long that jiffies wrap. */
#define EX_WATCH_MOST_SECS	2000
/* Reports at a time. */
#define EX_WATCH_ROOM	10

static void ex_watch(struct work_struct *work);
static DECLARE_DELAYED_WORK(watch_work, ex_watch);
/* Not the one of asynchronous run-downs: a function that is stuck there must not stop this. */
static struct workqueue_struct *watch_queue;
/* These are written under kernel_param_lock(). */
static unsigned int hung_warn_secs = 60;
static int hung_warnings = 10;
/* From the end of the module's init to the begin of its exit. */
static bool watching;

/* The parameters have been written. They are for the waits that are there already, too. */
static void ex_watch_restart(void)
{
	if (!watching)
		return;
	if (hung_warn_secs && hung_warnings)
		mod_delayed_work(watch_queue, &watch_work, 0);
	else
		cancel_delayed_work(&watch_work);
}

static int hung_warn_secs_set(const char *value, const struct kernel_param *parameter)
{
	unsigned int secs;
	int error = kstrtouint(value, 0, &secs);

	if (error)
		return error;
	BUILD_BUG_ON((u64)EX_WATCH_MOST_SECS * HZ << EX_WATCH_TIMES > INT_MAX);
	if (secs > EX_WATCH_MOST_SECS)
		return -EINVAL;
	WRITE_ONCE(hung_warn_secs, secs);
	ex_watch_restart();
	return 0;
}

static const struct kernel_param_ops hung_warn_secs_ops = {
	.set = hung_warn_secs_set,
	.get = param_get_uint,
};
module_param_cb(hung_warn_secs, &hung_warn_secs_ops, &hung_warn_secs, 0644);
MODULE_PARM_DESC(hung_warn_secs, "Warn of a wait after so many seconds, at most 2000; 0: never (60)");

static int hung_warnings_set(const char *value, const struct kernel_param *parameter)
{
	int warnings;
	int error = kstrtoint(value, 0, &warnings);

	if (error)
		return error;
	if (warnings < -1)
		return -EINVAL;
	WRITE_ONCE(hung_warnings, warnings);
	ex_watch_restart();
	return 0;
}

static const struct kernel_param_ops hung_warnings_ops = {
	.set = hung_warnings_set,
	.get = param_get_int,
};
module_param_cb(hung_warnings, &hung_warnings_ops, &hung_warnings, 0644);
MODULE_PARM_DESC(hung_warnings, "Warnings of long waits that are left; -1: no limit (10)");

static void ex_watch_report(const struct ex_waits_report *report)
{
	const struct ex_rundown_wait *wait = &report->wait;

	pr_warn("rundown: %pS has been waiting for %lu s for the release of protection on ref %p: %ld held\n",
		(void *)wait->caller, (jiffies - wait->since) / HZ, wait->ref, wait->left);
	if (report->waits > 1)
		pr_warn("rundown: and %u more wait for it\n", report->waits - 1);
	if (wait->task)
		sched_show_task(wait->task);
	ex_track_print(wait->ref);
}

/* Collect what is to be reported, and take it from hung_warnings. True if these are the last. */
static bool ex_watch_collect(struct ex_waits_report *reports, unsigned int *count)
{
	unsigned long after = hung_warn_secs * HZ, next;
	unsigned int room = EX_WATCH_ROOM;

	*count = 0;
	if (!after || !hung_warnings)
		return false;
	if (hung_warnings > 0)
		room = min_t(unsigned int, room, hung_warnings);
	*count = ex_waits_overdue(after, EX_WATCH_TIMES, reports, room, &next);
	if (hung_warnings > 0) {
		WRITE_ONCE(hung_warnings, hung_warnings - *count);
		if (!hung_warnings)
			return true;
	}
	/* Rearm no later than the deadline of a wait that starts now. */
	if (next != ULONG_MAX)
		mod_delayed_work(watch_queue, &watch_work, min(next, after));
	return false;
}

static void ex_watch(struct work_struct *work)
{
	/* The work does not run twice at a time. */
	static struct ex_waits_report reports[EX_WATCH_ROOM];
	unsigned int count, i;
	bool last;

	/* Rearming must not put off the immediate run that a writer of the parameters asks for. */
	kernel_param_lock(THIS_MODULE);
	last = ex_watch_collect(reports, &count);
	kernel_param_unlock(THIS_MODULE);

	for (i = 0; i < count; i++) {
		ex_watch_report(&reports[i]);
		ex_waits_put(&reports[i].wait);
		cond_resched();
	}
	if (last)
		pr_warn("rundown: no more long waits will be reported: see /sys/kernel/debug/rundown/waiters, or write to /sys/module/rundown/parameters/hung_warnings\n");
}

/**
 * ex_watch_arm() - somebody waits
 *
 * Work that is pending for another wait comes no later.
 *
 * Context: Any but NMI.
 */
void ex_watch_arm(void)
{
	unsigned long after = READ_ONCE(hung_warn_secs) * HZ;

	if (after && READ_ONCE(hung_warnings) && !delayed_work_pending(&watch_work))
		queue_delayed_work(watch_queue, &watch_work, after);
}

static int waiters_show(struct seq_file *file, void *unused)
{
	unsigned int room = ex_waits_copy(NULL, 0) + 16, count, i;
	struct ex_rundown_wait *waits = kvcalloc(room, sizeof(*waits), GFP_KERNEL);

	if (!waits)
		return -ENOMEM;
	count = ex_waits_copy(waits, room);
	seq_puts(file, "# ref outstanding seconds task comm caller\n");
	for (i = 0; i < min(count, room); i++) {
		struct ex_rundown_wait *it = &waits[i];

		seq_printf(file, "%p %ld %lu %d %s %pS\n", it->ref, it->left,
			   (jiffies - it->since) / HZ, it->task ? task_pid_nr(it->task) : 0,
			   it->task ? it->task->comm : "asynchronous", (void *)it->caller);
		ex_waits_put(it);
	}
	if (count > room)
		seq_printf(file, "# and %u more\n", count - room);
	kvfree(waits);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(waiters);

static int tracked_show(struct seq_file *file, void *unused)
{
	ex_track_show(file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tracked);

static const char * const counts[EX_COUNTS] = {
	[EX_COUNT_RUNDOWNS] = "run-downs",
	[EX_COUNT_WAITS] = "waits",
	[EX_COUNT_SLEPT] = "waits that slept",
	[EX_COUNT_TIMED_OUT] = "waits that timed out",
	[EX_COUNT_INTERRUPTED] = "waits that were interrupted",
	[EX_COUNT_REFUSED] = "refused in slow paths",
	[EX_COUNT_IPIS] = "inter-processor interrupts",
	[EX_COUNT_DEFERRED_WAKES] = "deferred wakes",
};

static int stats_show(struct seq_file *file, void *unused)
{
	struct ex_stats *sum = kmalloc(sizeof(*sum), GFP_KERNEL);
	unsigned int i;

	if (!sum)
		return -ENOMEM;
	ex_stats_sum(sum);
	for (i = 0; i < EX_COUNTS; i++)
		seq_printf(file, "%s: %lu\n", counts[i], sum->counts[i]);
	for (i = 0; i < EX_MISUSE_KINDS; i++)
		seq_printf(file, "misuse, %s: %lu\n", ex_rundown_misuses[i], sum->misuses[i]);
	for (i = 0; i < EX_LATENCIES - 1; i++)
		seq_printf(file, "slept less than %lu us: %lu\n", 1UL << i, sum->latencies[i]);
	seq_printf(file, "slept longer: %lu\n", sum->latencies[i]);
	kfree(sum);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static struct dentry *directory;

static void ex_watching(bool on)
{
	kernel_param_lock(THIS_MODULE);
	watching = on;
	kernel_param_unlock(THIS_MODULE);
}

/* With no user yet: nobody waits before there is a queue. */
int ex_watch_init(void)
{
	watch_queue = alloc_workqueue("rundown_watch", WQ_UNBOUND, 0);
	if (!watch_queue)
		return -ENOMEM;
	directory = debugfs_create_dir("rundown", NULL);
	debugfs_create_file("waiters", 0400, directory, NULL, &waiters_fops);
	debugfs_create_file("tracked", 0400, directory, NULL, &tracked_fops);
	debugfs_create_file("stats", 0400, directory, NULL, &stats_fops);
	ex_watching(true);
	return 0;
}

void ex_watch_exit(void)
{
	debugfs_remove(directory);
	ex_watching(false);
	cancel_delayed_work_sync(&watch_work);
	destroy_workqueue(watch_queue);
}
