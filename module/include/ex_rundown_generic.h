/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One name for both kinds of ref.
 *
 * Each macro calls the function for the kind of ref that it is given, so a driver goes from one
 * kind to the other by changing the declaration:
 *
 *	ex_rundown_acquire(ref)		ex_acquire_rundown_protection(ref)
 *					ex_acquire_rundown_protection_cache_aware(ref)
 *
 * The choice is made at compile time and costs nothing. What is not a pointer to a ref does not
 * compile. A name that is also a function's can be used without parentheses for the basic kind's
 * function, for example to take its address.
 *
 * Included by <ex_rundown.h>, unless EX_RUNDOWN_NO_GENERIC is defined before.
 */
#ifndef _EX_RUNDOWN_GENERIC_H
#define _EX_RUNDOWN_GENERIC_H

#define __EX_RUNDOWN_OF(ref, basic, cache_aware)			\
	_Generic((ref),							\
		 struct ex_rundown_ref *: basic,			\
		 struct ex_rundown_ref_cache_aware *: cache_aware)

/* For functions that change nothing. */
#define __EX_RUNDOWN_OF_CONST(ref, basic, cache_aware)			\
	_Generic((ref),							\
		 struct ex_rundown_ref *: basic,			\
		 const struct ex_rundown_ref *: basic,			\
		 struct ex_rundown_ref_cache_aware *: cache_aware,	\
		 const struct ex_rundown_ref_cache_aware *: cache_aware)

/**
 * ex_rundown_acquire() - try to acquire protection
 * @ref: the ref of the object to be used, of either kind
 *
 * See ex_acquire_rundown_protection() and ex_acquire_rundown_protection_cache_aware().
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 * Return: true if granted: the object is safe to use until the release. false if the object is
 * running down or run down, and must not be touched.
 */
#define ex_rundown_acquire(ref)						\
	__EX_RUNDOWN_OF(ref, ex_acquire_rundown_protection,		\
			ex_acquire_rundown_protection_cache_aware)(ref)

/**
 * ex_rundown_acquire_n() - try to acquire protection several times over
 * @ref:   the ref of the object to be used, of either kind
 * @count: how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * See ex_acquire_rundown_protection_ex() and ex_acquire_rundown_protection_cache_aware_ex().
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 * Return: true if all are granted, false if none is.
 */
#define ex_rundown_acquire_n(ref, count)				\
	__EX_RUNDOWN_OF(ref, ex_acquire_rundown_protection_ex,		\
			ex_acquire_rundown_protection_cache_aware_ex)(ref, count)

/**
 * ex_rundown_release() - release protection
 * @ref: the ref it was acquired on, of either kind
 *
 * See ex_release_rundown_protection() and ex_release_rundown_protection_cache_aware().
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 */
#define ex_rundown_release(ref)						\
	__EX_RUNDOWN_OF(ref, ex_release_rundown_protection,		\
			ex_release_rundown_protection_cache_aware)(ref)

/**
 * ex_rundown_release_n() - release protection several times over
 * @ref:   the ref it was acquired on, of either kind
 * @count: how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * See ex_release_rundown_protection_ex() and ex_release_rundown_protection_cache_aware_ex().
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 */
#define ex_rundown_release_n(ref, count)				\
	__EX_RUNDOWN_OF(ref, ex_release_rundown_protection_ex,		\
			ex_release_rundown_protection_cache_aware_ex)(ref, count)

/**
 * ex_rundown_wait() - run the object down
 * @ref: the ref, of either kind
 *
 * See ex_wait_for_rundown_protection_release() and
 * ex_wait_for_rundown_protection_release_cache_aware().
 *
 * Context: Task. May sleep, uninterruptibly, as long as there are holders. For a cache-aware ref
 * not with cpus_read_lock() held, nor from a CPU hotplug callback: there,
 * ex_rundown_wait_cpuslocked().
 */
#define ex_rundown_wait(ref)						\
	__EX_RUNDOWN_OF(ref, ex_wait_for_rundown_protection_release,	\
			ex_wait_for_rundown_protection_release_cache_aware)(ref)

/**
 * ex_rundown_wait_cpuslocked() - run the object down, with cpus_read_lock() held
 * @ref: the ref, of either kind
 *
 * See ex_rundown_wait_cache_aware_cpuslocked(). A basic ref does not mind that lock.
 *
 * Context: Task, with cpus_read_lock() held. May sleep, uninterruptibly.
 */
#define ex_rundown_wait_cpuslocked(ref)					\
	__EX_RUNDOWN_OF(ref, ex_wait_for_rundown_protection_release,	\
			ex_rundown_wait_cache_aware_cpuslocked)(ref)

/**
 * ex_rundown_wait_timeout() - run the object down, or give up waiting
 * @ref:     the ref, of either kind
 * @timeout: in jiffies; more than LONG_MAX is for ever
 *
 * Context: Task. May sleep, uninterruptibly.
 * Return: 0 if the time is up and protection is still held; else the jiffies left, at least 1.
 */
#define ex_rundown_wait_timeout(ref, timeout)				\
	__EX_RUNDOWN_OF(ref, ex_rundown_wait_timeout,			\
			ex_rundown_wait_timeout_cache_aware)(ref, timeout)

/**
 * ex_rundown_wait_killable() - run the object down, or be killed waiting
 * @ref: the ref, of either kind
 *
 * Context: Task. May sleep.
 * Return: 0 if it is run down, -ERESTARTSYS if a fatal signal came before, -EINVAL if a cache-aware
 * ref was never initialized.
 */
