// SPDX-License-Identifier: GPL-2.0
/*
 * Copies of the waits, for the log and debugfs: nothing can be printed under the locks of the
 * lists, and once these are dropped a wait may end and its ref go away.
 *
 * The log gets one report a ref and period, however many wait on that ref and whenever they began.
 * A ref has no room to store when, and how often, it was reported, so each wait on it does. A wait
 * that began after the last report does not know of it yet. So when a wait seems to be overdue, the
 * wait on its ref that has been reported most often decides, and all others are brought into line.
 */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched/task.h>

#include "drain.h"
#include "waits.h"

/* In ex_drain_walk_waits(). */
static void ex_waits_get(struct ex_rundown_wait *copy, const struct ex_rundown_wait *wait)
{
	*copy = *wait;
	copy->left = atomic_long_read(wait->outstanding) >> wait->shift;
	if (copy->task)
		get_task_struct(copy->task);
}

/**
 * ex_waits_put() - done with a copy of a wait
 * @copy: the copy
 *
 * Context: Any but NMI.
 */
void ex_waits_put(struct ex_rundown_wait *copy)
{
	if (copy->task)
		put_task_struct(copy->task);
}

struct ex_waits_copies {
	struct ex_rundown_wait *copies;
	unsigned int room;
	unsigned int count;
};

static void ex_waits_add_copy(struct ex_rundown_wait *wait, void *arg)
{
	struct ex_waits_copies *to = arg;

	if (to->count < to->room)
		ex_waits_get(&to->copies[to->count], wait);
	to->count++;
}

/**
 * ex_waits_copy() - copy the waits
 * @copies: for the copies, each of which must be put with ex_waits_put()
 * @room:   how many fit
 *
 * Context: Any but NMI.
 * Return: how many waits there are, which may be more than @room.
 */
unsigned int ex_waits_copy(struct ex_rundown_wait *copies, unsigned int room)
{
	struct ex_waits_copies to = { copies, room };

	ex_drain_walk_waits(ex_waits_add_copy, &to);
	return to.count;
}

struct ex_waits_search {
	struct ex_waits_report *reports;
	unsigned int room;
	unsigned int count;
	unsigned long now;		/* jiffies */
	unsigned long after;
	unsigned int times;
	unsigned long next;
};

static struct ex_waits_report *ex_waits_find(struct ex_waits_search *search, const void *ref)
{
	unsigned int i;

	for (i = 0; i < search->count; i++)
		if (search->reports[i].wait.ref == ref)
			return &search->reports[i];
	return NULL;
}

static bool ex_waits_is_due(struct ex_waits_search *search, const struct ex_rundown_wait *wait)
{
	unsigned long due;

	if (wait->reports >= search->times)
		return false;
	/* Each pause is twice the one before. */
	due = wait->reported + (search->after << wait->reports);
	if (time_before(search->now, due)) {
		search->next = min(search->next, due - search->now);
		return false;
	}
	return true;
}

static void ex_waits_collect(struct ex_rundown_wait *wait, void *arg)
{
	struct ex_waits_search *search = arg;

	if (!ex_waits_is_due(search, wait) || ex_waits_find(search, wait->ref))
		return;
	if (search->count < search->room)
		search->reports[search->count++] = (struct ex_waits_report){ .wait = *wait };
	else
		search->next = 0;
}

static void ex_waits_reported_most(struct ex_rundown_wait *wait, void *arg)
{
	struct ex_waits_report *report = ex_waits_find(arg, wait->ref);

	if (report && wait->reports > report->wait.reports)
		report->wait = *wait;
}

/* With the wait that has been reported most often. */
static void ex_waits_decide(struct ex_waits_search *search, struct ex_waits_report *report)
{
	report->due = ex_waits_is_due(search, &report->wait);
	if (!report->due)
		return;
	report->wait.reports++;
	report->wait.reported = search->now;
	/* For the time until it is due again. */
	ex_waits_is_due(search, &report->wait);
}

/* The first wait that is found is the oldest. */
static void ex_waits_mark(struct ex_rundown_wait *wait, void *arg)
{
	struct ex_waits_report *report = ex_waits_find(arg, wait->ref);

	if (!report)
		return;
	wait->reports = report->wait.reports;
	wait->reported = report->wait.reported;
	if (!report->waits++)
		ex_waits_get(&report->wait, wait);
}

/**
 * ex_waits_overdue() - find refs whose waits are to be reported
 * @after:   jiffies until the first report; each pause is twice the one before
 * @times:   reports of a ref at most
 * @reports: for the refs that are found, which count as reported; each wait in it must be put with
 *           ex_waits_put()
 * @room:    how many fit
 * @next:    gets the jiffies until there may be another, ULONG_MAX if there is nothing to wait for
 *
 * Of several waits on a ref, that of the task that has waited longest is in the report, or if no
 * task waits the oldest asynchronous run-down.
 *
 * Context: Any but NMI.
 * Return: how many refs there are in @reports.
 */
unsigned int ex_waits_overdue(unsigned long after, unsigned int times,
			      struct ex_waits_report *reports, unsigned int room,
			      unsigned long *next)
{
	struct ex_waits_search search = {
		.reports = reports, .room = room, .now = jiffies, .after = after, .times = times,
		.next = ULONG_MAX,
	};
	unsigned int i, count = 0;

	ex_drain_walk_waits(ex_waits_collect, &search);
	if (search.count) {
		ex_drain_walk_waits(ex_waits_reported_most, &search);
		for (i = 0; i < search.count; i++)
			ex_waits_decide(&search, &reports[i]);
		ex_drain_walk_waits(ex_waits_mark, &search);
	}
	for (i = 0; i < search.count; i++) {
		/* Its waits may have ended meanwhile. */
		if (!reports[i].waits)
			continue;
		if (reports[i].due)
			reports[count++] = reports[i];
		else
			ex_waits_put(&reports[i].wait);
	}
	*next = search.next;
	return count;
}
