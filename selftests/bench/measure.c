// SPDX-License-Identifier: GPL-2.0
/* Runs a subject's loops on threads, and times its run-downs. */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "measure.h"
#include "subject.h"

/* The scheduler, and RCU-tasks, get their turn after so many. */
#define CHUNK	1000UL
/* So many before the clock starts: a CPU that was idle is slow at first. */
#define WARM_UP	20000UL

/* Threads, from their creation to kthread_stop(). */
struct bench_threads {
	const struct bench_subject *subject;
	bool (*loop)(struct bench_object *object, unsigned long n);
	unsigned long n;	/* 0: until told to stop */
	atomic_t ready, running;
	bool go;
	unsigned int count;
	struct bench_thread *thread;
};

struct bench_thread {
	struct task_struct *task;
	struct bench_threads *all;
	struct bench_object *objects;
	unsigned int refs;
	int cpu;
	u64 ns;
	int error;
};

static void make_pairs(struct bench_thread *self)
{
	struct bench_threads *all = self->all;
	unsigned long left = all->n;
	u64 start;

	all->loop(self->objects, min(left, WARM_UP));
	start = ktime_get_ns();
	while (left && !kthread_should_stop()) {
		unsigned long n = min(left, CHUNK);

		if (!all->loop(self->objects, n))
			self->error = -EIO;
		left -= n;
		cond_resched_tasks_rcu_qs();
	}
	self->ns = ktime_get_ns() - start;
	if (left)
		self->error = -EINTR;
	/* Its CPU went off line, and it shares that of another. */
	if (raw_smp_processor_id() != self->cpu)
		self->error = -EAGAIN;
}

/* Refused while it is run down. */
static void hold_in_turn(struct bench_thread *self)
{
	unsigned int i = 0;

	while (!kthread_should_stop()) {
		self->all->loop(&self->objects[i], 1);
		i = (i + 1) % self->refs;
		cond_resched_tasks_rcu_qs();
	}
}

