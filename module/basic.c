// SPDX-License-Identifier: GPL-2.0
/*
 * The basic ref: two words.
 *
 * While the ref is live, the first word is the number held, and the second is zero. The wait
 * exchanges the first for EX_RUNDOWN_DEAD, once and for all waiters, and moves what it found to the
 * second, which the releases that find the ref dead count down. Between the exchange and the
 * addition the second word would be too low, and an early release might take it to zero; so each
 * waiter first adds a BIAS to it, which it takes away together with the addition:
 *
 *	wait:		A: outstanding += BIAS		release:  D: count is dead
 *			B: held = xchg(count, DEAD)		  E: outstanding -= 1, zero: wake
 *			C: outstanding += held - BIAS
 *
 * B is fully ordered, and so keeps A before it; D is an acquire: who finds count dead finds the
 * BIAS, or C.
 *
 * Refused acquires add to a dead count and leave it so. The slow path puts it back into the middle
 * of the dead zone long before its end.
 */
/* The generic names would take the place of the functions that are defined here. */
#define EX_RUNDOWN_NO_GENERIC

#include <linux/bits.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/threads.h>

#include "drain.h"
#include "events.h"
#include "ex_rundown.h"
#include "misuse.h"
#include "scope.h"
#include "slot.h"

/*
 * Below the number held there must be room for the BIAS of everybody that can be in the step at
 * once: it runs with preemption off, so a task, a softirq, a hardirq and an NMI a CPU.
 */
#if BITS_PER_LONG == 64
#define EX_BASIC_SHIFT		16
#else
#define EX_BASIC_SHIFT		9
#endif

/*
 * outstanding can hold twice EX_RUNDOWN_MAX_HELD. The other half is for acquires of too many that
 * have not been given back yet when a wait exchanges the count.
 */
#define EX_BASIC_COUNTABLE	(LONG_MAX >> EX_BASIC_SHIFT)

/* @now is dead, from refused acquires. If somebody else has changed it, that is fine, too. */
static void ex_basic_recentre(struct ex_rundown_ref *ref, long now)
{
	if (unlikely(now - EX_RUNDOWN_DEAD > -EX_RUNDOWN_DEAD / 4))
		atomic_long_cmpxchg_relaxed(&ref->count, now, EX_RUNDOWN_DEAD);
}

/* Live, and granted more than can be counted: give that back. The ref may be dead by now. */
static void ex_basic_overflow(struct ex_rundown_ref *ref, u32 count, unsigned long caller)
{
	__ex_release_rundown_protection(ref, count, caller);
	ex_rundown_report(EX_MISUSE_ACQUIRE_OVERFLOW, ref, caller);
}

/* The in-line acquire came out negative. */
bool __ex_acquire_rundown_protection(struct ex_rundown_ref *ref, unsigned long caller)
{
	long now = atomic_long_read(&ref->count);

	if (ex_count_dead(now))
		ex_basic_recentre(ref, now);
	else if (now < 0)
		ex_basic_overflow(ref, 1, caller);
	return ex_refused(ref, caller);
}
EXPORT_SYMBOL_GPL(__ex_acquire_rundown_protection);

/* The in-line acquire came to @now, or did nothing because @count is not valid. */
bool __ex_acquire_rundown_protection_ex(struct ex_rundown_ref *ref, u32 count, long now,
					unsigned long caller)
{
	if (count - 1 >= EX_RUNDOWN_MAX_COUNT)
		ex_rundown_report(EX_MISUSE_ACQUIRE_COUNT, ref, caller);
	else if (ex_count_dead(now))
		ex_basic_recentre(ref, now);
	else
		ex_basic_overflow(ref, count, caller);
	return ex_refused(ref, caller);
}
EXPORT_SYMBOL_GPL(__ex_acquire_rundown_protection_ex);

