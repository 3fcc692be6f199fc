// SPDX-License-Identifier: GPL-2.0
/*
 * From the wait to the last release: counting down what is outstanding, and waking who waits.
 *
 * The last release may come in any context, but wake_up_var() takes a spinlock_t: not in NMI, not
 * where PREEMPT_RT makes that a sleeping lock, not under a raw lock, and not with the run queue's
 * lock held, say in a tracepoint. All of these are not preemptible. So where the releaser is
 * preemptible it wakes directly, and everywhere else, once a run-down, it queues an irq_work that
 * wakes all waiters to look again. A CPU that is going offline or coming online does not run
 * irq_work: there wake_missing is set, and hotplug.c has the waiters woken. The releaser reads
 * nothing of the ref after its subtraction, and these never do: the waiters, whose entries lie on
 * their stacks, know what they wait for.
 */
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "drain.h"
#include "events.h"
#include "misuse.h"
#include "scope.h"
#include "track.h"
#include "watch.h"

static DEFINE_RAW_SPINLOCK(waiters_lock);
static LIST_HEAD(waiters);
static struct workqueue_struct *async_queue;
static DECLARE_WAIT_QUEUE_HEAD(async_called);
/* So many calls have been asked for; wraps around. Written with the lock of the call's home. */
static atomic_t async_added;

/*
 * Those who are to be called, by hash of the address that they look at; and those who are being
 * called, or will be at once.
 */
#define EX_ASYNC_SHIFT	6

static struct ex_async_home {
	raw_spinlock_t lock;
	struct list_head asyncs, running;
} async_homes[1 << EX_ASYNC_SHIFT];

static struct ex_async_home *ex_async_home(const atomic_long_t *outstanding)
{
	return &async_homes[hash_ptr(outstanding, EX_ASYNC_SHIFT)];
}

/* With the home's lock held. Whoever finds that there is nothing left to wait for takes it off. */
static void ex_drain_async_look(struct ex_async_home *home, struct ex_rundown_work *async)
{
	/* Acquire: what the holders did is visible to fn, which is called by way of the lock. */
	long left = atomic_long_read_acquire(async->wait.outstanding);

	/* A token that is there again says that it was zero in between. */
	if (!left || left & async->token) {
		list_move_tail(&async->call.entry, &home->running);
		queue_work(async_queue, &async->work);
	}
}

static void ex_drain_wake_asyncs(struct ex_async_home *home)
{
	struct ex_rundown_work *async, *next;
	unsigned long flags;

	/* Pairs with the barrier in ex_drain_async(): it is on the list, or has seen the change. */
	if (likely(list_empty(&home->asyncs)))
		return;
	raw_spin_lock_irqsave(&home->lock, flags);
	list_for_each_entry_safe(async, next, &home->asyncs, call.entry)
		ex_drain_async_look(home, async);
	raw_spin_unlock_irqrestore(&home->lock, flags);
}

static void ex_drain_wake_waiters(void)
{
	struct ex_drain_waiter *waiter;
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&waiters_lock, flags);
	list_for_each_entry(waiter, &waiters, entry)
		wake_up_process(waiter->wait.task);
	raw_spin_unlock_irqrestore(&waiters_lock, flags);
	for (i = 0; i < ARRAY_SIZE(async_homes); i++)
		ex_drain_wake_asyncs(&async_homes[i]);
}

static void ex_drain_irq_work(struct irq_work *work)
{
	ex_drain_wake_waiters();
}

static DEFINE_PER_CPU(struct irq_work, wake_work);
/* A ref was run down on a CPU that is not online: its waiters have yet to be woken. */
static atomic_t wake_missing;

/**
 * ex_drain_wake() - have the waiters on @outstanding look again
 * @outstanding: only its address is used: its memory may be gone
 *
 * The change it announces must have been made by a fully ordered atomic: wake_up_var() looks at the
 * wait queue without a barrier of its own.
 *
 * Context: Any.
 */
