// SPDX-License-Identifier: GPL-2.0
/*
 * The cache-aware ref: one slot a CPU.
 *
 * A CPU counts in its own slot with a plain read-modify-write, and no other CPU ever writes a live
 * slot. So nobody can know the number held while the ref is live, and nobody needs to: the run-down
 * makes a tour of all slots, exchanges each for a dead value, and adds what it found to
 * outstanding; releases that meet a dead slot subtract from there. While the tour is on its way
 * that number is a partial sum, of any size and sign, so the ref holds a token in it, in bit 0,
 * which no sum can have: zero means run down and nothing else does. A live ref holds the token
 * already, since a ref that is being revived is in the same position: acquires on revived CPUs,
 * releases on others.
 *
 * The tour interrupts each CPU to have it exchange its own slot (slots of offline CPUs are
 * exchanged from here, with the hotplug lock held). The interrupt falls before or after the plain
 * instruction, never into it; and that it has been served is the memory barrier for both sides:
 *
 *	holder on CPU 1		interrupt on CPU 1		waiter
 *	uses the object
 *	subq slot		xchg slot, adds to outstanding	on_each_cpu() returns; frees
 *
 * Slots of the other kind, LOCKed ones, are changed with atomics and exchanged from afar: in a
 * caller's buffer, which has no per-CPU address; for who can't have the interrupts; and where NMI
 * would tear this_cpu operations. The fast path does not ask which kind it has. Such a ref points
 * it to ex_rundown_slow_slot, which is never live, and the slow path asks.
 */
#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/smp.h>

#include "cache_aware.h"
#include "drain.h"
#include "events.h"
#include "ex_rundown.h"
#include "misuse.h"
#include "scope.h"
#include "slot.h"

/* Bit 0 of outstanding is the token. */
#define EX_CACHE_AWARE_SHIFT	1

DEFINE_PER_CPU(atomic_long_t, ex_rundown_slow_slot) = ATOMIC_LONG_INIT(EX_SLOT_SLOW);
EXPORT_PER_CPU_SYMBOL_GPL(ex_rundown_slow_slot);

/* Exchange @slot, or else this CPU's, for @to if it holds @now. */
static bool ex_slot_cmpxchg(struct ex_rundown_ref_cache_aware *ref, atomic_long_t *slot, long now,
			    long to)
{
	if (slot)
		return atomic_long_cmpxchg(slot, now, to) == now;
	return this_cpu_cmpxchg(ref->slots->counter, now, to) == now;
}

/* Refused acquires, and releases that went to outstanding, pile up in a dead slot. */
static void ex_recentre_dead(struct ex_rundown_ref_cache_aware *ref, atomic_long_t *slot, long now)
{
	if (unlikely(ex_slot_dead_drifted(now)))
		ex_slot_cmpxchg(ref, slot, now, EX_SLOT_DEAD);
}

/*
 * Large counts, acquired here and released there, would take a live slot out of its zone. Move what
 * is too much to outstanding. The caller holds protection, so the sum is not zero; and a run-down
 * that comes in between finds it too large rather than too small: what is moved is added first, or
 * subtracted last. (Every atomic here that returns a value is fully ordered.)
 */
static void ex_recentre_live(struct ex_rundown_ref_cache_aware *ref, atomic_long_t *slot, long now)
{
	long twice = ex_slot_twice_held(now);
	bool moved;

	if (likely(!ex_slot_drifted(now)))
		return;
	if (twice > 0)
		atomic_long_add_return(twice, &ref->outstanding);
	moved = ex_slot_cmpxchg(ref, slot, now, EX_RUNDOWN_SLOT_LIVE);
	if (moved && twice < 0)
		atomic_long_add_return(twice, &ref->outstanding);
	if (!moved && twice > 0)
		atomic_long_sub_return(twice, &ref->outstanding);
}