/* The in-line release changed nothing: not as much there, or not live, or @count is not valid. */
void __ex_release_rundown_protection(struct ex_rundown_ref *ref, u32 count, unsigned long caller)
{
	long old;

	if (count - 1 >= EX_RUNDOWN_MAX_COUNT) {
		ex_rundown_report(EX_MISUSE_RELEASE_COUNT, ref, caller);
		return;
	}

	/*
	 * A reading decides whether there is as much. If the protection was handed over by no more
	 * than a flag that was seen set, only this makes the reading come after that.
	 */
	smp_rmb();
	old = atomic_long_read(&ref->count);
	do {
		if (ex_count_dead(old)) {
			/* D: reads count before outstanding; pairs with A and B. */
			smp_acquire__after_ctrl_dep();
			ex_drain_release(&ref->outstanding, EX_BASIC_SHIFT, count, ref, caller);
			return;
		}
		/* Unsigned: a live count whose sign turned is more than enough. */
		if ((unsigned long)old < count) {
			ex_rundown_report(EX_MISUSE_RELEASE_TOO_MANY, ref, caller);
			return;
		}
		/* Release, as in-line. */
	} while (!atomic_long_try_cmpxchg_release(&ref->count, &old, old - count));
}
EXPORT_SYMBOL_GPL(__ex_release_rundown_protection);

/* Acquires are refused from here on. Return what is outstanding, for what that is worth by then. */
static long ex_basic_start(struct ex_rundown_ref *ref, unsigned long caller)
{
	unsigned long held = 0;
	long old, left;

	BUILD_BUG_ON(4 * NR_CPUS >= 1 << EX_BASIC_SHIFT);
	BUILD_BUG_ON(EX_BASIC_COUNTABLE / 2 != EX_RUNDOWN_MAX_HELD);

	if (ex_count_dead(atomic_long_read_acquire(&ref->count)))
		return atomic_long_read_acquire(&ref->outstanding);

	preempt_disable();
	atomic_long_add(EX_DRAIN_BIAS, &ref->outstanding);	/* A */
	old = atomic_long_xchg(&ref->count, EX_RUNDOWN_DEAD);		/* B */
	if (!ex_count_dead(old)) {
		held = old;
		ex_count(EX_COUNT_RUNDOWNS, 1);
		ex_trace(harvest, ref, -1, held);
	}
	if (unlikely(held > EX_BASIC_COUNTABLE)) {
		/* Better a wait that does not end than one that ends too early: keep the BIAS. */
		ex_rundown_report(EX_MISUSE_WAIT_OVERFLOW, ref, caller);
		atomic_long_add(EX_RUNDOWN_MAX_HELD << EX_BASIC_SHIFT, &ref->outstanding);
		left = EX_DRAIN_BIAS;
	} else {
		/* C */
		left = ex_drain_settle(&ref->outstanding, EX_BASIC_SHIFT, held, ref, caller);
	}
	preempt_enable();

	if (!left)
		ex_drain_wake(&ref->outstanding);
	return left;
}

static long ex_basic_wait(struct ex_rundown_ref *ref, struct ex_drain_patience patience,
			  unsigned long caller)
{
	long left = patience.timeout ?: 1;
	u64 begun;

	might_sleep();
	begun = ex_drain_wait_begin(ref, patience, caller);
	if (ex_basic_start(ref, caller))
		left = ex_drain_wait_event(ref, EX_BASIC_SHIFT,
					   !atomic_long_read_acquire(&ref->outstanding), patience,
					   caller);
	return ex_drain_wait_end(ref, begun, left, caller);
}

/**
 * ex_wait_for_rundown_protection_release() - run the object down
 * @ref: the ref
 *
 * From the call on, acquires are refused; on return, all that had been granted are released. No
 * effect on a ref that is run down. Several may wait at once, each returns; freeing the ref, or
 * reinitializing it, is for after all of them have.
 *
 * A function of the caller's module that has released may still be executing its last instructions
 * when the wait returns. Before that module's text goes away, wait for it as after complete():
 * flush the workqueue, cancel the timer, synchronize_rcu() for interrupts.
 *
 * Stands for ExWaitForRundownProtectionRelease.
 *
 * Context: Task. May sleep, uninterruptibly, as long as there are holders; with a mutex held, too,
 * unless a holder wants that mutex.
 */
