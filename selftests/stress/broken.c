// SPDX-License-Identifier: GPL-2.0
/*
 * Run-down protection with a fault in it that looks harmless. A run that does not catch these is
 * worth nothing; so the window of each is held open a little longer than the code needs.
 *
 * What they do to the counts must not make the run hang: the true number of holders is kept beside
 * them, and a wait for a count that is too high returns when nobody holds.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include "stress.h"

static void broken_wait_while(struct stress_ref *ref, bool (*held)(struct stress_ref *ref))
{
	while (held(ref) && atomic_long_read(&ref->broken.truly_held))
		usleep_range(50, 100);
	/* The order is right: pairs with broken_released(). */
	smp_mb();
}

static bool broken_granted(struct stress_ref *ref, bool granted)
{
	if (granted)
		atomic_long_inc(&ref->broken.truly_held);
	return granted;
}

static void broken_released(struct stress_ref *ref)
{
	/* What was done with the object comes before all that makes a wait return. Ordered. */
	atomic_long_dec_return(&ref->broken.truly_held);
}

static int broken_create(struct stress_ref *ref)
{
	atomic_long_set(&ref->broken.count, 0);
	atomic_long_set(&ref->broken.outstanding, 0);
	atomic_long_set(&ref->broken.truly_held, 0);
	ref->broken.down = false;
	ref->broken.slots = alloc_percpu(long);
	return ref->broken.slots ? 0 : -ENOMEM;
}

static void broken_destroy(struct stress_ref *ref)
{
	free_percpu(ref->broken.slots);
}

static bool broken_outstanding(struct stress_ref *ref)
{
	return atomic_long_read(&ref->broken.outstanding) > 0;
}

/*
 * The basic ref without the BIAS: between the exchange and the addition outstanding is zero, and
 * another waiter takes that for the end.
 */
static bool no_bias_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	return broken_granted(ref, !atomic_long_add_negative(1, &ref->broken.count));
}

static void no_bias_release(struct stress_ref *ref, u32 count, int cookie)
{
	long old = atomic_long_read(&ref->broken.count);

	broken_released(ref);
	do {
		if (old <= 0) {
			atomic_long_dec(&ref->broken.outstanding);
			return;
		}
	} while (!atomic_long_try_cmpxchg(&ref->broken.count, &old, old - 1));
}

static void no_bias_wait(struct stress_ref *ref)
{
	long old = atomic_long_xchg(&ref->broken.count, EX_RUNDOWN_DEAD);

	if (old >= 0) {
		usleep_range(50, 100);
		atomic_long_add(old, &ref->broken.outstanding);
	}
	broken_wait_while(ref, broken_outstanding);
}

static void no_bias_reinitialize(struct stress_ref *ref)
{
	atomic_long_set(&ref->broken.outstanding, 0);
	atomic_long_set_release(&ref->broken.count, 0);
}

#define BROKEN								\
	.kind = STRESS_BROKEN,						\
	.contexts = STRESS_ALL_CONTEXTS & ~BIT(STRESS_NMI),		\
	.handover = true,						\
	.max_refs = 1024,						\
	.create = broken_create,					\
	.destroy = broken_destroy

const struct stress_ops stress_broken_no_bias = {
	BROKEN,
	.name = "broken_no_bias",
	.acquire = no_bias_acquire,
	.release = no_bias_release,
	.wait = no_bias_wait,
	.reinitialize = no_bias_reinitialize,
};

/*
 * A flag, and then a counter a CPU, summed up from afar: a holder that has passed the flag may not
 * have counted yet.
 */
static bool two_steps_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	/* Acquire: pairs with the opening; the object is read after that. */
	if (smp_load_acquire(&ref->broken.down))
		return false;
	udelay(5);
	this_cpu_inc(*ref->broken.slots);
	return broken_granted(ref, true);
}

static void two_steps_release(struct stress_ref *ref, u32 count, int cookie)
{
	broken_released(ref);
	this_cpu_dec(*ref->broken.slots);
}

static bool two_steps_held(struct stress_ref *ref)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(ref->broken.slots, cpu));
	return sum > 0;
}

static void two_steps_wait(struct stress_ref *ref)
{
	WRITE_ONCE(ref->broken.down, true);
	broken_wait_while(ref, two_steps_held);
}

static void two_steps_reinitialize(struct stress_ref *ref)
{
	/* Release: pairs with the acquire in two_steps_acquire(). The fault is not here. */
	smp_store_release(&ref->broken.down, false);
}

const struct stress_ops stress_broken_two_steps = {
	BROKEN,
	.name = "broken_two_steps",
	.acquire = two_steps_acquire,
	.release = two_steps_release,
	.wait = two_steps_wait,
	.reinitialize = two_steps_reinitialize,
};

/*
 * The cache-aware ref with a tour of the CPUs that are online, only: what was acquired on a CPU
 * that has gone is not found, and when it comes back, it still grants.
 */
static bool no_offline_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	return broken_granted(ref, this_cpu_add_return(*ref->broken.slots, 1) >
					   EX_RUNDOWN_DEAD / 2);
}

static void no_offline_release(struct stress_ref *ref, u32 count, int cookie)
{
	broken_released(ref);
	if (this_cpu_sub_return(*ref->broken.slots, 1) <= EX_RUNDOWN_DEAD / 2)
		atomic_long_dec(&ref->broken.outstanding);
}

static void no_offline_harvest(void *arg)
{
	struct stress_ref *ref = arg;
	long old = this_cpu_xchg(*ref->broken.slots, EX_RUNDOWN_DEAD);

	if (old > EX_RUNDOWN_DEAD / 2)
		atomic_long_add(old, &ref->broken.outstanding);
}

static void no_offline_revive(void *arg)
{
	struct stress_ref *ref = arg;

	this_cpu_write(*ref->broken.slots, 0);
}

/*
 * A CPU that has gone is to come back, and holders to run on it, before this is over. On a kernel
 * that is emulated, with all checks, that takes a CPU more than half a second.
 */
static void no_offline_linger(void)
{
	unsigned int online = num_online_cpus();
	int ms;

	for (ms = 0; ms < 3000 && num_online_cpus() <= online; ms += 5)
		usleep_range(5000, 6000);
	msleep(100);
}

static void no_offline_wait(struct stress_ref *ref)
{
	on_each_cpu(no_offline_harvest, ref, 1);
	broken_wait_while(ref, broken_outstanding);
	if (num_online_cpus() < num_present_cpus())
		no_offline_linger();
}

static void no_offline_reinitialize(struct stress_ref *ref)
{
	atomic_long_set(&ref->broken.outstanding, 0);
	on_each_cpu(no_offline_revive, ref, 1);
}

const struct stress_ops stress_broken_no_offline = {
	BROKEN,
	.name = "broken_no_offline",
	.acquire = no_offline_acquire,
	.release = no_offline_release,
	.wait = no_offline_wait,
	.reinitialize = no_offline_reinitialize,
};