/* Acquire order in a LOCKed slot: pairs with the tour that made it live. */
static bool ex_locked_acquire(struct ex_rundown_ref_cache_aware *ref, u32 count,
			      unsigned long caller)
{
	atomic_long_t *slot = ex_slot_of(ref, raw_smp_processor_id());
	long now;

	if (unlikely(!slot))
		return ex_refused(ref, caller);
	now = atomic_long_add_return_acquire(count * EX_RUNDOWN_SLOT_ONE, slot);
	if (unlikely(ex_slot_dead(now))) {
		ex_recentre_dead(ref, slot, now);
		return ex_refused(ref, caller);
	}
	ex_recentre_live(ref, slot, now);
	return true;
}

static void ex_locked_release(struct ex_rundown_ref_cache_aware *ref, u32 count,
			      unsigned long caller)
{
	atomic_long_t *slot = ex_slot_of(ref, raw_smp_processor_id());
	long now;

	if (likely(slot)) {
		now = atomic_long_read(slot);
		if (!ex_slot_dead(now))
			ex_recentre_live(ref, slot, now);
		/* Release: what the holder did comes before the tour that finds this. */
		now = atomic_long_sub_return(count * EX_RUNDOWN_SLOT_ONE, slot);
		if (likely(!ex_slot_dead(now)))
			return;
		ex_recentre_dead(ref, slot, now);
	}
	ex_drain_release(&ref->outstanding, EX_CACHE_AWARE_SHIFT, count, ref, caller);
}

/*
 * The in-line acquire added to a slot that was not live, or no slot of this ref at all, and is not
 * refused by one that is about EX_RUNDOWN_DEAD. The value is not known, and the CPU may be another
 * by now, but a live slot comes here only after 2^61 steps in one direction.
 */
bool __ex_acquire_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	long now;

	if (ex_cache_aware_uninitialized(ref, _RET_IP_))
		return ex_refused(ref, _RET_IP_);
	if (ex_cache_aware_locked(ref))
		return ex_locked_acquire(ref, 1, _RET_IP_);

	now = this_cpu_read(ref->slots->counter);
	if (unlikely(ex_slot_wrapped(now)))
		return true;
	if (ex_slot_dead(now))
		ex_recentre_dead(ref, NULL, now);
	return ex_refused(ref, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__ex_acquire_rundown_protection_cache_aware);

/* The in-line release subtracted from a slot that was not live. As above. */
void __ex_release_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref,
						 unsigned long caller)
{
	long now;

	if (ex_cache_aware_uninitialized(ref, caller))
		return;
	if (ex_cache_aware_locked(ref)) {
		ex_locked_release(ref, 1, caller);
		return;
	}

	now = this_cpu_read(ref->slots->counter);
	if (unlikely(ex_slot_wrapped(now)))
		return;
	if (ex_slot_dead(now))
		ex_recentre_dead(ref, NULL, now);
	ex_drain_release(&ref->outstanding, EX_CACHE_AWARE_SHIFT, 1, ref, caller);
}
EXPORT_SYMBOL_GPL(__ex_release_rundown_protection_cache_aware);

bool __ex_acquire_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref,
						    u32 count, unsigned long caller)
{
	long now;

	if (unlikely(count - 1 >= EX_RUNDOWN_MAX_COUNT)) {
		ex_rundown_report(EX_MISUSE_ACQUIRE_COUNT, ref, caller);
		return ex_refused(ref, caller);
	}
	if (ex_cache_aware_uninitialized(ref, caller))
		return ex_refused(ref, caller);
	if (ex_cache_aware_locked(ref))
		return ex_locked_acquire(ref, count, caller);

	now = this_cpu_add_return(ref->slots->counter, count * EX_RUNDOWN_SLOT_ONE);
	if (unlikely(ex_slot_dead(now))) {
		ex_recentre_dead(ref, NULL, now);
		return ex_refused(ref, caller);
	}
	ex_recentre_live(ref, NULL, now);
	return true;
}
EXPORT_SYMBOL_GPL(__ex_acquire_rundown_protection_cache_aware_ex);