#define ex_rundown_wait_killable(ref)					\
	__EX_RUNDOWN_OF(ref, ex_rundown_wait_killable,			\
			ex_rundown_wait_killable_cache_aware)(ref)

/**
 * ex_rundown_wait_interruptible() - run the object down, or be interrupted
 * @ref: the ref, of either kind
 *
 * Context: Task. May sleep.
 * Return: 0 if it is run down, -ERESTARTSYS if a signal came before, -EINVAL if a cache-aware ref
 * was never initialized.
 */
#define ex_rundown_wait_interruptible(ref)				\
	__EX_RUNDOWN_OF(ref, ex_rundown_wait_interruptible,		\
			ex_rundown_wait_interruptible_cache_aware)(ref)

/**
 * ex_rundown_wait_many() - run many objects down
 * @refs:  an array of pointers to refs, all of one kind; one may be in it more than once
 * @count: how many
 *
 * All of them refuse acquires before the first is waited for. See
 * ex_rundown_wait_many_cache_aware().
 *
 * Context: As ex_rundown_wait().
 */
#define ex_rundown_wait_many(refs, count)				\
	_Generic((refs),						\
		 struct ex_rundown_ref **:				\
			ex_rundown_wait_many,				\
		 struct ex_rundown_ref_cache_aware **:			\
			ex_rundown_wait_many_cache_aware)(refs, count)

/**
 * ex_rundown_start() - refuse acquires from now on, and do not wait for holders
 * @ref: the ref, of either kind
 *
 * Context: A basic ref: any, NMI included; does not sleep. A cache-aware ref: task; may sleep.
 */
#define ex_rundown_start(ref)						\
	__EX_RUNDOWN_OF(ref, ex_rundown_start, ex_rundown_start_cache_aware)(ref)

/**
 * ex_rundown_start_async() - run the object down, and have a function called when it is
 * @ref:  the ref, of either kind
 * @work: the caller's, for this run-down alone; not on the stack; need not be initialized
 * @fn:   called once, by a workqueue, when nobody holds protection any more
 *
 * Acquires are refused from the call on. The pending call counts as a wait: the ref must stay until
 * @fn is called, and must not be reinitialized before. @fn may free the ref and @work, and may
 * sleep. The call can't be cancelled. If a cache-aware ref was never initialized, @fn is not
 * called.
 *
 * @fn must belong to the calling module, which stays loaded until @fn has returned. A module that
 * is already being unloaded, or whose init fails, can't be held: it calls
 * ex_rundown_async_barrier().
 *
 * A holder's release returns after @fn may have been called. So when @fn runs, a function that has
 * released may still be executing its last instructions: before the text that it is in goes away,
 * wait for it as after complete().
 *
 * The functions of all modules share a workqueue. One that sleeps long may delay others, so none
 * may wait for another. The workqueue has no %WQ_MEM_RECLAIM: reclaiming memory must not depend on
 * such a function.
 *
 * Context: A basic ref: any but NMI, and without the lock of a run queue, of a worker pool or of
 * timers, which some tracepoints are called with; does not sleep. A cache-aware ref: task; may
 * sleep.
 */
#define ex_rundown_start_async(ref, work, fn)				\
	__EX_RUNDOWN_OF(ref, __ex_rundown_start_async,			\
			__ex_rundown_start_async_cache_aware)(ref, work, fn, THIS_MODULE)

/**
 * ex_rundown_completed() - declare an object run down that nobody holds
 * @ref: the ref, of either kind
 *
 * Context: Task. A cache-aware ref: may sleep.
 */
#define ex_rundown_completed(ref)					\
	__EX_RUNDOWN_OF(ref, ex_rundown_completed, ex_rundown_completed_cache_aware)(ref)

/**
 * ex_rundown_reinitialize() - open a run-down object again
 * @ref: the ref, of either kind
 *
 * See ex_reinitialize_rundown_protection() and ex_reinitialize_rundown_protection_cache_aware().
 *
 * Context: Task. A cache-aware ref: may sleep; not with cpus_read_lock() held.
 */
#define ex_rundown_reinitialize(ref)					\
	__EX_RUNDOWN_OF(ref, ex_reinitialize_rundown_protection,	\
			ex_reinitialize_rundown_protection_cache_aware)(ref)

/**
 * ex_rundown_reinitialize_cpuslocked() - open a run-down object again, with cpus_read_lock() held
 * @ref: the ref, of either kind
 *
 * Context: Task, with cpus_read_lock() held. A cache-aware ref: may sleep.
 */
#define ex_rundown_reinitialize_cpuslocked(ref)				\
	__EX_RUNDOWN_OF(ref, ex_reinitialize_rundown_protection,	\
			ex_rundown_reinitialize_cache_aware_cpuslocked)(ref)

/**
 * ex_rundown_is_active() - are acquires refused?
 * @ref: the ref, of either kind
 *
 * Context: Any. Does not sleep.
 * Return: true from the start of a run-down until the ref is reinitialized.
 */
#define ex_rundown_is_active(ref)					\
	__EX_RUNDOWN_OF_CONST(ref, ex_rundown_is_active, ex_rundown_is_active_cache_aware)(ref)

/**
 * ex_rundown_is_complete() - would a wait return at once?
 * @ref: the ref, of either kind
 *
 * Context: Any. Does not sleep.
 * Return: true if the ref is run down: acquires are refused, and nobody holds protection.
 */
#define ex_rundown_is_complete(ref)					\
	__EX_RUNDOWN_OF_CONST(ref, ex_rundown_is_complete,		\
			      ex_rundown_is_complete_cache_aware)(ref)

#endif /* _EX_RUNDOWN_GENERIC_H */
