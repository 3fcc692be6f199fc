/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_DRAIN_H
#define _RUNDOWN_DRAIN_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

/*
 * The drain counts what is outstanding on a ref that is not live: the number held, shifted left by
 * @shift, and below it the number of those who have still to add what they found (their BIAS). So
 * zero means that nothing is held and nobody is about to add anything.
 */
#define EX_DRAIN_BIAS		1L

struct ex_drain_waiter {
	struct list_head entry;
	struct task_struct *task;
};

void ex_drain_release(atomic_long_t *outstanding, unsigned int shift, u32 count,
		      const void *ref, unsigned long caller);
long ex_drain_settle(atomic_long_t *outstanding, unsigned int shift, unsigned long held,
		     const void *ref, unsigned long caller);
void ex_drain_wake(atomic_long_t *outstanding);
void ex_drain_enlist(struct ex_drain_waiter *waiter);
void ex_drain_dismiss(struct ex_drain_waiter *waiter);
int ex_drain_init(void);
void ex_drain_exit(void);

/*
 * Sleep until @condition, which must read @outstanding with acquire order, so that what the holders
 * did is visible (pairs with the full order of their subtraction).
 *
 * Enlisted before the condition is looked at again: a deferred wake that did not find the waiter on
 * the list came before, and what it announces is seen.
 */
#define ex_drain_wait_event(outstanding, condition)				\
do {										\
	struct ex_drain_waiter __waiter;					\
										\
	might_sleep();								\
	if (condition)								\
		break;								\
	ex_drain_enlist(&__waiter);						\
	wait_var_event(outstanding, condition);					\
	ex_drain_dismiss(&__waiter);						\
} while (0)

#endif /* _RUNDOWN_DRAIN_H */