void ex_drain_wake(atomic_long_t *outstanding)
{
	if (preemptible()) {
		wake_up_var(outstanding);
		ex_drain_wake_asyncs(ex_async_home(outstanding));
	} else if (likely(cpu_online(raw_smp_processor_id()))) {
		ex_count(EX_COUNT_DEFERRED_WAKES, 1);
		irq_work_queue(this_cpu_ptr(&wake_work));
	} else {
		/* Pairs with the exchange in ex_drain_wake_missing(). */
		atomic_set_release(&wake_missing, 1);
	}
}

/**
 * ex_drain_wake_missing() - wake the waiters if a CPU could not, as it was not online
 *
 * Context: Any but NMI.
 */
void ex_drain_wake_missing(void)
{
	/*
	 * Cleared before the wakes, so that a later release sets it again. The exchange is fully
	 * ordered: each waiter, also one that is yet to be enlisted, sees the release.
	 */
	if (unlikely(atomic_read(&wake_missing)) && atomic_xchg(&wake_missing, 0))
		ex_drain_wake_waiters();
}

/**
 * __ex_rundown_forget() - nobody holds the ref, and nothing that is remembered of it is true
 * @ref: the ref
 *
 * Context: Any.
 */
void __ex_rundown_forget(const void *ref)
{
	ex_track_forget(ref);
	ex_scope_forget(ref);
}
EXPORT_SYMBOL_GPL(__ex_rundown_forget);

/**
 * ex_drain_wait_begin() - somebody is going to wait
 * @ref:      the ref
 * @patience: how long
 * @caller:   who
 *
 * Context: Task.
 * Return: for ex_drain_wait_end().
 */
u64 ex_drain_wait_begin(const void *ref, struct ex_drain_patience patience, unsigned long caller)
{
	ex_count(EX_COUNT_WAITS, 1);
	/* A deadlock that a time-out ends is none. */
	if (patience.timeout == MAX_SCHEDULE_TIMEOUT)
		ex_scope_waits(ref, caller);
	return ex_trace_wait_begin(ref, caller);
}

/**
 * ex_drain_wait_end() - the wait is over
 * @ref:    the ref, which is still there
 * @begun:  from ex_drain_wait_begin()
 * @left:   what the wait returns
 * @caller: who
 *
 * Context: Task.
 * Return: @left.
 */
long ex_drain_wait_end(const void *ref, u64 begun, long left, unsigned long caller)
{
	if (left > 0)
		__ex_rundown_forget(ref);
	else
		ex_count(left ? EX_COUNT_INTERRUPTED : EX_COUNT_TIMED_OUT, 1);
	ex_trace_wait_end(ref, caller, begun, left);
	return left;
}

void ex_drain_enlist(struct ex_drain_waiter *waiter)
{
	unsigned long flags;

	waiter->wait.task = current;
	waiter->wait.since = jiffies;
	waiter->wait.reported = waiter->wait.since;
	waiter->begun = ktime_get_ns();
	ex_count(EX_COUNT_SLEPT, 1);
	raw_spin_lock_irqsave(&waiters_lock, flags);
	list_add_tail(&waiter->entry, &waiters);
	raw_spin_unlock_irqrestore(&waiters_lock, flags);
	ex_watch_arm();
}

void ex_drain_dismiss(struct ex_drain_waiter *waiter)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&waiters_lock, flags);
	list_del(&waiter->entry);
	raw_spin_unlock_irqrestore(&waiters_lock, flags);
	ex_count_latency(ktime_get_ns() - waiter->begun);
}