void __ex_release_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref,
						    u32 count, unsigned long caller)
{
	long now;

	if (unlikely(count - 1 >= EX_RUNDOWN_MAX_COUNT)) {
		ex_rundown_report(EX_MISUSE_RELEASE_COUNT, ref, caller);
		return;
	}
	if (ex_cache_aware_uninitialized(ref, caller))
		return;
	if (ex_cache_aware_locked(ref)) {
		ex_locked_release(ref, count, caller);
		return;
	}

	now = this_cpu_read(ref->slots->counter);
	if (!ex_slot_dead(now))
		ex_recentre_live(ref, NULL, now);
	now = this_cpu_sub_return(ref->slots->counter, count * EX_RUNDOWN_SLOT_ONE);
	if (likely(!ex_slot_dead(now)))
		return;
	ex_recentre_dead(ref, NULL, now);
	ex_drain_release(&ref->outstanding, EX_CACHE_AWARE_SHIFT, count, ref, caller);
}
EXPORT_SYMBOL_GPL(__ex_release_rundown_protection_cache_aware_ex);

static void ex_harvest(struct ex_rundown_ref_cache_aware *ref, int cpu, long slot)
{
	if (ex_slot_dead(slot))
		return;
	if (slot != EX_RUNDOWN_SLOT_LIVE)
		atomic_long_add(ex_slot_twice_held(slot), &ref->outstanding);
	ex_trace(harvest, ref, cpu, ex_slot_twice_held(slot) / 2);
}

/* A real exchange: NMI may acquire and release in the middle of a read and a write. */
static void ex_harvest_this_cpu(void *arg)
{
	struct ex_rundown_ref_cache_aware *ref = arg;

	ex_harvest(ref, smp_processor_id(), this_cpu_xchg(ref->percpu->counter, EX_SLOT_DEAD));
}

static void ex_revive_this_cpu(void *arg)
{
	struct ex_rundown_ref_cache_aware *ref = arg;

	this_cpu_write(ref->percpu->counter, EX_RUNDOWN_SLOT_LIVE);
}

static void ex_tour_offline(struct ex_rundown_ref_cache_aware *ref, long to)
{
	bool locked = ex_cache_aware_locked(ref);
	int cpu;

	for_each_possible_cpu(cpu) {
		atomic_long_t *slot = ex_slot_of(ref, cpu);

		if (slot && (locked || !cpu_online(cpu)))
			ex_harvest(ref, cpu, atomic_long_xchg(slot, to));
	}
}

/* Each online CPU does its part. With cpus_read_lock() held. */
static void ex_tour_online(smp_call_func_t part, void *arg)
{
	on_each_cpu(part, arg, 1);
	ex_count(EX_COUNT_IPIS, num_online_cpus() - 1);
}

/*
 * Make all slots @to. Dead values found are garbage. Fully ordered against what any CPU does with
 * its slot before and after. With cpus_read_lock() held, unless the slots are LOCKed.
 */
static void ex_tour(struct ex_rundown_ref_cache_aware *ref, long to)
{
	ex_tour_offline(ref, to);
	if (!ex_cache_aware_locked(ref))
		ex_tour_online(to == EX_SLOT_DEAD ? ex_harvest_this_cpu : ex_revive_this_cpu, ref);
}

/*
 * Take the hotplug lock before changing the state: a task that already holds it may be waiting for
 * the one that makes the tour.
 */
static bool ex_tour_lock(struct ex_rundown_ref_cache_aware *ref, bool cpuslocked)
{
	bool take = !cpuslocked && !ex_cache_aware_locked(ref);

	if (take)
		cpus_read_lock();
	return take;
}

static void ex_tour_unlock(bool taken)
{
	if (taken)
		cpus_read_unlock();
}

static bool ex_has_token(struct ex_rundown_ref_cache_aware *ref)
{
	return atomic_long_read_acquire(&ref->outstanding) & EX_RUNDOWN_TOKEN;
}

/* True for one caller a life, which makes the tour. */
static bool ex_cache_aware_turn(struct ex_rundown_ref_cache_aware *ref)
{
	if (atomic_cmpxchg(&ref->state, EX_LIVE, EX_DOWN) != EX_LIVE)
		return false;
	ex_count(EX_COUNT_RUNDOWNS, 1);
	return true;
}

