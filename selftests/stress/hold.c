// SPDX-License-Identifier: GPL-2.0
/* What a holder does, and how it is checked. */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/instruction_pointer.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>

#include "stress.h"

/* Any context, NMI included. */
void stress_violation(struct stress_run *run, enum stress_violation kind)
{
	long ms = div_u64(ktime_get_mono_fast_ns() - run->started_ns, NSEC_PER_MSEC);

	stress_count(run, violations[kind]);
	if (atomic_long_cmpxchg(&run->first_violation_ms, -1, ms) == -1 &&
	    run->settings.ops->kind != STRESS_BROKEN)
		pr_err("rundown_stress: %s: %s violated after %ld ms, at %pS\n",
		       run->settings.ops->name, stress_violation_names[kind], ms,
		       (void *)_RET_IP_);
}

/* For the _ex functions now and then, if the variant has them. */
u32 stress_pick_count(struct stress_run *run, u32 random)
{
	if (!run->settings.ops->ex || random & 7)
		return 1;
	/* Nobody can hold so many that it would be too much for a basic ref. */
	if (IS_ENABLED(CONFIG_64BIT) && !(random & 0xff))
		return EX_RUNDOWN_MAX_COUNT;
	return 2 + (random >> 8) % 1000;
}

/*
 * Look the ref up as a driver would, and acquire. All that is counted here is counted under
 * protection, so that the owner finds it when the wait returns.
 */
bool stress_acquire(struct stress_run *run, struct stress_place *place, u32 count,
		    enum stress_context context, struct stress_hold *hold)
{
	bool granted = false;
	struct stress_ref *ref;

	/* It may be replaced: its memory is there until a grace period ends, or we release. */
	rcu_read_lock();
	ref = rcu_dereference(place->ref);
	if (ref) {
		granted = run->settings.ops->acquire(ref, count, &hold->cookie);
		if (granted)
			stress_count(run, grants[context]);
		else
			stress_count(run, refusals[context]);
	}
	rcu_read_unlock();
	if (!granted)
		return false;

	this_cpu_add(*place->held, count);
	if (count > 1)
		stress_count(run, ex_grants);
	hold->place = place;
	hold->ref = ref;
	hold->object = READ_ONCE(ref->object);
	hold->count = count;
	hold->context = context;
	hold->stamp = READ_ONCE(hold->object->stamp);
	if (unlikely(!(hold->stamp & 1)))
		stress_violation(run, STRESS_STAMP_START);
	return true;
}

void stress_use(struct stress_run *run, struct stress_hold *hold)
{
	if (unlikely(READ_ONCE(hold->object->stamp) != hold->stamp))
		stress_violation(run, STRESS_STAMP_MIDDLE);
}

static void put(struct stress_run *run, struct stress_hold *hold, u32 count)
{
	/* The wait may return before the release does. */
	this_cpu_sub(*hold->place->held, count);
	run->settings.ops->release(hold->ref, count, hold->cookie);
}

/* Neither object nor ref is ours afterwards. */
void stress_release(struct stress_run *run, struct stress_hold *hold, enum stress_context context)
{
	u32 count = hold->count;

	if (unlikely(READ_ONCE(hold->object->stamp) != hold->stamp))
		stress_violation(run, STRESS_STAMP_END);
	if (hold->context != context)
		stress_count(run, handovers);
	/* In portions, too. */
	if (count > 2) {
		put(run, hold, count - 1);
		count = 1;
	}
	put(run, hold, count);
	stress_count(run, releases[context]);
}

/* Each waiter, when its wait has returned. Poisons the object. */
void stress_check_run_down(struct stress_run *run, struct stress_place *place,
			   struct stress_ref *ref)
{
	int cpu, cookie;
	long held = 0;

	stress_count(run, waits);
	for_each_possible_cpu(cpu)
		held += READ_ONCE(*per_cpu_ptr(place->held, cpu));
	if (held)
		stress_violation(run, STRESS_HELD);
	WRITE_ONCE(ref->object->stamp, 0);
	if (run->settings.ops->acquire(ref, 1, &cookie)) {
		stress_violation(run, STRESS_GRANTED);
		run->settings.ops->release(ref, 1, cookie);
	}
}