/* fn may free the ref, the work and the module's last object, but not its code. */
static void ex_drain_async_work(struct work_struct *work)
{
	struct ex_rundown_work *async = container_of(work, struct ex_rundown_work, work);
	struct ex_async_home *home = ex_async_home(async->wait.outstanding);
	struct ex_rundown_call call = { .owner = async->call.owner };
	struct module *held = async->held ? call.owner : NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&home->lock, flags);
	list_replace(&async->call.entry, &call.entry);
	raw_spin_unlock_irqrestore(&home->lock, flags);
	__ex_rundown_forget(async->wait.ref);
	async->fn(async);
	module_put(held);
	raw_spin_lock_irqsave(&home->lock, flags);
	list_del(&call.entry);
	raw_spin_unlock_irqrestore(&home->lock, flags);
	wake_up_all(&async_called);
}

static bool ex_drain_is_listed(const struct list_head *list, const struct module *owner)
{
	struct ex_rundown_call *call;

	list_for_each_entry(call, list, entry)
		if (call->owner == owner)
			return true;
	return false;
}

static bool ex_drain_async_pending(const struct module *owner)
{
	bool pending = false;
	unsigned long flags;
	unsigned int i;
	int added;

	do {
		added = atomic_read(&async_added);
		for (i = 0; i < ARRAY_SIZE(async_homes) && !pending; i++) {
			struct ex_async_home *home = &async_homes[i];

			raw_spin_lock_irqsave(&home->lock, flags);
			pending = ex_drain_is_listed(&home->asyncs, owner) ||
				  ex_drain_is_listed(&home->running, owner);
			raw_spin_unlock_irqrestore(&home->lock, flags);
		}
		/*
		 * A function that had ended may have added a call to a home that had been looked
		 * at. It did so before its own home's lock was taken here.
		 */
	} while (!pending && atomic_read(&async_added) != added);
	return pending;
}

/* See ex_rundown_async_barrier(). */
void __ex_rundown_async_barrier(struct module *owner)
{
	might_sleep();
	wait_event(async_called, !ex_drain_async_pending(owner));
}
EXPORT_SYMBOL_GPL(__ex_rundown_async_barrier);

/* @token: what outstanding has in it while the ref is live */
void ex_drain_async_init(struct ex_rundown_work *async, struct ex_rundown_wait wait, long token,
			 void (*fn)(struct ex_rundown_work *work), struct module *owner)
{
	async->call.owner = owner;
	/* Not if it is on its way out. */
	async->held = try_module_get(owner);
	INIT_WORK(&async->work, ex_drain_async_work);
	async->wait = wait;
	async->wait.since = jiffies;
	async->wait.reported = async->wait.since;
	async->token = token;
	async->fn = fn;
}

/* The run-down has begun: call the function when it has ended, which may be now. */
void ex_drain_async(struct ex_rundown_work *async)
{
	struct ex_async_home *home = ex_async_home(async->wait.outstanding);
	unsigned long flags;

	raw_spin_lock_irqsave(&home->lock, flags);
	atomic_inc(&async_added);
	list_add_tail(&async->call.entry, &home->asyncs);
	/* Pairs with the order of the last release: its subtraction, then its look at the list. */
	smp_mb();
	ex_drain_async_look(home, async);
	raw_spin_unlock_irqrestore(&home->lock, flags);
	ex_watch_arm();
}

/**
 * ex_drain_walk_waits() - call a function for each wait that sleeps or is asynchronous
 * @fn:  the function; called under a raw spinlock, with IRQs off
 * @arg: for @fn
 *
 * A wait can't end, and its ref can't go away, while @fn is called for it. The tasks come first; of
 * these, and of the asynchronous run-downs of one ref, the one that began first.
 *
 * Context: Any but NMI.
 */
void ex_drain_walk_waits(void (*fn)(struct ex_rundown_wait *wait, void *arg), void *arg)
{
	struct ex_rundown_work *async;
	struct ex_drain_waiter *waiter;
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&waiters_lock, flags);
	list_for_each_entry(waiter, &waiters, entry)
		fn(&waiter->wait, arg);
	raw_spin_unlock_irqrestore(&waiters_lock, flags);

	for (i = 0; i < ARRAY_SIZE(async_homes); i++) {
		raw_spin_lock_irqsave(&async_homes[i].lock, flags);
		list_for_each_entry(async, &async_homes[i].asyncs, call.entry)
			fn(&async->wait, arg);
		raw_spin_unlock_irqrestore(&async_homes[i].lock, flags);
	}
}