/* The tour has added what it found; this takes the token away. */
static void ex_cache_aware_settle(struct ex_rundown_ref_cache_aware *ref, unsigned long caller)
{
	ex_drain_settle(&ref->outstanding, EX_CACHE_AWARE_SHIFT, 0, ref, caller);
	ex_drain_wake(&ref->outstanding);
}

/*
 * Acquires are refused on return. One caller turns the state and makes the tour; the others wait
 * until it has ended. A caller that meets a reinitialize waits for that to end, and then turns the
 * state.
 */
void ex_cache_aware_start(struct ex_rundown_ref_cache_aware *ref, bool cpuslocked,
			  unsigned long caller)
{
	for (;;) {
		if (atomic_read(&ref->state) == EX_LIVE) {
			bool taken = ex_tour_lock(ref, cpuslocked);
			bool turned = ex_cache_aware_turn(ref);

			if (turned)
				ex_tour(ref, EX_SLOT_DEAD);
			ex_tour_unlock(taken);
			if (turned)
				break;
		}
		ex_drain_wait_event(ref, EX_CACHE_AWARE_SHIFT,
				    !ex_has_token(ref) || atomic_read(&ref->state) == EX_LIVE,
				    EX_DRAIN_FOREVER, caller);
		if (!ex_has_token(ref))
			return;
	}
	ex_cache_aware_settle(ref, caller);
}

static long ex_cache_aware_drained(struct ex_rundown_ref_cache_aware *ref,
				   struct ex_drain_patience patience, unsigned long caller)
{
	long left;

	/* A token that is there again says that it was zero in between. */
	return ex_drain_wait_event(ref, EX_CACHE_AWARE_SHIFT,
				   (left = atomic_long_read_acquire(&ref->outstanding),
				    !left || left & EX_RUNDOWN_TOKEN), patience, caller);
}

static long ex_cache_aware_wait(struct ex_rundown_ref_cache_aware *ref, bool cpuslocked,
				struct ex_drain_patience patience, unsigned long caller)
{
	u64 begun;
	long left;

	might_sleep();
	if (ex_cache_aware_uninitialized(ref, caller))
		return -EINVAL;
	begun = ex_drain_wait_begin(ref, patience, caller);
	ex_cache_aware_start(ref, cpuslocked, caller);
	left = ex_cache_aware_drained(ref, patience, caller);
	return ex_drain_wait_end(ref, begun, left, caller);
}

/**
 * ex_wait_for_rundown_protection_release_cache_aware() - run the object down
 * @ref: the ref
 *
 * From the call on, acquires are refused; on return, all that had been granted are released. No
 * effect on a ref that is run down. Several may wait at once, each returns; freeing the ref, or
 * reinitializing it, is for after all of them have.
 *
 * Interrupts each online CPU once, isolated ones too (not if made with EX_RUNDOWN_NO_IPI, or in
 * place). A mutex held by the caller orders before cpu_hotplug_lock.
 *
 * A function of the caller's module that has released may still be executing its last instructions
 * when the wait returns. Before that module's text goes away, wait for it as after complete():
 * flush the workqueue, cancel the timer, synchronize_rcu() for interrupts.
 *
 * Stands for ExWaitForRundownProtectionReleaseCacheAware.
 *
 * Context: Task. May sleep, uninterruptibly, as long as there are holders. Not with
 * cpus_read_lock() held, nor from a CPU hotplug callback.
 */
void ex_wait_for_rundown_protection_release_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	ex_cache_aware_wait(ref, false, EX_DRAIN_FOREVER, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_wait_for_rundown_protection_release_cache_aware);

/**
 * ex_rundown_wait_cache_aware_cpuslocked() - run the object down
 * @ref: the ref
 *
 * As ex_wait_for_rundown_protection_release_cache_aware(), for callers that hold cpus_read_lock():
 * among them a CPU hotplug callback that may sleep. While it waits, no CPU goes off or on line, and
 * no holder may want that.
 *
 * Context: Task. May sleep, uninterruptibly, as long as there are holders. With cpus_read_lock()
 * held, which a module can't check: without it a CPU that comes meanwhile is missed.
 */
