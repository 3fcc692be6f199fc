// SPDX-License-Identifier: GPL-2.0
/* The beginning and the end of a run. */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/panic.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "stress.h"

/* The files' against each other, and against the end. */
DEFINE_MUTEX(stress_lock);
struct stress_run *stress_current;

static void run_end(struct work_struct *work);
static DECLARE_DELAYED_WORK(end_work, run_end);
static DECLARE_WAIT_QUEUE_HEAD(ended);
static unsigned int nr_ended;		/* under stress_lock */

static void actors_destroy(struct stress_run *run)
{
	stress_holders_destroy(run);
	stress_owners_destroy(run);
	stress_carriers_destroy(run);
	stress_places_destroy(run);
}

static void run_free(struct stress_run *run)
{
	if (!run)
		return;
	stress_stats_destroy(run);
	kfree(run);
}

static u64 ns_left(struct stress_run *run)
{
	u64 passed_ns = ktime_get_ns() - run->started_ns;
	u64 whole_ns = (u64)run->settings.msecs * NSEC_PER_MSEC;

	return passed_ns < whole_ns ? whole_ns - passed_ns : 0;
}

/* Even if its time is up: whoever was woken may have kept the CPU from us that long. */
static void queue_end(struct stress_run *run)
{
	queue_delayed_work(system_long_wq, &end_work, nsecs_to_jiffies(ns_left(run)) + 1);
}

/* When its time is up, or it is stopped. What was counted stays until the next run. */
static void run_end(struct work_struct *work)
{
	struct stress_run *run;
	bool ending;

	mutex_lock(&stress_lock);
	run = stress_current;
	ending = run->state == STRESS_RUNNING;
	/*
	 * Not before its time: jiffies may have lagged when it began, and what is left over from
	 * the stop of an earlier run must not end this one.
	 */
	if (ending && !run->stop && ns_left(run)) {
		queue_end(run);
		ending = false;
	}
	if (ending) {
		run->state = STRESS_STOPPING;
		run->elapsed_ns = ktime_get_ns() - run->started_ns;
	}
	mutex_unlock(&stress_lock);
	if (!ending)
		return;

	WRITE_ONCE(run->stop, true);
	/* In this order: who could still acquire; what they sent off; who waits for all of them. */
	stress_holders_destroy(run);
	stress_carriers_finish(run);
	stress_owners_destroy(run);
	stress_places_finish(run);
	stress_check_balance(run);
	if (test_taint(TAINT_WARN) && !run->tainted_before)
		stress_violation(run, STRESS_WARNED);
	actors_destroy(run);

	mutex_lock(&stress_lock);
	run->state = STRESS_IDLE;
	WRITE_ONCE(nr_ended, nr_ended + 1);
	mutex_unlock(&stress_lock);
	/* From here on it may be freed by the next start. */
	wake_up_all(&ended);
}

static int actors_create(struct stress_run *run)
{
	int error = stress_stats_create(run);

	error = error ?: stress_places_create(run);
	error = error ?: stress_carriers_create(run);
	error = error ?: stress_owners_create(run);
	return error ?: stress_holders_create(run);
}

static int start(const struct stress_settings *settings)
{
	struct stress_run *run;
	int error;

	if (stress_current && stress_current->state != STRESS_IDLE)
		return -EBUSY;
	run = kzalloc(sizeof(*run), GFP_KERNEL);
	if (!run)
		return -ENOMEM;
	run->settings = *settings;
	run->state = STRESS_RUNNING;
	error = actors_create(run);
	if (error) {
		actors_destroy(run);
		run_free(run);
		return error;
	}

	run_free(stress_current);
	stress_current = run;
	run->tainted_before = test_taint(TAINT_WARN);
	run->started_ns = ktime_get_ns();
	stress_owners_wake(run);
	stress_holders_wake(run);
	queue_end(run);
	return 0;
}

/**
 * stress_start() - start a run
 * @settings: what it is to be like
 *
 * Return: 0; -EBUSY if there is one; -ENOMEM; -EINTR if killed meanwhile. Nothing changes then.
 */
int stress_start(const struct stress_settings *settings)
{
	int error = mutex_lock_interruptible(&stress_lock);

	if (error)
		return error;
	error = start(settings);
	mutex_unlock(&stress_lock);
	return error;
}

/* True if there is a run to wait for. */
static bool request_stop(void)
{
	if (!stress_current || stress_current->state == STRESS_IDLE)
		return false;
	if (stress_current->state == STRESS_RUNNING) {
		WRITE_ONCE(stress_current->stop, true);
		mod_delayed_work(system_long_wq, &end_work, 0);
	}
	return true;
}

/**
 * stress_stop() - stop the run, if there is one
 *
 * Return: 0 when it has ended; -EINTR, -ERESTARTSYS if a signal came before that.
 */
int stress_stop(void)
{
	unsigned int before;
	bool busy;
	int error = mutex_lock_interruptible(&stress_lock);

	if (error)
		return error;
	before = nr_ended;
	busy = request_stop();
	mutex_unlock(&stress_lock);
	return busy ? wait_event_interruptible(ended, READ_ONCE(nr_ended) != before) : 0;
}

/* At exit, with all files gone. */
void stress_stop_and_free(void)
{
	mutex_lock(&stress_lock);
	request_stop();
	mutex_unlock(&stress_lock);
	flush_delayed_work(&end_work);
	run_free(stress_current);
}