/**
 * ex_drain_release() - release protection that a run-down has found, or will
 * @outstanding: of a ref that is not live
 * @shift:       where the number held starts in it
 * @count:       how many
 * @ref:         for the warning; may be gone
 * @caller:      whom a warning blames
 *
 * The caller must have read that the ref is not live with acquire order: then the BIAS of a
 * run-down that has not added yet what it found is visible here.
 *
 * Context: Any. The ref may be gone on return.
 */
void ex_drain_release(atomic_long_t *outstanding, unsigned int shift, u32 count,
		      const void *ref, unsigned long caller)
{
	long amount = (long)count << shift;
	long old;

	/* A reading decides: see __ex_release_rundown_protection(). */
	smp_rmb();
	old = atomic_long_read(outstanding);
	do {
		/* With a BIAS in it the number is yet too low; whoever takes that away checks. */
		if (old < amount && !(old & ((1L << shift) - 1))) {
			ex_rundown_report(EX_MISUSE_RELEASE_TOO_MANY, ref, caller);
			return;
		}
		/*
		 * Fully ordered. What the holder did comes before (pairs with the acquire of the
		 * wait's condition), and the look at the wait queue comes after.
		 */
	} while (!atomic_long_try_cmpxchg(outstanding, &old, old - amount));

	if (old == amount)
		ex_drain_wake(outstanding);
}

/**
 * ex_drain_settle() - add what a run-down found and take its BIAS away
 * @outstanding: of a ref that was made not live
 * @shift:       where the number held starts in it
 * @held:        what was found
 * @ref:         for the warning
 * @caller:      whom a warning blames
 *
 * If more was released than there was, it says so and ends run down.
 *
 * Context: Any. The caller wakes the others.
 * Return: what is outstanding now.
 */
long ex_drain_settle(atomic_long_t *outstanding, unsigned int shift, unsigned long held,
		     const void *ref, unsigned long caller)
{
	long left = atomic_long_add_return((held << shift) - EX_DRAIN_BIAS, outstanding);

	/* Another BIAS may hide it again: then its owner finds it. */
	while (left < 0 && !(left & ((1L << shift) - 1))) {
		if (atomic_long_try_cmpxchg(outstanding, &left, 0)) {
			ex_rundown_report(EX_MISUSE_WAIT_SUM_NEGATIVE, ref, caller);
			left = 0;
		}
	}
	return left;
}

/*
 * At module load, before there are users. A static initializer would not do for the irq_works: the
 * module loader does not relocate pointers in per-CPU data.
 */
int ex_drain_init(void)
{
	unsigned int i;
	int cpu;

	async_queue = alloc_workqueue("rundown", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!async_queue)
		return -ENOMEM;

	for (i = 0; i < ARRAY_SIZE(async_homes); i++) {
		raw_spin_lock_init(&async_homes[i].lock);
		INIT_LIST_HEAD(&async_homes[i].asyncs);
		INIT_LIST_HEAD(&async_homes[i].running);
	}

	for_each_possible_cpu(cpu) {
		struct irq_work *work = per_cpu_ptr(&wake_work, cpu);

		/* HARD: on RT the others run in a thread that is parked as its CPU goes down. */
		*work = IRQ_WORK_INIT_HARD(ex_drain_irq_work);
	}
	return 0;
}

/* At module exit, with no user left: let the last wakes end before their code goes away. */
void ex_drain_exit(void)
{
	int cpu;

	/* A release may be between its subtraction and the irq_work_queue() that follows. */
	synchronize_rcu();
	for_each_possible_cpu(cpu)
		irq_work_sync(per_cpu_ptr(&wake_work, cpu));
	/* A function's module may be gone, and our part of its work not. */
	destroy_workqueue(async_queue);
}
