// SPDX-License-Identifier: GPL-2.0
/* The memory of a cache-aware ref: whose it is, and how it comes and goes. */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "cache_aware.h"
#include "drain.h"
#include "ex_rundown.h"
#include "misuse.h"
#include "slot.h"

/* What is allocated for a ref; the head is for who frees it by RCU. */
struct ex_allocated {
	struct ex_rundown_ref_cache_aware ref;
	struct rcu_head rcu;
};

/* Make @ref live with the slots it was given. */
static void ex_cache_aware_setup(struct ex_rundown_ref_cache_aware *ref, bool locked,
				 unsigned int flags)
{
	int cpu;

	if (!EX_RUNDOWN_PLAIN_SLOTS)
		locked = true;
	for_each_possible_cpu(cpu)
		atomic_long_set(ex_slot_of(ref, cpu), EX_RUNDOWN_SLOT_LIVE);
	/* Of what lay there before. */
	__ex_rundown_forget(ref);
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
 * Takes 56 bytes, and 8 bytes a possible CPU (32-bit: 32 and 4).
 *
 * Stands for ExAllocateCacheAwareRundownProtection.
 *
 * Context: As @gfp allows; not hardirq or NMI. On PREEMPT_RT not with preemption or IRQs off.
 * Return: the ref, to be freed by ex_free_cache_aware_rundown_protection(); NULL without memory.
 */
struct ex_rundown_ref_cache_aware *ex_allocate_cache_aware_rundown_protection(gfp_t gfp)
{
	struct ex_allocated *allocated = kzalloc(sizeof(*allocated), gfp);

	if (!allocated)
		return NULL;
	allocated->ref.percpu = alloc_percpu_gfp(atomic_long_t, gfp);
	if (!allocated->ref.percpu) {
		kfree(allocated);
		return NULL;
	}
	ex_cache_aware_setup(&allocated->ref, false, EX_OWNS_SLOTS | EX_ALLOCATED);
	return &allocated->ref;
}
EXPORT_SYMBOL_GPL(ex_allocate_cache_aware_rundown_protection);

/* True if nobody holds @ref, and nobody will. */
static bool ex_cache_aware_retire(struct ex_rundown_ref_cache_aware *ref, unsigned long caller)
{
	might_sleep();
	if (ex_cache_aware_uninitialized(ref, caller))
		return false;
	ex_cache_aware_start(ref, false, caller);
	if (atomic_long_read_acquire(&ref->outstanding)) {
		ex_rundown_report(EX_MISUSE_FREE_HELD, ref, caller);
		return false;
	}
	__ex_rundown_forget(ref);
	return true;
}

/* As above, of an allocated ref: what is to be freed of it, or NULL. */
static struct ex_allocated *ex_cache_aware_retire_allocated(struct ex_rundown_ref_cache_aware *ref,
							    unsigned long caller)
{
	if (!ref)
		return NULL;
	if (!(ref->flags & EX_ALLOCATED)) {
		ex_rundown_report(EX_MISUSE_FREE_FOREIGN, ref, caller);
		return NULL;
	}
	if (!ex_cache_aware_retire(ref, caller))
		return NULL;
	return container_of(ref, struct ex_allocated, ref);
}

static void ex_allocated_free(struct ex_allocated *allocated)
{
	free_percpu(allocated->ref.percpu);
	kfree(allocated);
}

static void ex_allocated_free_rcu(struct rcu_head *rcu)
{
	ex_allocated_free(container_of(rcu, struct ex_allocated, rcu));
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
	struct ex_allocated *allocated = ex_cache_aware_retire_allocated(ref, _RET_IP_);

	if (allocated)
		ex_allocated_free(allocated);
}
EXPORT_SYMBOL_GPL(ex_free_cache_aware_rundown_protection);

/**
 * ex_rundown_free_rcu_cache_aware() - free an allocated cache-aware ref after a grace period
 * @ref: the ref; NULL has no effect
 *
 * As ex_free_cache_aware_rundown_protection(), for a ref that is looked up under RCU: who found it
 * in an RCU read-side critical section may still call acquire there, and is refused. Unpublish it
 * before. RCU readers may already hold protection, so run the ref down first. Returns without
 * waiting for the grace period.
 *
 * Context: Task. May sleep.
 */
void ex_rundown_free_rcu_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	struct ex_allocated *allocated = ex_cache_aware_retire_allocated(ref, _RET_IP_);

	if (allocated)
		call_rcu(&allocated->rcu, ex_allocated_free_rcu);
}
EXPORT_SYMBOL_GPL(ex_rundown_free_rcu_cache_aware);

static void ex_cache_aware_devm_free(void *ref)
{
	ex_wait_for_rundown_protection_release_cache_aware(ref);
	ex_rundown_free_rcu_cache_aware(ref);
}

/**
 * devm_ex_rundown_allocate_cache_aware() - allocate a live cache-aware ref for a device
 * @dev: the device
 *
 * When the driver is unbound the ref is run down, its holders are waited for, and it is freed, by
 * RCU: after the driver's remove() and after what was allocated later with devm, before what was
 * allocated earlier. So what its holders use is to be allocated before it; and who can still
 * acquire when remove() has returned must have no way to do so when the driver is gone.
 *
 * Context: Task. May sleep.
 * Return: the ref; NULL without memory.
 */
struct ex_rundown_ref_cache_aware *devm_ex_rundown_allocate_cache_aware(struct device *dev)
{
	struct ex_rundown_ref_cache_aware *ref;

	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	if (ref && devm_add_action(dev, ex_cache_aware_devm_free, ref)) {
		ex_free_cache_aware_rundown_protection(ref);
		return NULL;
	}
	return ref;
}
EXPORT_SYMBOL_GPL(devm_ex_rundown_allocate_cache_aware);

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
