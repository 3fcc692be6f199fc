// SPDX-License-Identifier: GPL-2.0
/* Threads that acquire protection, and have timers, interrupts and work items do so. */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "stress.h"

/* How often in a row, where nothing else gets in the way meanwhile, and where it does. */
#define STRESS_BURST		200
#define STRESS_IRQ_OFF_BURST	20
#define STRESS_PINNED_BURSTS	20
/* Refused so often, the object is going, and to try on would only keep its holders from ending. */
#define STRESS_REFUSALS		10

/* Never with a CPU that may go away: on PREEMPT_RT the scheduler of 6.1 and 6.12 warns of that. */
static void move_away(u32 random)
{
	int cpu, n;

	if (!cpus_read_trylock())
		return;
	n = random % num_online_cpus();
	for_each_online_cpu(cpu)
		if (!n--)
			break;
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	cpus_read_unlock();
}

static void hold_and(struct stress_run *run, struct stress_place *place,
		     enum stress_context context, u32 random)
{
	struct stress_hold hold;

	if (!stress_acquire(run, place, stress_pick_count(run, random), context, &hold))
		return;
	stress_use(run, &hold);
	if (context == STRESS_SLEEP)
		usleep_range(50, 50 + random % 400);
	else
		move_away(random >> 8);
	stress_use(run, &hold);
	stress_release(run, &hold, context);
}

/* Once in a while twice at a time: it is recursive. */
static bool hold_briefly(struct stress_run *run, struct stress_place *place,
			 enum stress_context context, u32 random)
{
	struct stress_hold hold, second;

	if (!stress_acquire(run, place, stress_pick_count(run, random), context, &hold))
		return false;
	if (!(random >> 28) && stress_acquire(run, place, 1, context, &second)) {
		stress_use(run, &hold);
		stress_release(run, &second, context);
	} else {
		stress_use(run, &hold);
	}
	stress_release(run, &hold, context);
	return true;
}

static void hold_in_burst(struct stress_run *run, struct stress_place *place,
			  enum stress_context context, struct rnd_state *random, int times)
{
	int refused = 0;

	while (times-- && refused < STRESS_REFUSALS)
		if (!hold_briefly(run, place, context, prandom_u32_state(random)))
			refused++;
}

static struct stress_place *random_place(struct stress_run *run, struct rnd_state *random)
{
	return &run->places[prandom_u32_state(random) % run->settings.refs];
}

static void hold_pinned(struct stress_run *run, struct rnd_state *random)
{
	int bursts = STRESS_PINNED_BURSTS;

	migrate_disable();
	while (bursts-- && !stress_stopped(run)) {
		hold_in_burst(run, random_place(run, random), STRESS_PINNED, random, STRESS_BURST);
		cond_resched();
	}
	migrate_enable();
}

static void hold_somehow(struct stress_run *run, struct rnd_state *random,
			 enum stress_context context)
{
	struct stress_place *place = random_place(run, random);
	unsigned long flags;

	switch (context) {
	case STRESS_SLEEP:
	case STRESS_MIGRATE:
		hold_and(run, place, context, prandom_u32_state(random));
		break;
	case STRESS_PINNED:
		hold_pinned(run, random);
		break;
	case STRESS_PREEMPT_OFF:
		preempt_disable();
		hold_in_burst(run, place, context, random, STRESS_BURST);
		preempt_enable();
		break;
	case STRESS_IRQ_OFF:
		local_irq_save(flags);
		hold_in_burst(run, place, context, random, STRESS_IRQ_OFF_BURST);
		local_irq_restore(flags);
		break;
	default:
		stress_carry(run, place, context, random);
	}
}

static int holder_thread(void *arg)
{
	struct stress_holder *holder = arg;
	struct stress_run *run = holder->run;
	enum stress_context contexts[STRESS_CONTEXTS];
	unsigned int context, next, n = 0;

	for_each_set_bit(context, &run->settings.contexts, STRESS_CONTEXTS)
		contexts[n++] = context;
	/* In turn, from a start of its own: by chance, a slow machine would miss some. */
	next = (holder - run->holders) * n / run->settings.threads;
	while (!kthread_should_stop()) {
		if (stress_stopped(run)) {
			schedule_timeout_interruptible(1);
			continue;
		}
		hold_somehow(run, &holder->random, contexts[next++ % n]);
		cond_resched();
	}
	return 0;
}

int stress_holders_create(struct stress_run *run)
{
	struct task_struct *thread;
	unsigned int i;

	run->holders = kcalloc(run->settings.threads, sizeof(*run->holders), GFP_KERNEL);
	if (!run->holders)
		return -ENOMEM;
	for (i = 0; i < run->settings.threads; i++) {
		struct stress_holder *holder = &run->holders[i];

		holder->run = run;
		prandom_seed_state(&holder->random, run->settings.seed + i);
		thread = kthread_create(holder_thread, holder, "stress/holder%u", i);
		if (IS_ERR(thread))
			return PTR_ERR(thread);
		holder->thread = thread;
	}
	return 0;
}

void stress_holders_wake(struct stress_run *run)
{
	unsigned int i;

	for (i = 0; i < run->settings.threads; i++)
		wake_up_process(run->holders[i].thread);
}

void stress_holders_destroy(struct stress_run *run)
{
	unsigned int i;

	if (!run->holders)
		return;
	for (i = 0; i < run->settings.threads; i++)
		if (run->holders[i].thread)
			kthread_stop(run->holders[i].thread);
	kfree(run->holders);
	run->holders = NULL;
}
