// SPDX-License-Identifier: GPL-2.0
/* Peers that are read-side critical sections: RCU in its flavours, and semaphores held to read. */
#include <linux/rcupdate.h>
#include <linux/rcupdate_wait.h>

#include "subject.h"

/* RCU as the kernel is configured: preemptible, or a mere barrier(). */
static void rcu_down(struct bench_object *object)
{
	synchronize_rcu();
}

BENCH_PAIRS(rcu, void *__maybe_unused, NULL, (rcu_read_lock(), true), rcu_read_unlock())

const struct bench_subject bench_rcu = {
	.name = "rcu",
	.pairs = rcu_pairs,
	.title = IS_ENABLED(CONFIG_PREEMPT_RCU) ? "rcu_read_lock(), preemptible" :
						  "rcu_read_lock(), not preemptible",
	.kind = BENCH_PEER,
	.down = rcu_down,
};

static void rcu_expedited_down(struct bench_object *object)
{
	synchronize_rcu_expedited();
}

const struct bench_subject bench_rcu_expedited = {
	.name = "rcu_expedited",
	.title = "synchronize_rcu_expedited()",
	.kind = BENCH_PEER,
	.down = rcu_expedited_down,
};

/* What rcu_read_lock() is on a kernel that counts preempt_disable() but has no preemptible RCU. */
BENCH_PAIRS(rcu_sched, void *__maybe_unused, NULL, (rcu_read_lock_sched(), true),
	    rcu_read_unlock_sched())

const struct bench_subject bench_rcu_sched = {
	.name = "rcu_sched",
	.pairs = rcu_sched_pairs,
	.title = "rcu_read_lock_sched()",
	.kind = BENCH_PEER,
};

/* What is seldom written is apart since 6.4. */
#ifdef __SRCU_USAGE_INIT
#define SRCU_BYTES	(sizeof(struct srcu_struct) + sizeof(struct srcu_usage))
#else
#define SRCU_BYTES	sizeof(struct srcu_struct)
#endif

static int srcu_create(struct bench_object *object)
{
	return init_srcu_struct(&object->srcu);
}

static void srcu_destroy(struct bench_object *object)
{
	cleanup_srcu_struct(&object->srcu);
}

static void srcu_down(struct bench_object *object)
{
	synchronize_srcu(&object->srcu);
}

static bool srcu_pairs(struct bench_object *object, unsigned long n)
{
	do {
		int index = srcu_read_lock(&object->srcu);

		srcu_read_unlock(&object->srcu, index);
	} while (--n);
	return true;
}

const struct bench_subject bench_srcu = {
	.name = "srcu",
	BENCH_OWN(srcu),
	.pairs = srcu_pairs,
	.title = "srcu_read_lock()",
	.kind = BENCH_PEER,
	.bytes = SRCU_BYTES,
#ifdef CONFIG_TREE_SRCU
	.bytes_percpu = sizeof(struct srcu_data),
#endif
	.down = srcu_down,
};

/*
 * Readers without a barrier, at the price of grace periods that are made of RCU's. Where there are
 * both flavours: 6.15 had but the first, and no init for it.
 */
#ifdef SRCU_READ_FLAVOR_FAST_UPDOWN
#define SRCU_FAST_PAIRS(flavour)							\
static bool srcu_##flavour##_pairs(struct bench_object *object, unsigned long n)	\
{											\
	do {										\
		struct srcu_ctr __percpu *counter =					\
			srcu_read_lock_##flavour(&object->srcu);			\
											\
		srcu_read_unlock_##flavour(&object->srcu, counter);			\
	} while (--n);									\
	return true;									\
}

#define SRCU_FAST									\
	.destroy = srcu_destroy,							\
	.kind = BENCH_PEER,								\
	.bytes = SRCU_BYTES,								\
	.bytes_percpu = sizeof(struct srcu_data)

static int srcu_fast_create(struct bench_object *object)
{
	return init_srcu_struct_fast(&object->srcu);
}

SRCU_FAST_PAIRS(fast)

const struct bench_subject bench_srcu_fast = {
	SRCU_FAST,
	.name = "srcu_fast",
	.title = "srcu_read_lock_fast()",
	.create = srcu_fast_create,
	.pairs = srcu_fast_pairs,
	.down = srcu_down,
};

static int srcu_fast_updown_create(struct bench_object *object)
{
	return init_srcu_struct_fast_updown(&object->srcu);
}

SRCU_FAST_PAIRS(fast_updown)

const struct bench_subject bench_srcu_fast_updown = {
	SRCU_FAST,
	.name = "srcu_fast_updown",
	.title = "srcu_read_lock_fast_updown()",
	.create = srcu_fast_updown_create,
	.pairs = srcu_fast_updown_pairs,
	.down = srcu_down,
};

static void srcu_fast_expedited_down(struct bench_object *object)
{
	synchronize_srcu_expedited(&object->srcu);
}

const struct bench_subject bench_srcu_fast_expedited = {
	SRCU_FAST,
	.name = "srcu_fast_expedited",
	.title = "synchronize_srcu_expedited(), fast",
	.create = srcu_fast_create,
	.down = srcu_fast_expedited_down,
};
#endif

static int rwsem_create(struct bench_object *object)
{
	init_rwsem(&object->rwsem);
	return 0;
}

/* Given back at once: the objects are of one lock class, and nobody may hold two of one. */
static void rwsem_down(struct bench_object *object)
{
	down_write(&object->rwsem);
	up_write(&object->rwsem);
}

BENCH_PAIRS(rwsem, struct rw_semaphore *, &object->rwsem, down_read_trylock(ref), up_read(ref))

const struct bench_subject bench_rwsem = {
	.name = "rwsem",
	.create = rwsem_create,
	.pairs = rwsem_pairs,
	.title = "down_read_trylock()",
	.kind = BENCH_PEER,
	.bytes = sizeof(struct rw_semaphore),
	.down = rwsem_down,
};

static int percpu_rwsem_create(struct bench_object *object)
{
	return percpu_init_rwsem(&object->percpu_rwsem);
}

static void percpu_rwsem_destroy(struct bench_object *object)
{
	percpu_free_rwsem(&object->percpu_rwsem);
}

static void percpu_rwsem_down(struct bench_object *object)
{
	percpu_down_write(&object->percpu_rwsem);
	percpu_up_write(&object->percpu_rwsem);
}

/* For a grace period a writer leaves readers their slow way, and the next writer a short one. */
static void percpu_rwsem_settle(void)
{
	rcu_barrier();
}

BENCH_PAIRS(percpu_rwsem, struct percpu_rw_semaphore *, &object->percpu_rwsem,
	    percpu_down_read_trylock(ref), percpu_up_read(ref))

const struct bench_subject bench_percpu_rwsem = {
	.name = "percpu_rwsem",
	BENCH_OWN(percpu_rwsem),
	.pairs = percpu_rwsem_pairs,
	.title = "percpu_down_read_trylock()",
	.kind = BENCH_PEER,
	.bytes = sizeof(struct percpu_rw_semaphore),
	.bytes_percpu = sizeof(unsigned int),
	.down = percpu_rwsem_down,
	.settle = percpu_rwsem_settle,
};