void ex_rundown_wait_cache_aware_cpuslocked(struct ex_rundown_ref_cache_aware *ref)
{
	ex_cache_aware_wait(ref, true, EX_DRAIN_FOREVER, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_rundown_wait_cache_aware_cpuslocked);

/**
 * ex_rundown_wait_timeout_cache_aware() - run the object down, or give up
 * @ref:     the ref
 * @timeout: in jiffies, from when acquires are refused; more than LONG_MAX is for ever
 *
 * As ex_wait_for_rundown_protection_release_cache_aware(), but returns after @timeout even if there
 * are holders. Then the object is still running down: acquires are refused, and waiting again
 * continues.
 *
 * Context: Task. May sleep, uninterruptibly.
 * Return: 0 if the time is up and protection is still held, or @ref was never initialized; else the
 * jiffies left, at least 1.
 */
unsigned long ex_rundown_wait_timeout_cache_aware(struct ex_rundown_ref_cache_aware *ref,
						  unsigned long timeout)
{
	long left = ex_cache_aware_wait(ref, false, ex_drain_timeout(timeout), _RET_IP_);

	if (likely(left >= 0))
		return left;
	/* Never initialized. Callers may try again and again: they are not to spin. */
	schedule_timeout_uninterruptible(min_t(unsigned long, timeout, MAX_SCHEDULE_TIMEOUT));
	return 0;
}
EXPORT_SYMBOL_GPL(ex_rundown_wait_timeout_cache_aware);

/**
 * ex_rundown_wait_killable_cache_aware() - run down, or be killed waiting
 * @ref: the ref
 *
 * As ex_wait_for_rundown_protection_release_cache_aware(), but a fatal signal ends the wait for the
 * holders. Then the object is still running down: acquires are refused, and waiting again
 * continues.
 *
 * Context: Task. May sleep.
 * Return: 0 if it is run down, -ERESTARTSYS if a signal came before, -EINVAL if @ref was never
 * initialized.
 */
int ex_rundown_wait_killable_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	return min(ex_cache_aware_wait(ref, false, EX_DRAIN_KILLABLE, _RET_IP_), 0L);
}
EXPORT_SYMBOL_GPL(ex_rundown_wait_killable_cache_aware);

/**
 * ex_rundown_wait_interruptible_cache_aware() - run down, or be interrupted
 * @ref: the ref
 *
 * As ex_rundown_wait_killable_cache_aware(), for any signal.
 *
 * Context: Task. May sleep.
 * Return: 0 if it is run down, -ERESTARTSYS if a signal came before, -EINVAL if @ref was never
 * initialized.
 */
int ex_rundown_wait_interruptible_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	return min(ex_cache_aware_wait(ref, false, EX_DRAIN_INTERRUPTIBLE, _RET_IP_), 0L);
}
EXPORT_SYMBOL_GPL(ex_rundown_wait_interruptible_cache_aware);

/* Of so many refs a round of interrupts harvests the slots, with IRQs off. */
#define EX_MANY		1024

struct ex_many {
	struct ex_rundown_ref_cache_aware **refs;
	unsigned int count;
	DECLARE_BITMAP(turned, EX_MANY);
};

static void ex_harvest_many_this_cpu(void *arg)
{
	const struct ex_many *many = arg;
	unsigned int i;

	for_each_set_bit(i, many->turned, many->count)
		if (!ex_cache_aware_locked(many->refs[i]))
			ex_harvest_this_cpu(many->refs[i]);
}

