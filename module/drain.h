/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_DRAIN_H
#define _RUNDOWN_DRAIN_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "ex_rundown.h"

/*
 * The drain counts what is outstanding on a ref that is not live: the number held, shifted left by
 * @shift, and below it the number of those who have still to add what they found (their BIAS). So
 * zero means that nothing is held and nobody is about to add anything.
 */
#define EX_DRAIN_BIAS		1L

/* A task that waits. */
struct ex_drain_waiter {
	struct list_head entry;
	struct ex_rundown_wait wait;
	u64 begun;			/* ns */
};

void ex_drain_release(atomic_long_t *outstanding, unsigned int shift, u32 count,
		      const void *ref, unsigned long caller);
long ex_drain_settle(atomic_long_t *outstanding, unsigned int shift, unsigned long held,
		     const void *ref, unsigned long caller);
void ex_drain_wake(atomic_long_t *outstanding);
void ex_drain_wake_missing(void);
void ex_drain_enlist(struct ex_drain_waiter *waiter);
void ex_drain_walk_waits(void (*fn)(struct ex_rundown_wait *wait, void *arg), void *arg);
void ex_drain_dismiss(struct ex_drain_waiter *waiter);
void ex_drain_async_init(struct ex_rundown_work *async, struct ex_rundown_wait wait, long token,
			 void (*fn)(struct ex_rundown_work *work), struct module *owner);
void ex_drain_async(struct ex_rundown_work *work);
int ex_drain_init(void);
void ex_drain_exit(void);

/* How long to wait: until then, or until a signal comes that @state is open to. */
struct ex_drain_patience {
	unsigned int state;
	long timeout;
};

#define EX_DRAIN_FOREVER	\
	((struct ex_drain_patience){ TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT })
#define EX_DRAIN_KILLABLE	\
	((struct ex_drain_patience){ TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT })
#define EX_DRAIN_INTERRUPTIBLE	\
	((struct ex_drain_patience){ TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT })

static inline struct ex_drain_patience ex_drain_timeout(unsigned long timeout)
{
	return (struct ex_drain_patience){ TASK_UNINTERRUPTIBLE,
					   min_t(unsigned long, timeout, MAX_SCHEDULE_TIMEOUT) };
}

u64 ex_drain_wait_begin(const void *ref, struct ex_drain_patience patience, unsigned long caller);
long ex_drain_wait_end(const void *ref, u64 begun, long left, unsigned long caller);

#define EX_DRAIN_WAIT(ref, shift, caller)	\
	((struct ex_rundown_wait){ ref, caller, &(ref)->outstanding, shift })

/*
 * Sleep until @condition, which must read outstanding with acquire order, so that what the holders
 * did is visible (pairs with the full order of their subtraction).
 *
 * Enlisted before the condition is looked at again: a deferred wake that did not find the waiter on
 * the list came before, and what it announces is seen.
 *
 * Returns the jiffies that are left, 1 at least, if the condition is true; 0 after the time;
 * -ERESTARTSYS after a signal.
 */
#define ex_drain_wait_event(ref, shift, condition, patience, caller)		\
({										\
	struct ex_drain_patience __patience = (patience);			\
	struct ex_drain_waiter __waiter = {					\
		.wait = EX_DRAIN_WAIT(ref, shift, caller),			\
	};									\
	bool __through;								\
	long __left;								\
										\
	might_sleep();								\
	__through = (condition);						\
	__left = __through ? __patience.timeout ?: 1 : 0;			\
	if (!__through && __patience.timeout) {					\
		ex_drain_enlist(&__waiter);					\
		__left = ___wait_var_event(&(ref)->outstanding,			\
					   ___wait_cond_timeout(condition),	\
					   __patience.state, 0,			\
					   __patience.timeout,			\
					   __ret = schedule_timeout(__ret));	\
		ex_drain_dismiss(&__waiter);					\
	}									\
	__left;									\
})

#endif /* _RUNDOWN_DRAIN_H */
