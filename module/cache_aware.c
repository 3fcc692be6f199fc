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
#include <linux/cache.h>
#include <linux/cpu.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "drain.h"
#include "ex_rundown.h"
#include "misuse.h"
#include "slot.h"

/* Bit 0 of outstanding is the token. */
#define EX_CACHE_AWARE_SHIFT	1

enum ex_cache_aware_state {
	EX_LIVE,
	EX_DOWN,	/* running down or run down */
};

#define EX_OWNS_SLOTS	BIT(0)	/* alloc_percpu()ed: cleanup frees them */
#define EX_ALLOCATED	BIT(1)	/* by ex_allocate_cache_aware_rundown_protection() */

struct ex_rundown_slot {
	atomic_long_t count;
} ____cacheline_aligned;

DEFINE_PER_CPU(atomic_long_t, ex_rundown_slow_slot) = ATOMIC_LONG_INIT(EX_SLOT_SLOW);
EXPORT_PER_CPU_SYMBOL_GPL(ex_rundown_slow_slot);

static bool ex_cache_aware_locked(struct ex_rundown_ref_cache_aware *ref)
{
	return ref->slots != ref->percpu;
}

/* The slot of @cpu, for atomics. NULL after cleanup, when there is none. */
static atomic_long_t *ex_slot_of(struct ex_rundown_ref_cache_aware *ref, int cpu)
{
	if (ref->percpu)
		return per_cpu_ptr(ref->percpu, cpu);
	return ref->in_place ? &ref->in_place[cpu].count : NULL;
}

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
static bool ex_locked_acquire(struct ex_rundown_ref_cache_aware *ref, u32 count)
{
	atomic_long_t *slot = ex_slot_of(ref, raw_smp_processor_id());
	long now;

	if (unlikely(!slot))
		return false;
	now = atomic_long_add_return_acquire(count * EX_RUNDOWN_SLOT_ONE, slot);
	if (unlikely(ex_slot_dead(now))) {
		ex_recentre_dead(ref, slot, now);
		return false;
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

	if (ex_cache_aware_locked(ref))
		return ex_locked_acquire(ref, 1);

	now = this_cpu_read(ref->slots->counter);
	if (unlikely(ex_slot_wrapped(now)))
		return true;
	if (ex_slot_dead(now))
		ex_recentre_dead(ref, NULL, now);
	return false;
}
EXPORT_SYMBOL_GPL(__ex_acquire_rundown_protection_cache_aware);

/* The in-line release subtracted from a slot that was not live. As above. */
void __ex_release_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref,
						 unsigned long caller)
{
	long now;

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
		return false;
	}
	if (ex_cache_aware_locked(ref))
		return ex_locked_acquire(ref, count);

	now = this_cpu_add_return(ref->slots->counter, count * EX_RUNDOWN_SLOT_ONE);
	if (unlikely(ex_slot_dead(now))) {
		ex_recentre_dead(ref, NULL, now);
		return false;
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

static void ex_harvest(struct ex_rundown_ref_cache_aware *ref, long slot)
{
	if (!ex_slot_dead(slot) && slot != EX_RUNDOWN_SLOT_LIVE)
		atomic_long_add(ex_slot_twice_held(slot), &ref->outstanding);
}

/* A real exchange: NMI may acquire and release in the middle of a read and a write. */
static void ex_harvest_this_cpu(void *arg)
{
	struct ex_rundown_ref_cache_aware *ref = arg;

	ex_harvest(ref, this_cpu_xchg(ref->percpu->counter, EX_SLOT_DEAD));
}

static void ex_revive_this_cpu(void *arg)
{
	struct ex_rundown_ref_cache_aware *ref = arg;

	this_cpu_write(ref->percpu->counter, EX_RUNDOWN_SLOT_LIVE);
}

/*
 * Make all slots @to. Dead values found are garbage. Fully ordered against what any CPU does with
 * its slot before and after.
 */
static void ex_tour(struct ex_rundown_ref_cache_aware *ref, long to)
{
	bool locked = ex_cache_aware_locked(ref);
	int cpu;

	if (!locked)
		cpus_read_lock();
	for_each_possible_cpu(cpu) {
		atomic_long_t *slot = ex_slot_of(ref, cpu);

		if (slot && (locked || !cpu_online(cpu)))
			ex_harvest(ref, atomic_long_xchg(slot, to));
	}
	if (!locked) {
		on_each_cpu(to == EX_SLOT_DEAD ? ex_harvest_this_cpu : ex_revive_this_cpu, ref, 1);
		cpus_read_unlock();
	}
}

static bool ex_has_token(struct ex_rundown_ref_cache_aware *ref)
{
	return atomic_long_read_acquire(&ref->outstanding) & EX_RUNDOWN_TOKEN;
}

/*
 * Acquires are refused on return. One caller turns the state and makes the tour; the others see
 * that through. One who finds a reinitialize half-way sees that through, and then turns the state.
 */
static void ex_cache_aware_start(struct ex_rundown_ref_cache_aware *ref, unsigned long caller)
{
	while (atomic_cmpxchg(&ref->state, EX_LIVE, EX_DOWN) != EX_LIVE) {
		ex_drain_wait_event(&ref->outstanding,
				    !ex_has_token(ref) || atomic_read(&ref->state) == EX_LIVE);
		if (!ex_has_token(ref))
			return;
	}

	ex_tour(ref, EX_SLOT_DEAD);
	/* The tour has added what it found; this takes the token away. */
	ex_drain_settle(&ref->outstanding, EX_CACHE_AWARE_SHIFT, 0, ref, caller);
	ex_drain_wake(&ref->outstanding);
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
 * Stands for ExWaitForRundownProtectionReleaseCacheAware.
 *
 * Context: Task. May sleep, uninterruptibly, as long as there are holders. Not with
 * cpus_read_lock() held, nor from a CPU hotplug callback.
 */
void ex_wait_for_rundown_protection_release_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	long left;

	might_sleep();
	ex_cache_aware_start(ref, _RET_IP_);
	/* A token that is there again says that it was zero in between. */
	ex_drain_wait_event(&ref->outstanding,
			    (left = atomic_long_read_acquire(&ref->outstanding),
			     !left || left & EX_RUNDOWN_TOKEN));
}
EXPORT_SYMBOL_GPL(ex_wait_for_rundown_protection_release_cache_aware);

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
	ex_cache_aware_start(ref, _RET_IP_);
	left = atomic_long_read(&ref->outstanding);
	if (left && !(left & EX_RUNDOWN_TOKEN))
		ex_rundown_report(EX_MISUSE_COMPLETED_HELD, ref, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ex_rundown_completed_cache_aware);

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
	might_sleep();
	if (atomic_long_cmpxchg(&ref->outstanding, 0, EX_RUNDOWN_TOKEN)) {
		ex_rundown_report(EX_MISUSE_REINITIALIZE, ref, _RET_IP_);
		return;
	}
	ex_tour(ref, EX_RUNDOWN_SLOT_LIVE);
	/* Release: the run-down that this allows makes its tour after ours. */
	atomic_set_release(&ref->state, EX_LIVE);
	/* wake_up_var() looks at the wait queue: after the store. */
	smp_mb();
	ex_drain_wake(&ref->outstanding);
}
EXPORT_SYMBOL_GPL(ex_reinitialize_rundown_protection_cache_aware);

