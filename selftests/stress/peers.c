// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own primitives under the same load, each where it may be used. That they pass shows
 * that the load is fair.
 */
#include "stress.h"

/*
 * percpu_ref: not in NMI, since the last put completes; the rest of run-down protection is put
 * together here from the kill, the release callback and a completion. It writes its mode with plain
 * stores beside the reads of get and put, which are in-line here: KCSAN would tell of that.
 */
static void peer_percpu_ref_zero(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct stress_percpu_ref, ref)->zero);
}

static int peer_percpu_ref_create(struct stress_ref *ref)
{
	init_completion(&ref->percpu_ref.zero);
	atomic_set(&ref->percpu_ref.down, 0);
	return percpu_ref_init(&ref->percpu_ref.ref, peer_percpu_ref_zero,
			       PERCPU_REF_ALLOW_REINIT, GFP_KERNEL);
}

static void peer_percpu_ref_destroy(struct stress_ref *ref)
{
	percpu_ref_exit(&ref->percpu_ref.ref);
}

static bool peer_percpu_ref_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	/* Against percpu_ref_resurrect(). */
	return data_race(percpu_ref_tryget_live(&ref->percpu_ref.ref));
}

static void peer_percpu_ref_release(struct stress_ref *ref, u32 count, int cookie)
{
	/* Against percpu_ref_kill(). */
	data_race((percpu_ref_put(&ref->percpu_ref.ref), 0));
}

static void peer_percpu_ref_wait(struct stress_ref *ref)
{
	if (!atomic_xchg(&ref->percpu_ref.down, 1))
		percpu_ref_kill(&ref->percpu_ref.ref);
	wait_for_completion(&ref->percpu_ref.zero);
	/* For the next waiter. complete_all() must not be called in interrupts on PREEMPT_RT. */
	complete(&ref->percpu_ref.zero);
}

static void peer_percpu_ref_reinitialize(struct stress_ref *ref)
{
	reinit_completion(&ref->percpu_ref.zero);
	percpu_ref_reinit(&ref->percpu_ref.ref);
	atomic_set(&ref->percpu_ref.down, 0);
}

const struct stress_ops stress_peer_percpu_ref = {
	.name = "percpu_ref",
	.kind = STRESS_PEER,
	.contexts = STRESS_ALL_CONTEXTS & ~BIT(STRESS_NMI),
	.handover = true,
	.replaceable = true,
	.max_refs = 1024,
	.create = peer_percpu_ref_create,
	.destroy = peer_percpu_ref_destroy,
	.acquire = peer_percpu_ref_acquire,
	.release = peer_percpu_ref_release,
	.wait = peer_percpu_ref_wait,
	.reinitialize = peer_percpu_ref_reinitialize,
};

/* SRCU, with a flag as drm_dev_enter() has it: released where it was acquired, and not in NMI. */
static int peer_srcu_create(struct stress_ref *ref)
{
	ref->srcu.down = false;
	return init_srcu_struct(&ref->srcu.srcu);
}

static void peer_srcu_destroy(struct stress_ref *ref)
{
	cleanup_srcu_struct(&ref->srcu.srcu);
}

static bool peer_srcu_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	*cookie = srcu_read_lock(&ref->srcu.srcu);
	__release(&ref->srcu.srcu);	/* sparse can't follow it to the release */
	/* Acquire: pairs with the opening; the object is read after that. */
	if (!smp_load_acquire(&ref->srcu.down))
		return true;
	__acquire(&ref->srcu.srcu);
	srcu_read_unlock(&ref->srcu.srcu, *cookie);
	return false;
}

static void peer_srcu_release(struct stress_ref *ref, u32 count, int cookie)
{
	__acquire(&ref->srcu.srcu);
	srcu_read_unlock(&ref->srcu.srcu, cookie);
}

static void peer_srcu_wait(struct stress_ref *ref)
{
	WRITE_ONCE(ref->srcu.down, true);
	synchronize_srcu(&ref->srcu.srcu);
}

static void peer_srcu_reinitialize(struct stress_ref *ref)
{
	/* Release: pairs with the acquire in peer_srcu_acquire(). */
	smp_store_release(&ref->srcu.down, false);
}

const struct stress_ops stress_peer_srcu = {
	.name = "srcu",
	.kind = STRESS_PEER,
	.contexts = STRESS_ALL_CONTEXTS & ~BIT(STRESS_NMI),
	.replaceable = true,
	.max_refs = 1024,
	.create = peer_srcu_create,
	.destroy = peer_srcu_destroy,
	.acquire = peer_srcu_acquire,
	.release = peer_srcu_release,
	.wait = peer_srcu_wait,
	.reinitialize = peer_srcu_reinitialize,
};

/* rw_semaphore: in tasks, and released by the task that acquired. */
static int peer_rwsem_create(struct stress_ref *ref)
{
	ref->rwsem.down = false;
	init_rwsem(&ref->rwsem.sem);
	return 0;
}

static void peer_rwsem_destroy(struct stress_ref *ref)
{
}

static bool peer_rwsem_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	if (!down_read_trylock(&ref->rwsem.sem))
		return false;
	if (!ref->rwsem.down)
		return true;
	up_read(&ref->rwsem.sem);
	return false;
}

static void peer_rwsem_release(struct stress_ref *ref, u32 count, int cookie)
{
	up_read(&ref->rwsem.sem);
}

static void peer_rwsem_set_down(struct stress_ref *ref, bool down)
{
	down_write(&ref->rwsem.sem);
	ref->rwsem.down = down;
	up_write(&ref->rwsem.sem);
}

static void peer_rwsem_wait(struct stress_ref *ref)
{
	peer_rwsem_set_down(ref, true);
}

static void peer_rwsem_reinitialize(struct stress_ref *ref)
{
	peer_rwsem_set_down(ref, false);
}

const struct stress_ops stress_peer_rwsem = {
	.name = "rwsem",
	.kind = STRESS_PEER,
	.contexts = STRESS_TASK_CONTEXTS,
	.replaceable = true,
	.max_refs = 1024,
	.create = peer_rwsem_create,
	.destroy = peer_rwsem_destroy,
	.acquire = peer_rwsem_acquire,
	.release = peer_rwsem_release,
	.wait = peer_rwsem_wait,
	.reinitialize = peer_rwsem_reinitialize,
};