void ex_wait_for_rundown_protection_release(struct ex_rundown_ref *ref)
{
	ex_basic_wait(ref, EX_DRAIN_FOREVER, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_wait_for_rundown_protection_release);

/**
 * ex_rundown_wait_timeout() - run the object down, or give up waiting
 * @ref:     the ref
 * @timeout: in jiffies; more than LONG_MAX is for ever
 *
 * As ex_wait_for_rundown_protection_release(), but returns after @timeout even if there are
 * holders. Then the object is still running down: acquires are refused, and waiting again
 * continues.
 *
 * Context: Task. May sleep, uninterruptibly.
 * Return: 0 if the time is up and protection is still held; else the jiffies left, at least 1.
 */
unsigned long ex_rundown_wait_timeout(struct ex_rundown_ref *ref, unsigned long timeout)
{
	return ex_basic_wait(ref, ex_drain_timeout(timeout), _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_rundown_wait_timeout);

/**
 * ex_rundown_wait_killable() - run the object down, or be killed waiting
 * @ref: the ref
 *
 * As ex_wait_for_rundown_protection_release(), but a fatal signal ends the wait. Then the object is
 * still running down: acquires are refused, and waiting again continues.
 *
 * Context: Task. May sleep.
 * Return: 0 if it is run down, -ERESTARTSYS if a signal came before.
 */
int ex_rundown_wait_killable(struct ex_rundown_ref *ref)
{
	return min(ex_basic_wait(ref, EX_DRAIN_KILLABLE, _RET_IP_), 0L);
}
EXPORT_SYMBOL_GPL(ex_rundown_wait_killable);

/**
 * ex_rundown_wait_interruptible() - run the object down, or be interrupted
 * @ref: the ref
 *
 * As ex_rundown_wait_killable(), for any signal.
 *
 * Context: Task. May sleep.
 * Return: 0 if it is run down, -ERESTARTSYS if a signal came before.
 */
int ex_rundown_wait_interruptible(struct ex_rundown_ref *ref)
{
	return min(ex_basic_wait(ref, EX_DRAIN_INTERRUPTIBLE, _RET_IP_), 0L);
}
EXPORT_SYMBOL_GPL(ex_rundown_wait_interruptible);

/**
 * ex_rundown_wait_many() - run many objects down
 * @refs:  the refs; one may be in it more than once
 * @count: how many
 *
 * As ex_wait_for_rundown_protection_release() on each, but all of them refuse acquires before the
 * first is waited for.
 *
 * Context: Task. May sleep, uninterruptibly, as long as there are holders.
 */
void ex_rundown_wait_many(struct ex_rundown_ref **refs, size_t count)
{
	size_t i;

	might_sleep();
	for (i = 0; i < count; i++)
		ex_basic_start(refs[i], _RET_IP_);
	for (i = 0; i < count; i++)
		ex_basic_wait(refs[i], EX_DRAIN_FOREVER, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_rundown_wait_many);

/**
 * ex_rundown_start() - refuse acquires from now on, and do not wait
 * @ref: the ref
 *
 * The first half of a wait: the object is running down, or, if nobody holds it, run down. A wait is
 * still needed before it is freed, unless ex_rundown_is_complete() says so.
 *
 * Context: Any, NMI included. Does not sleep.
 */
void ex_rundown_start(struct ex_rundown_ref *ref)
{
	ex_basic_start(ref, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_rundown_start);

/* See ex_rundown_start_async(). */
void __ex_rundown_start_async(struct ex_rundown_ref *ref, struct ex_rundown_work *work,
			      void (*fn)(struct ex_rundown_work *work), struct module *owner)
{
	ex_drain_async_init(work, EX_DRAIN_WAIT(ref, EX_BASIC_SHIFT, _RET_IP_), 0, fn, owner);
	ex_basic_start(ref, _RET_IP_);
	ex_drain_async(work);
}
EXPORT_SYMBOL_GPL(__ex_rundown_start_async);

/**
 * ex_rundown_is_active() - are acquires refused?
 * @ref: the ref
 *
 * Context: Any. Does not sleep.
 * Return: true from the begin of a run-down until the ref is reinitialized.
 */
bool ex_rundown_is_active(const struct ex_rundown_ref *ref)
{
	return ex_count_dead(atomic_long_read(&ref->count));
}
EXPORT_SYMBOL_GPL(ex_rundown_is_active);

/**
 * ex_rundown_is_complete() - would a wait return at once?
 * @ref: the ref
 *
 * What the holders did to the object is visible to the caller if so.
 *
 * Context: Any. Does not sleep.
 * Return: true if the ref is run down: acquires are refused, and nobody holds protection.
 */
bool ex_rundown_is_complete(const struct ex_rundown_ref *ref)
{
	/* In that order, as a release: who finds count dead finds the BIAS, or what was found. */
	if (!ex_count_dead(atomic_long_read_acquire(&ref->count)) ||
	    atomic_long_read_acquire(&ref->outstanding))
		return false;
	/* It may be freed without a wait then. */
	ex_scope_forget(ref);
	return true;
}
EXPORT_SYMBOL_GPL(ex_rundown_is_complete);

/**
 * ex_rundown_completed() - declare an object run down that nobody holds
 * @ref: the ref
 *
 * As a wait that has nothing to wait for. Right after ex_initialize_rundown_protection(), it makes
 * a ref that starts run down and is opened by ex_reinitialize_rundown_protection().
 *
 * If there are holders, it warns, naming the caller, and they stay accounted for: acquires are
 * refused, and a wait waits for them.
 *
 * Stands for ExRundownCompleted.
 *
 * Context: Task. Does not sleep.
 */
void ex_rundown_completed(struct ex_rundown_ref *ref)
{
	long left = ex_basic_start(ref, _RET_IP_);

	if (left >> EX_BASIC_SHIFT > 0)
		ex_rundown_report(EX_MISUSE_COMPLETED_HELD, ref, _RET_IP_);
	else if (!left)
		__ex_rundown_forget(ref);
}
EXPORT_SYMBOL_GPL(ex_rundown_completed);

/**
 * ex_reinitialize_rundown_protection() - open a run-down object again
 * @ref: the ref
 *
 * The ref must be run down, and all waits on it must have returned. What was written to the object
 * before is visible to who acquires protection after.
 *
 * If it is not run down: refused with a warning that names the caller. Of two calls at once one is
 * refused so.
 *
 * Stands for ExReInitializeRundownProtection.
 *
 * Context: Task. Does not sleep.
 */
void ex_reinitialize_rundown_protection(struct ex_rundown_ref *ref)
{
	bool claimed, won = false;
	long old, out, left = 0;

	/*
	 * Claim the ref by a BIAS: until that is taken away, no other reinitialize passes and no
	 * wait returns. A dead count alone does not tell the end of this life from the last one's.
	 * Once more if there is nothing but the BIAS of others: they are soon through.
	 */
	do {
		cpu_relax();
		preempt_disable();
		out = atomic_long_cmpxchg(&ref->outstanding, 0, EX_DRAIN_BIAS);
		claimed = !out;
		old = atomic_long_read_acquire(&ref->count);
		if (claimed) {
			/*
			 * If a wait made the count dead since the claim, its BIAS or what it found
			 * is visible after the acquire (pairs with A and B). Dead stays dead now.
			 */
			out = atomic_long_read(&ref->outstanding) - EX_DRAIN_BIAS;
			if (!out && ex_count_dead(old))
				__ex_rundown_forget(ref);
			/* Refused acquires change a dead count. Release: pairs with acquire. */
			while (!out && !won && ex_count_dead(old))
				won = atomic_long_try_cmpxchg_release(&ref->count, &old, 0);
			left = ex_drain_settle(&ref->outstanding, EX_BASIC_SHIFT, 0, ref,
					       _RET_IP_);
		}
		preempt_enable();
		/* A wait may have met the BIAS. */
		if (claimed && !left)
			ex_drain_wake(&ref->outstanding);
	} while (!won && ex_count_dead(old) && !(out >> EX_BASIC_SHIFT));

	if (!won)
		ex_rundown_report(EX_MISUSE_REINITIALIZE, ref, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_reinitialize_rundown_protection);
