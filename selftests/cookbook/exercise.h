/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What has the recipes run when they are loaded: threads that do the same over and over, and what
 * must be so in the end. No part of any recipe.
 */
#ifndef _COOKBOOK_EXERCISE_H
#define _COOKBOOK_EXERCISE_H

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/printk.h>

#define EXERCISE_THREADS	3
#define EXERCISE_PATIENCE	(60 * HZ)

struct exercise {
	void (*fn)(void *arg);
	void *arg;
	struct task_struct *threads[EXERCISE_THREADS];
};

static inline int exercise_thread(void *arg)
{
	struct exercise *exercise = arg;

	while (!kthread_should_stop()) {
		exercise->fn(exercise->arg);
		usleep_range(20, 60);
	}
	return 0;
}

/* When this returns no thread is in fn. Stopping twice, or what did not start, has no effect. */
static inline void exercise_stop(struct exercise *exercise)
{
	int i;

	for (i = 0; i < EXERCISE_THREADS; i++) {
		if (exercise->threads[i])
			kthread_stop(exercise->threads[i]);
		exercise->threads[i] = NULL;
	}
}

static inline int exercise_start(struct exercise *exercise)
{
	int i;

	for (i = 0; i < EXERCISE_THREADS; i++) {
		struct task_struct *thread = kthread_run(exercise_thread, exercise, "%s/%d",
							 KBUILD_MODNAME, i);

		if (IS_ERR(thread)) {
			exercise_stop(exercise);
			return PTR_ERR(thread);
		}
		exercise->threads[i] = thread;
	}
	return 0;
}

/* Have the threads at it until @count is @more than it was. */
static inline int exercise_more(const atomic_long_t *count, long more)
{
	unsigned long end = jiffies + EXERCISE_PATIENCE;

	more += atomic_long_read(count);
	while (atomic_long_read(count) < more) {
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		usleep_range(200, 400);
	}
	return 0;
}

static inline int exercise_failed(const char *condition)
{
	pr_err("%s: not so: %s\n", KBUILD_MODNAME, condition);
	return -EINVAL;
}

/* 0, or, with a line in the log, -EINVAL. */
#define expect(condition)	((condition) ? 0 : exercise_failed(#condition))

#endif /* _COOKBOOK_EXERCISE_H */