/* Make @ref live with the slots it was given. */
static void ex_cache_aware_setup(struct ex_rundown_ref_cache_aware *ref, bool locked,
				 unsigned int flags)
{
	int cpu;

	if (!EX_RUNDOWN_PLAIN_SLOTS)
		locked = true;
	for_each_possible_cpu(cpu)
		atomic_long_set(ex_slot_of(ref, cpu), EX_RUNDOWN_SLOT_LIVE);
	ref->slots = locked ? &ex_rundown_slow_slot : ref->percpu;
	ref->flags = flags;
	atomic_set(&ref->state, EX_LIVE);
	atomic_long_set(&ref->outstanding, EX_RUNDOWN_TOKEN);
}

/**
 * ex_allocate_cache_aware_rundown_protection() - allocate a live cache-aware ref
 * @gfp: as for kmalloc(); GFP_KERNEL, or GFP_NOWAIT or GFP_ATOMIC, which the per-CPU allocator
 *       serves from a small reserve
 *
 * Takes 40 bytes, and 8 bytes a possible CPU (32-bit: 24 and 4).
 *
 * Stands for ExAllocateCacheAwareRundownProtection.
 *
 * Context: As @gfp allows; not hardirq or NMI.
 * Return: the ref, to be freed by ex_free_cache_aware_rundown_protection(); NULL without memory.
 */
struct ex_rundown_ref_cache_aware *ex_allocate_cache_aware_rundown_protection(gfp_t gfp)
{
	struct ex_rundown_ref_cache_aware *ref = kzalloc(sizeof(*ref), gfp);

	if (!ref)
		return NULL;
	ref->percpu = alloc_percpu_gfp(atomic_long_t, gfp);
	if (!ref->percpu) {
		kfree(ref);
		return NULL;
	}
	ex_cache_aware_setup(ref, false, EX_OWNS_SLOTS | EX_ALLOCATED);
	return ref;
}
EXPORT_SYMBOL_GPL(ex_allocate_cache_aware_rundown_protection);

/* True if nobody holds @ref, and nobody will. */
static bool ex_cache_aware_retire(struct ex_rundown_ref_cache_aware *ref, unsigned long caller)
{
	might_sleep();
	ex_cache_aware_start(ref, caller);
	if (!atomic_long_read_acquire(&ref->outstanding))
		return true;
	ex_rundown_report(EX_MISUSE_FREE_HELD, ref, caller);
	return false;
}

/**
 * ex_free_cache_aware_rundown_protection() - free an allocated cache-aware ref
 * @ref: the ref; NULL has no effect
 *
 * Nobody may be calling any function on it. It need not have been run down; if there are holders,
 * it warns, naming the caller, and leaks the ref rather than free it under them. The same, and
 * nothing else, happens to a ref that was not allocated.
 *
 * Stands for ExFreeCacheAwareRundownProtection.
 *
 * Context: Task. May sleep.
 */