static void ex_cache_aware_start_many(struct ex_rundown_ref_cache_aware **refs, unsigned int count,
				      unsigned long caller)
{
	struct ex_many many = { .refs = refs, .count = count };
	bool plain = false, interrupt = false;
	unsigned int i;

	for (i = 0; i < count && !plain; i++)
		plain = !ex_cache_aware_locked(refs[i]);
	if (plain)
		cpus_read_lock();
	for (i = 0; i < count; i++) {
		if (ex_cache_aware_uninitialized(refs[i], caller))
			continue;
		if (ex_cache_aware_turn(refs[i])) {
			__set_bit(i, many.turned);
			ex_tour_offline(refs[i], EX_SLOT_DEAD);
			interrupt |= !ex_cache_aware_locked(refs[i]);
		}
	}
	if (interrupt)
		ex_tour_online(ex_harvest_many_this_cpu, &many);
	if (plain)
		cpus_read_unlock();

	for_each_set_bit(i, many.turned, count)
		ex_cache_aware_settle(refs[i], caller);
	/* Wait for the tours of others, and turn what is being opened. */
	for_each_clear_bit(i, many.turned, count)
		if (READ_ONCE(refs[i]->slots))
			ex_cache_aware_start(refs[i], false, caller);
}

/**
 * ex_rundown_wait_many_cache_aware() - run many objects down
 * @refs:  the refs; one may be in it more than once
 * @count: how many
 *
 * As ex_wait_for_rundown_protection_release_cache_aware() on each, but with one interrupt a CPU for
 * each 1,024 of them, and all of them refuse acquires before the first is waited for.
 *
 * Context: Task. May sleep, uninterruptibly, as long as there are holders. Not with
 * cpus_read_lock() held, nor from a CPU hotplug callback.
 */
void ex_rundown_wait_many_cache_aware(struct ex_rundown_ref_cache_aware **refs, size_t count)
{
	u64 begun;
	size_t at;

	might_sleep();
	for (at = 0; at < count; at += EX_MANY)
		ex_cache_aware_start_many(refs + at, min_t(size_t, count - at, EX_MANY), _RET_IP_);
	for (at = 0; at < count; at++) {
		if (!READ_ONCE(refs[at]->slots))
			continue;
		begun = ex_drain_wait_begin(refs[at], EX_DRAIN_FOREVER, _RET_IP_);
		ex_cache_aware_drained(refs[at], EX_DRAIN_FOREVER, _RET_IP_);
		ex_drain_wait_end(refs[at], begun, 1, _RET_IP_);
	}
}
EXPORT_SYMBOL_GPL(ex_rundown_wait_many_cache_aware);

/**
 * ex_rundown_start_cache_aware() - refuse acquires from now on, and do not wait for holders
 * @ref: the ref
 *
 * The first half of a wait: the object is running down, or, if nobody holds it, run down. A wait is
 * still needed before it is freed, unless ex_rundown_is_complete_cache_aware() says so.
 *
 * Context: Task. May sleep; as the wait, but not for the holders.
 */
void ex_rundown_start_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	might_sleep();
	if (!ex_cache_aware_uninitialized(ref, _RET_IP_))
		ex_cache_aware_start(ref, false, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_rundown_start_cache_aware);

/* See ex_rundown_start_async_cache_aware(). */
void __ex_rundown_start_async_cache_aware(struct ex_rundown_ref_cache_aware *ref,
					  struct ex_rundown_work *work,
					  void (*fn)(struct ex_rundown_work *work),
					  struct module *owner)
{
	might_sleep();
	if (ex_cache_aware_uninitialized(ref, _RET_IP_))
		return;
	ex_drain_async_init(work, EX_DRAIN_WAIT(ref, EX_CACHE_AWARE_SHIFT, _RET_IP_),
			    EX_RUNDOWN_TOKEN, fn, owner);
	ex_cache_aware_start(ref, false, _RET_IP_);
	ex_drain_async(work);
}
EXPORT_SYMBOL_GPL(__ex_rundown_start_async_cache_aware);

/**
 * ex_rundown_is_active_cache_aware() - are acquires refused?
 * @ref: the ref
 *
 * Context: Any. Does not sleep.
 * Return: true from the begin of a run-down until the ref is reinitialized. (While a run-down
 * begins on one CPU, an acquire on another may still be granted.)
 */
bool ex_rundown_is_active_cache_aware(const struct ex_rundown_ref_cache_aware *ref)
{
	return atomic_read(&ref->state) != EX_LIVE;
}
EXPORT_SYMBOL_GPL(ex_rundown_is_active_cache_aware);