static int bench_thread(void *argument)
{
	struct bench_thread *self = argument;
	struct bench_threads *all = self->all;

	atomic_inc(&all->ready);
	/* Acquire: pairs with the release in start(). */
	while (!smp_load_acquire(&all->go) && !kthread_should_stop())
		cond_resched();

	if (all->n)
		make_pairs(self);
	else
		hold_in_turn(self);

	/* Release: pairs with the acquire in running(); the results are visible. */
	atomic_dec_return_release(&all->running);
	set_current_state(TASK_IDLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_IDLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static bool running(struct bench_threads *all)
{
	/* Acquire: pairs with the release in bench_thread(). */
	return atomic_read_acquire(&all->running);
}

static void stop(struct bench_threads *all)
{
	unsigned int i;

	for (i = 0; i < all->count; i++)
		kthread_stop(all->thread[i].task);
	kfree(all->thread);
}

/*
 * Start @count threads, each on an online CPU of its own, the last ones first, as the caller is
 * likely to run on one of the first. @own: each has one of @objects; else all have all @refs.
 */
static int start(struct bench_threads *all, unsigned int count, struct bench_object *objects,
		 unsigned int refs, bool own)
{
	int cpu = nr_cpu_ids;

	all->thread = kcalloc(count, sizeof(*all->thread), GFP_KERNEL);
	if (count && !all->thread)
		return -ENOMEM;
	atomic_set(&all->running, count);
	while (all->count < count) {
		struct bench_thread *thread = &all->thread[all->count];
		struct task_struct *task;

		do {
			cpu--;
		} while (cpu >= 0 && !cpu_online(cpu));
		if (cpu < 0) {
			stop(all);
			return -EINVAL;
		}
		thread->all = all;
		thread->objects = own ? &objects[all->count] : objects;
		thread->refs = own ? 1 : refs;
		thread->cpu = cpu;
		task = kthread_create(bench_thread, thread, "rundown_bench/%d", cpu);
		if (IS_ERR(task)) {
			stop(all);
			return PTR_ERR(task);
		}
		kthread_bind(task, cpu);
		thread->task = task;
		all->count++;
		wake_up_process(task);
	}
	while (atomic_read(&all->ready) < count)
		usleep_range(50, 100);
	/* Release: the threads see all that was set up. */
	smp_store_release(&all->go, true);
	return 0;
}

static void destroy(const struct bench_subject *subject, struct bench_object *objects,
		    unsigned int count)
{
	while (subject->destroy && count--)
		subject->destroy(&objects[count]);
	kvfree(objects);
}

static int create(const struct bench_subject *subject, struct bench_object **objects,
		  unsigned int count)
{
	unsigned int i;

	*objects = kvcalloc(count, sizeof(**objects), GFP_KERNEL);
	if (!*objects)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		int error = subject->create ? subject->create(&(*objects)[i]) : 0;

		if (error) {
			destroy(subject, *objects, i);
			return error;
		}
	}
	return 0;
}

/**
 * bench_measure_loop() - time acquires
 * @what:   which
 * @result: gets a sample for each thread: how long it took
 *
 * Return: 0; -EINVAL if the subject has no such loop, or for more threads than CPUs; -ENOMEM;
 * -EBUSY if there are no more objects of that subject; -EIO if an acquire was granted or refused
 * that should not have been; -EAGAIN if a CPU went off line; -EINTR.
 */
int bench_measure_loop(const struct bench_loop *what, struct bench_result *result)
{
	const struct bench_subject *subject = what->subject;
	unsigned int count = what->own ? what->threads : 1;
	struct bench_threads all = {
		.subject = subject,
		.loop = what->refused ? subject->refused : subject->pairs,
		.n = what->n,
	};
	struct bench_object *objects;
	unsigned int i;
	int error;

	if (!all.loop)
		return -EINVAL;
	error = create(subject, &objects, count);
	if (error)
		return error;
	for (i = 0; what->refused && i < count; i++)
		subject->refuse(&objects[i]);

	error = start(&all, what->threads, objects, 1, what->own);
	if (!error) {
		while (running(&all) && !signal_pending(current))
			usleep_range(500, 1000);
		if (signal_pending(current))
			error = -EINTR;
		for (i = 0; i < all.count && !running(&all); i++) {
			result->samples[result->count++] = all.thread[i].ns;
			error = error ?: all.thread[i].error;
		}
		stop(&all);
	}

	for (i = 0; what->refused && i < count; i++)
		subject->admit(&objects[i]);
	destroy(subject, objects, count);
	return error;
}

/**
 * bench_measure_down() - time run-downs
 * @what:   which
 * @result: gets its samples: how long it took to run all refs down
 *
 * Return: as bench_measure_loop().
 */
int bench_measure_down(const struct bench_down *what, struct bench_result *result)
{
	const struct bench_subject *subject = what->subject;
	struct bench_threads holders = { .subject = subject, .loop = subject->pairs };
	struct bench_object *objects;
	unsigned int i;
	int error;

	if (!subject->down || (what->holders && !subject->pairs))
		return -EINVAL;
	error = create(subject, &objects, what->refs);
	if (error)
		return error;
	error = start(&holders, what->holders, objects, what->refs, false);
	if (error) {
		destroy(subject, objects, what->refs);
		return error;
	}

	while (!error && result->count < what->samples) {
		u64 begin;

		/* Let the holders run, or the CPUs fall idle. */
		usleep_range(200, 400);
		begin = ktime_get_ns();
		for (i = 0; i < what->refs && !fatal_signal_pending(current); i++)
			subject->down(&objects[i]);
		result->samples[result->count++] = ktime_get_ns() - begin;
		while (subject->up && i--)
			subject->up(&objects[i]);
		if (subject->settle)
			subject->settle();
		if (signal_pending(current))
			error = -EINTR;
	}

	stop(&holders);
	destroy(subject, objects, what->refs);
	return error;
}