void ex_free_cache_aware_rundown_protection(struct ex_rundown_ref_cache_aware *ref)
{
	if (!ref)
		return;
	if (!(ref->flags & EX_ALLOCATED)) {
		ex_rundown_report(EX_MISUSE_FREE_FOREIGN, ref, _RET_IP_);
		return;
	}
	if (!ex_cache_aware_retire(ref, _RET_IP_))
		return;
	free_percpu(ref->percpu);
	kfree(ref);
}
EXPORT_SYMBOL_GPL(ex_free_cache_aware_rundown_protection);

/**
 * ex_size_of_rundown_protection_cache_aware() - size of a cache-aware ref in a caller's buffer
 *
 * One cache line a possible CPU, and the ref.
 *
 * Stands for ExSizeOfRundownProtectionCacheAware.
 *
 * Context: Any.
 * Return: the size in bytes for ex_initialize_rundown_protection_cache_aware().
 */
size_t ex_size_of_rundown_protection_cache_aware(void)
{
	size_t slack = __alignof__(struct ex_rundown_slot) -
		       __alignof__(struct ex_rundown_ref_cache_aware);

	return ALIGN(sizeof(struct ex_rundown_ref_cache_aware),
		     __alignof__(struct ex_rundown_slot)) +
	       slack + nr_cpu_ids * sizeof(struct ex_rundown_slot);
}
EXPORT_SYMBOL_GPL(ex_size_of_rundown_protection_cache_aware);

/**
 * ex_initialize_rundown_protection_cache_aware() - make a live cache-aware ref in a caller's buffer
 * @ref:  the buffer, aligned to sizeof(long); nobody may be using it
 * @size: its size in bytes
 *
 * The ref has its slots in the buffer, and needs no cleanup: once it is run down the buffer can be
 * freed. Acquire and release take the out-of-line path and one uncontended atomic; its run-down
 * interrupts no CPU.
 *
 * Stands for ExInitializeRundownProtectionCacheAware.
 *
 * Context: Task. Does not sleep.
 * Return: 0, or -EINVAL with the buffer untouched if @size is less than
 * ex_size_of_rundown_protection_cache_aware(), or @ref is NULL or misaligned.
 */
int ex_initialize_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref,
						 size_t size)
{
	if (!ref || !IS_ALIGNED((unsigned long)ref, __alignof__(*ref)) ||
	    size < ex_size_of_rundown_protection_cache_aware())
		return -EINVAL;
	ref->percpu = NULL;
	ref->in_place = PTR_ALIGN((void *)(ref + 1), __alignof__(struct ex_rundown_slot));
	ex_cache_aware_setup(ref, true, 0);
	return 0;
}
EXPORT_SYMBOL_GPL(ex_initialize_rundown_protection_cache_aware);

/**
 * ex_initialize_rundown_protection_cache_aware_ex() - make a live cache-aware ref
 * @ref:   a struct of the caller's; nobody may be using it
 * @flags: 0, or EX_RUNDOWN_NO_IPI
 *
 * Allocates the slots; wants ex_cleanup_rundown_protection_cache_aware().
 *
 * Stands for ExInitializeRundownProtectionCacheAwareEx.
 *
 * Context: Task. May sleep.
 * Return: 0; -EINVAL for unknown flags, -ENOMEM without memory, both with @ref untouched.
 */
int ex_initialize_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref,
						    u32 flags)
{
	atomic_long_t __percpu *slots;

	might_sleep();
	if (flags & ~EX_RUNDOWN_NO_IPI)
		return -EINVAL;
	slots = alloc_percpu(atomic_long_t);
	if (!slots)
		return -ENOMEM;
	ref->percpu = slots;
	ref->in_place = NULL;
	ex_cache_aware_setup(ref, flags & EX_RUNDOWN_NO_IPI, EX_OWNS_SLOTS);
	return 0;
}
EXPORT_SYMBOL_GPL(ex_initialize_rundown_protection_cache_aware_ex);

/**
 * ex_cleanup_rundown_protection_cache_aware() - free the slots of a caller's cache-aware ref
 * @ref: initialized by ex_initialize_rundown_protection_cache_aware_ex()
 *
 * Nobody may be calling any function on it. It need not have been run down; if there are holders,
 * it warns, naming the caller, and leaks the slots rather than free them under them. Afterwards the
 * ref is run down for good: acquires are refused, waits return.
 *
 * Stands for ExCleanupRundownProtectionCacheAware.
 *
 * Context: Task. May sleep.
 */
void ex_cleanup_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	atomic_long_t __percpu *slots = ref->percpu;

	if (!ex_cache_aware_retire(ref, _RET_IP_))
		return;
	if (!(ref->flags & EX_OWNS_SLOTS))
		return;
	WRITE_ONCE(ref->slots, &ex_rundown_slow_slot);
	ref->percpu = NULL;
	ref->flags = 0;
	free_percpu(slots);
}
EXPORT_SYMBOL_GPL(ex_cleanup_rundown_protection_cache_aware);