/**
 * ex_rundown_is_complete_cache_aware() - would a wait return at once?
 * @ref: the ref
 *
 * What the holders did to the object is visible to the caller if so.
 *
 * Context: Any. Does not sleep.
 * Return: true if the ref is run down: acquires are refused, and nobody holds protection.
 */
bool ex_rundown_is_complete_cache_aware(const struct ex_rundown_ref_cache_aware *ref)
{
	if (atomic_long_read_acquire(&ref->outstanding))
		return false;
	if (ex_cache_aware_uninitialized(ref, _RET_IP_))
		return false;
	/* It may be freed without a wait then. */
	ex_scope_forget(ref);
	return true;
}
EXPORT_SYMBOL_GPL(ex_rundown_is_complete_cache_aware);

/**
 * ex_rundown_completed_cache_aware() - declare an object run down that nobody holds
 * @ref: the ref
 *
 * As a wait that has nothing to wait for. Right after the initialization, it makes a ref that
 * starts run down and is opened by ex_reinitialize_rundown_protection_cache_aware().
 *
 * If there are holders, it warns, naming the caller, and they stay accounted for: acquires are
 * refused, and a wait waits for them.
 *
 * Stands for ExRundownCompletedCacheAware.
 *
 * Context: Task. May sleep; as the wait, but not for the holders.
 */
void ex_rundown_completed_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	long left;

	might_sleep();
	if (ex_cache_aware_uninitialized(ref, _RET_IP_))
		return;
	ex_cache_aware_start(ref, false, _RET_IP_);
	left = atomic_long_read(&ref->outstanding);
	if (left && !(left & EX_RUNDOWN_TOKEN))
		ex_rundown_report(EX_MISUSE_COMPLETED_HELD, ref, _RET_IP_);
	else if (!left)
		__ex_rundown_forget(ref);
}
EXPORT_SYMBOL_GPL(ex_rundown_completed_cache_aware);

static void ex_cache_aware_reinitialize(struct ex_rundown_ref_cache_aware *ref, bool cpuslocked,
					unsigned long caller)
{
	bool taken, won;

	might_sleep();
	if (ex_cache_aware_uninitialized(ref, caller))
		return;
	taken = ex_tour_lock(ref, cpuslocked);
	won = !atomic_long_cmpxchg(&ref->outstanding, 0, EX_RUNDOWN_TOKEN);
	if (won) {
		__ex_rundown_forget(ref);
		ex_tour(ref, EX_RUNDOWN_SLOT_LIVE);
	}
	ex_tour_unlock(taken);
	if (!won) {
		ex_rundown_report(EX_MISUSE_REINITIALIZE, ref, caller);
		return;
	}
	/* Release: the run-down that this allows makes its tour after ours. */
	atomic_set_release(&ref->state, EX_LIVE);
	/* wake_up_var() looks at the wait queue: after the store. */
	smp_mb();
	ex_drain_wake(&ref->outstanding);
}

/**
 * ex_reinitialize_rundown_protection_cache_aware() - open a run-down object again
 * @ref: the ref
 *
 * The ref must be run down, and all waits on it must have returned. What was written to the object
 * before is visible to who acquires protection after.
 *
 * If it is not run down: refused with a warning that names the caller. Of two calls at once one is
 * refused so.
 *
 * Stands for ExReInitializeRundownProtectionCacheAware.
 *
 * Context: Task. May sleep. Interrupts each online CPU once, as the wait does.
 */
void ex_reinitialize_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	ex_cache_aware_reinitialize(ref, false, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_reinitialize_rundown_protection_cache_aware);

/**
 * ex_rundown_reinitialize_cache_aware_cpuslocked() - open a run-down object again
 * @ref: the ref
 *
 * As ex_reinitialize_rundown_protection_cache_aware(), for callers that hold cpus_read_lock().
 *
 * Context: Task. May sleep. With cpus_read_lock() held.
 */
void ex_rundown_reinitialize_cache_aware_cpuslocked(struct ex_rundown_ref_cache_aware *ref)
{
	ex_cache_aware_reinitialize(ref, true, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_rundown_reinitialize_cache_aware_cpuslocked);
