// SPDX-License-Identifier: GPL-2.0
/* What is no ref: each line that says so must not compile. */
#include <linux/module.h>

#include <ex_rundown.h>
#include <ex_rundown_scope.h>

static const struct ex_rundown_ref constant;
static struct ex_rundown_ref *pointer;
static struct ex_rundown_work work;

static void __used wrong(void *anything, int *number)
{
	ex_rundown_release(anything);				/* refused */
	ex_rundown_release(number);				/* refused */
	ex_rundown_release(&pointer);				/* refused */
	ex_rundown_release(*pointer);				/* refused */
	ex_rundown_release(&constant);				/* refused */
	ex_rundown_release(NULL);				/* refused */
	ex_rundown_release_n(anything, 1);			/* refused */
	ex_rundown_wait(&work);					/* refused */
	ex_rundown_wait_cpuslocked(anything);			/* refused */
	ex_rundown_wait_timeout(anything, 1);			/* refused */
	ex_rundown_wait_many(pointer, 1);			/* refused */
	ex_rundown_start(anything);				/* refused */
	ex_rundown_completed(anything);				/* refused */
	ex_rundown_reinitialize(&constant);			/* refused */
	ex_rundown_reinitialize_cpuslocked(anything);		/* refused */
	ex_rundown_start_async(anything, &work, NULL);		/* refused */
	if (ex_rundown_acquire(number))				/* refused */
		return;
	if (ex_rundown_acquire_n(number, 1))			/* refused */
		return;
	if (ex_rundown_wait_killable(number))			/* refused */
		return;
	if (ex_rundown_wait_interruptible(number))		/* refused */
		return;
	if (ex_rundown_is_active(number))			/* refused */
		return;
	if (ex_rundown_is_complete(number))			/* refused */
		return;
	ex_with_rundown_protection(number, return)		/* refused */
		return;
}

MODULE_LICENSE("GPL");
