// SPDX-License-Identifier: GPL-2.0
/*
 * CPU hotplug: waiters whose ref is run down on a CPU that is going offline or coming online.
 *
 * Such a CPU does not run irq_work, so ex_drain_wake() can only record that a wake is missing. Our
 * hotplug callback wakes the waiters when the CPU is dead, or online. That may be too late: another
 * subsystem's callback may run before ours and depend on a waiter, say because it flushes the work
 * item that waits for the ref. So from the first of our callbacks to the last, a timer on another
 * CPU checks for missing wakes:
 *
 *	going offline				coming online
 *	  "rundown:online" teardown: begin	  "rundown:prepare" startup: begin
 *	  not online				  not online
 *	  dead, other subsystems' callbacks	  online, other subsystems' callbacks
 *	  "rundown:prepare" teardown: end	  "rundown:online" startup: end
 *
 * If an operation fails, the hotplug core undoes the states that it has passed: where we began, the
 * other callback of that state ends it.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/timer.h>
#include <linux/version.h>

#include "drain.h"
#include "hotplug.h"

/* The new name came with 6.2, and later updates of 6.1. The old one has been gone since 6.15. */
#if LINUX_VERSION_MAJOR == 6 && LINUX_VERSION_PATCHLEVEL == 1
#define timer_delete_sync	del_timer_sync
#endif

#define EX_HOTPLUG_POLL_MS	10

static enum cpuhp_state online_state, prepare_state;
static struct timer_list poll_timer;
/*
 * The CPUs between begin and end. There may be more than one: with CONFIG_CPU_HOTPLUG_STATE_CONTROL
 * a CPU can be left half-way. Serialized by the hotplug lock, which is held for writing.
 */
static struct cpumask changing;

/* In softirq context. The timer is pinned: it stays on the CPU that it was added on. */
static void ex_hotplug_poll(struct timer_list *timer)
{
	ex_drain_wake_missing();
	mod_timer(timer, jiffies + msecs_to_jiffies(EX_HOTPLUG_POLL_MS));
}

static int ex_hotplug_begin(unsigned int cpu)
{
	unsigned int other;

	cpumask_set_cpu(cpu, &changing);
	/* A CPU that was left half-way may have it running already, and on @cpu. */
	timer_delete_sync(&poll_timer);
	/* Nor on one of those, which may go on without another call of this. */
	for_each_online_cpu(other)
		if (!cpumask_test_cpu(other, &changing))
			break;
	if (other >= nr_cpu_ids)
		other = cpumask_any_but(cpu_online_mask, cpu);
	poll_timer.expires = jiffies + msecs_to_jiffies(EX_HOTPLUG_POLL_MS);
	add_timer_on(&poll_timer, other);
	return 0;
}

static int ex_hotplug_end(unsigned int cpu)
{
	cpumask_clear_cpu(cpu, &changing);
	/* Safe although the timer rearms itself: it is deleted when its function does not run. */
	if (cpumask_empty(&changing))
		timer_delete_sync(&poll_timer);
	ex_drain_wake_missing();
	return 0;
}

/**
 * ex_hotplug_init() - follow CPU hotplug
 *
 * Context: Task. After ex_drain_init().
 * Return: 0 or a negative errno.
 */
int ex_hotplug_init(void)
{
	int error;

	timer_setup(&poll_timer, ex_hotplug_poll, TIMER_PINNED);

	/* No operation may come between the two: it would begin, and not end, or the reverse. */
	cpus_read_lock();
	error = cpuhp_setup_state_nocalls_cpuslocked(CPUHP_BP_PREPARE_DYN, "rundown:prepare",
						     ex_hotplug_begin, ex_hotplug_end);
	if (error < 0)
		goto unlock;
	prepare_state = error;
	error = cpuhp_setup_state_nocalls_cpuslocked(CPUHP_AP_ONLINE_DYN, "rundown:online",
						     ex_hotplug_end, ex_hotplug_begin);
	if (error < 0) {
		cpuhp_remove_state_nocalls_cpuslocked(prepare_state);
		goto unlock;
	}
	online_state = error;
	error = 0;
unlock:
	cpus_read_unlock();
	return error;
}

/**
 * ex_hotplug_exit() - no longer follow CPU hotplug
 *
 * Context: Task, when there is no user left. Before ex_drain_exit().
 */
void ex_hotplug_exit(void)
{
	cpus_read_lock();
	cpuhp_remove_state_nocalls_cpuslocked(online_state);
	cpuhp_remove_state_nocalls_cpuslocked(prepare_state);
	cpus_read_unlock();
	/* Still there if a CPU was left half-way. */
	timer_delete_sync(&poll_timer);
}
