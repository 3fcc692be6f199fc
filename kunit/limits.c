// SPDX-License-Identifier: GPL-2.0
/*
 * Counts near the ends of their encodings, where decades of one-way traffic would take them: set
 * directly, with an equal and opposite change elsewhere, so that nothing is held.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>

#include "fixture.h"

/* The most that may be held on a basic ref, as the header promises. */
#define BASIC_MOST	(BITS_PER_LONG == 64 ? (long)(1LL << 46) - 1 : (1L << 21) - 1)
/* One that is held, in outstanding. */
#define BASIC_ONE	((LONG_MAX / (BASIC_MOST + 1) + 1) / 2)

static void rundown_limits_test_basic_most_is_exact(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	atomic_long_set(&ref->count, BASIC_MOST - 1);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	EXPECT_MISUSE(test, EX_MISUSE_COMPLETED_HELD, subject_completed(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	/* Release all but two, if releasing as many took no time. */
	atomic_long_set(&ref->outstanding, atomic_long_read(&ref->outstanding) / BASIC_MOST * 2);
	expect_exactly_held(test, subject, 2);
}

static void rundown_limits_test_basic_wait_overflow(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	atomic_long_set(&ref->count, 2 * BASIC_MOST + 2);
	EXPECT_MISUSE(test, EX_MISUSE_WAIT_OVERFLOW, subject_completed(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	/* Never run down, rather than run down with holders. */
	EXPECT_MISUSE(test, EX_MISUSE_REINITIALIZE, subject_reinitialize(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
}

/* An acquire of too many is between its two halves when a run-down begins. */
static void rundown_limits_test_basic_wait_meets_overflow(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;
	bool granted = true;
	long now;

	atomic_long_set(&ref->count, BASIC_MOST);
	now = atomic_long_add_return(EX_RUNDOWN_MAX_COUNT, &ref->count);
	subject->ops->start(subject->ref);
	EXPECT_MISUSE(test, EX_MISUSE_ACQUIRE_OVERFLOW,
		      granted = __ex_acquire_rundown_protection_ex(ref, EX_RUNDOWN_MAX_COUNT, now,
								   _THIS_IP_));
	KUNIT_EXPECT_FALSE(test, granted);
	/* Release all but two, if releasing as many took no time. */
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->outstanding), BASIC_MOST * BASIC_ONE);
	atomic_long_set(&ref->outstanding, 2 * BASIC_ONE);
	expect_exactly_held(test, subject, 2);
}

static void rundown_limits_test_basic_acquire_overflow(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	atomic_long_set(&ref->count, LONG_MAX);
	EXPECT_MISUSE(test, EX_MISUSE_ACQUIRE_OVERFLOW,
		      KUNIT_EXPECT_FALSE(test, subject_acquire(subject)));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->count), LONG_MAX);
	EXPECT_MISUSE(test, EX_MISUSE_ACQUIRE_OVERFLOW,
		      KUNIT_EXPECT_FALSE(test, subject_acquire_ex(subject, EX_RUNDOWN_MAX_COUNT)));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->count), LONG_MAX);
	subject_release(subject);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->count), LONG_MAX - 1);
}

static void rundown_limits_test_basic_ex_stops_at_most_held(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	atomic_long_set(&ref->count, EX_RUNDOWN_MAX_HELD - 3);
	KUNIT_EXPECT_TRUE(test, subject_acquire_ex(subject, 3));
	EXPECT_MISUSE(test, EX_MISUSE_ACQUIRE_OVERFLOW,
		      KUNIT_EXPECT_FALSE(test, subject_acquire_ex(subject, 1)));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->count), EX_RUNDOWN_MAX_HELD);
	atomic_long_set(&ref->count, 0);
}

/* As much is there, so that nothing else would refuse it. */
static void rundown_limits_test_basic_release_count_too_big(struct kunit *test)
{
	const long held = min(EX_RUNDOWN_MAX_HELD, 3L * EX_RUNDOWN_MAX_COUNT);
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	atomic_long_set(&ref->count, held);
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_COUNT,
		      subject_release_ex(subject, EX_RUNDOWN_MAX_COUNT + 1));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->count), held);
	atomic_long_set(&ref->count, 0);
}

/* While another's overflow is being undone, the count is of a live ref with enough to release. */
static void rundown_limits_test_basic_release_beside_overflow(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	atomic_long_set(&ref->count, LONG_MIN + 1);
	subject_release(subject);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->count), LONG_MIN);
	subject_release_ex(subject, 2);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->count), LONG_MAX - 1);
}

static void rundown_limits_test_basic_drifted_dead_count_is_put_back(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;
	const long end = EX_RUNDOWN_DEAD / 2;

	subject_wait(subject);
	/* One refusal before the end of the zone. */
	atomic_long_set(&ref->count, end - EX_RUNDOWN_MAX_COUNT - 1);
	KUNIT_EXPECT_FALSE(test, subject_acquire_ex(subject, EX_RUNDOWN_MAX_COUNT));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->count), EX_RUNDOWN_DEAD);
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

/* Refused, and before that is told the ref has been opened again. */
static void rundown_limits_test_basic_old_drift_is_left_alone(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;
	const long then = EX_RUNDOWN_DEAD / 2 - 1;

	KUNIT_EXPECT_FALSE(test, __ex_acquire_rundown_protection_ex(ref, 1, then, _THIS_IP_));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->count), 0L);
}

/* Another wait's BIAS is in it, which has found two held and not added them; they are released. */
static void rundown_limits_test_basic_negative_under_bias(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;
	const long others = 1 - 2 * BASIC_ONE;

	atomic_long_set(&ref->outstanding, others);
	subject_completed(subject);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ref->outstanding), others);
}

static void reinitialize(void *subject)
{
	subject_reinitialize(subject);
}

/* A wait that saw the ref live, before another ran it down, has its BIAS in, and soon no more. */
static void rundown_limits_test_basic_reinitialize_outlasts_bias(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;
	struct thread *owner;

	if (num_online_cpus() < 2)
		kunit_skip(test, "no CPU beside this one");
	subject_wait(subject);
	atomic_long_inc(&ref->outstanding);
	owner = thread_run(test, reinitialize, subject, ANY_CPU);
	msleep(STAYS_MS);
	KUNIT_EXPECT_FALSE(test, thread_ended(owner));
	atomic_long_dec(&ref->outstanding);
	if (!thread_join(test, owner))
		return;
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

#ifdef CONFIG_PREEMPT_COUNT
static void note_preempt_count(void *arg)
{
	*(int *)arg = preempt_count();
}

/* While the BIAS of a wait is in, others wait for it, and there is room for one a CPU. */
static void rundown_limits_test_basic_bias_with_preemption_off(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;
	int noted = 0, outside;
	struct call_probe report = {
		.kp.symbol_name = "ex_rundown_report",
		.hook = note_preempt_count,
		.arg = &noted,
	};

	call_probe_begin(test, &report);
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, subject_release(subject));
	outside = noted;
	atomic_long_set(&ref->count, 2 * BASIC_MOST + 2);
	EXPECT_MISUSE(test, EX_MISUSE_WAIT_OVERFLOW, subject_completed(subject));
	KUNIT_EXPECT_EQ(test, call_probe_end(&report), 2);
	KUNIT_EXPECT_EQ(test, noted, outside + 1);
}
#endif

static void rundown_limits_test_basic_drift_does_not_disturb_holders(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	waiter = waiter_start_blocked(test, subject);
	atomic_long_set(&ref->count, EX_RUNDOWN_DEAD / 2 - 2);
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	subject_release(subject);
	waiter_expect_blocked(test, subject, waiter);
	subject_release(subject);
	thread_join(test, waiter);
}

#if BITS_PER_LONG == 64
#define ZONE	((s64)BIT_ULL(61))

/* How far a slot is off, of each sort. */
struct drift {
	const struct ref_ops *ops;
	s64 by;
};

static const struct drift drifts[] = {
	{ &allocated_ops, EX_SLOT64_MAX_DRIFT + 9 },
	{ &no_ipi_ops, EX_SLOT64_MAX_DRIFT + 9 },
	{ &allocated_ops, 2 * ZONE - 3 },
	{ &no_ipi_ops, 2 * ZONE - 3 },
	{ &allocated_ops, 3 * ZONE - U32_MAX },
	{ &no_ipi_ops, 3 * ZONE - U32_MAX },
	{ &allocated_ops, -EX_SLOT64_MAX_DRIFT - 9 },
	{ &no_ipi_ops, -EX_SLOT64_MAX_DRIFT - 9 },
	{ &allocated_ops, -2 * ZONE - 3 },
	{ &no_ipi_ops, -2 * ZONE - 3 },
	{ &allocated_ops, -3 * ZONE + U32_MAX },
	{ &no_ipi_ops, -3 * ZONE + U32_MAX },
};

/* Those that may add up. */
static const struct drift small_drifts[] = {
	{ &allocated_ops, EX_SLOT64_MAX_DRIFT + 9 },
	{ &no_ipi_ops, EX_SLOT64_MAX_DRIFT + 9 },
	{ &allocated_ops, -EX_SLOT64_MAX_DRIFT - 9 },
	{ &no_ipi_ops, -EX_SLOT64_MAX_DRIFT - 9 },
};

static void describe_drift(const struct drift *drift, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, by %lld", drift->ops->name, drift->by);
}

KUNIT_ARRAY_PARAM(each_drift, drifts, describe_drift);
KUNIT_ARRAY_PARAM(each_small_drift, small_drifts, describe_drift);

/* A live ref whose slot of CPU @cpu has drifted. */
static struct subject *drifted_subject(struct kunit *test, int cpu)
{
	const struct drift *drift = test->param_value;
	struct subject *subject = subject_create(test, drift->ops);
	struct ex_rundown_ref_cache_aware *ref = subject->ref;

	atomic_long_add(drift->by, subject_slot(subject, cpu));
	atomic_long_sub((long)((u64)drift->by * 2), &ref->outstanding);
	KUNIT_ASSERT_FALSE(test, ex_slot_dead(atomic_long_read(subject_slot(subject, cpu))));
	return subject;
}

static void rundown_limits_test_drifted_slot_is_exact(struct kunit *test)
{
	int cpu = cpumask_first(cpu_online_mask);
	struct subject *subject = drifted_subject(test, cpu);
	int i;

	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, cpu));
	for (i = 0; i < 3; i++)
		subject_release_on(subject, cpu);
	expect_exactly_held(test, subject, 2);
}

/* The same without a look at the ref: one acquire in which the slot may change its sign. */
static void rundown_limits_test_idle_drifted_slot_is_idle(struct kunit *test)
{
	int cpu = cpumask_first(cpu_online_mask);
	struct subject *subject = drifted_subject(test, cpu);

	thread_join(test, waiter_start(test, subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire_on(subject, cpu));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, cpu));
	expect_exactly_held(test, subject, 1);
}

static void rundown_limits_test_ex_acquire_recentres(struct kunit *test)
{
	int cpu = cpumask_first(cpu_online_mask);
	struct subject *subject = drifted_subject(test, cpu);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex_on(subject, cpu, 7));
	KUNIT_EXPECT_EQ(test, atomic_long_read(subject_slot(subject, cpu)), EX_RUNDOWN_SLOT_LIVE);
	subject_release_ex_on(subject, cpu, 5);
	expect_exactly_held(test, subject, 2);
}

static void rundown_limits_test_ex_release_recentres(struct kunit *test)
{
	int cpu = cpumask_first(cpu_online_mask);
	struct subject *subject = drifted_subject(test, cpu);
	int i;

	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, other_cpu(cpu)));
	subject_release_ex_on(subject, cpu, 3);
	KUNIT_EXPECT_EQ(test, ex_slot_drifted(atomic_long_read(subject_slot(subject, cpu))), 0);
	expect_exactly_held(test, subject, 2);
}

/* A slot that drifts again and again while interrupts acquire on its CPU; others release it. */
#define RECENTRE_MS	200

struct interrupts {
	struct subject *subject;
	int cpu;
	bool end;
	int taken;
};

static void acquire_by_interrupt(void *arg)
{
	struct interrupts *interrupts = arg;

	while (!READ_ONCE(interrupts->end)) {
		if (!subject_acquire_on(interrupts->subject, interrupts->cpu))
			break;
		subject_release(interrupts->subject);
		WRITE_ONCE(interrupts->taken, interrupts->taken + 1);
		cond_resched();
	}
}

static void rundown_limits_test_recentres_under_interrupts(struct kunit *test)
{
	struct interrupts *interrupts = share_zalloc(test, sizeof(*interrupts));
	const struct drift *drift = test->param_value;
	struct subject *subject = subject_create(test, drift->ops);
	struct ex_rundown_ref_cache_aware *ref = subject->ref;
	int here = cpumask_first(cpu_online_mask), cpu, granted = 0;
	atomic_long_t *slot = subject_slot(subject, here);
	unsigned long end, stuck;
	struct thread *thread;
	u64 sum;

	interrupts->subject = subject;
	interrupts->cpu = here;
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(here)));
	thread = thread_run(test, acquire_by_interrupt, interrupts, other_cpu(here));
	end = jiffies + msecs_to_jiffies(RECENTRE_MS);
	stuck = jiffies + msecs_to_jiffies(STUCK_MS);
	/* Until there were some; CPUs that wait for their turn may take longer. */
	while (time_before(jiffies, end) ||
	       (!(granted && READ_ONCE(interrupts->taken)) && time_before(jiffies, stuck))) {
		atomic_long_add(drift->by, slot);
		atomic_long_sub((long)((u64)drift->by * 2), &ref->outstanding);
		granted += subject_acquire_ex(subject, 7);
		subject_release_ex(subject, 6);
		subject_release(subject);
		cond_resched();
	}
	WRITE_ONCE(interrupts->end, true);
	if (!thread_join(test, thread))
		return;
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	KUNIT_EXPECT_GT(test, interrupts->taken, 0);
	KUNIT_EXPECT_GT(test, granted, 0);
	/* Nothing is held. */
	sum = atomic_long_read(&ref->outstanding);
	for_each_possible_cpu(cpu)
		sum += ex_slot_twice_held(atomic_long_read(subject_slot(subject, cpu)));
	KUNIT_EXPECT_EQ(test, (s64)sum, (s64)EX_RUNDOWN_TOKEN);
}

static void rundown_limits_test_largest_ex_stays_exact(struct kunit *test)
{
	int cpu = cpumask_first(cpu_online_mask);
	struct subject *subject = drifted_subject(test, cpu);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex_on(subject, cpu, EX_RUNDOWN_MAX_COUNT));
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex_on(subject, other_cpu(cpu), 2));
	subject_release_ex_on(subject, cpu, EX_RUNDOWN_MAX_COUNT);
	expect_exactly_held(test, subject, 2);
}

static void rundown_limits_test_sum_of_all_slots(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct ex_rundown_ref_cache_aware *ref = subject->ref;
	s64 sum = 0;
	int cpu;

	/* Off by more and more, every other one in the other direction; all of them live. */
	for_each_online_cpu(cpu) {
		s64 by = (cpu & 1 ? -1 : 1) * (ZONE + cpu % 16 * (ZONE / 8));

		atomic_long_add(by, subject_slot(subject, cpu));
		sum = (s64)((u64)sum + (u64)by * 2);
		KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, cpu));
		subject_release_on(subject, other_cpu(cpu));
	}
	atomic_long_sub(sum, &ref->outstanding);
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	expect_exactly_held(test, subject, 2);
}

static void dead_slot(struct kunit *test, s64 by)
{
	int cpu = cpumask_first(cpu_online_mask);
	struct subject *subject = test_subject(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 8));
	waiter = waiter_start_blocked(test, subject);
	atomic_long_set(subject_slot(subject, cpu), EX_SLOT_DEAD + by);
	KUNIT_EXPECT_FALSE(test, subject_acquire_on(subject, cpu));
	KUNIT_EXPECT_EQ(test, atomic_long_read(subject_slot(subject, cpu)), EX_SLOT_DEAD);
	atomic_long_set(subject_slot(subject, cpu), EX_SLOT_DEAD + by);
	KUNIT_EXPECT_FALSE(test, subject_acquire_ex_on(subject, cpu, 3));
	KUNIT_EXPECT_EQ(test, atomic_long_read(subject_slot(subject, cpu)), EX_SLOT_DEAD);
	atomic_long_set(subject_slot(subject, cpu), EX_SLOT_DEAD + by);
	subject_release_on(subject, cpu);
	KUNIT_EXPECT_EQ(test, atomic_long_read(subject_slot(subject, cpu)), EX_SLOT_DEAD);
	atomic_long_set(subject_slot(subject, cpu), EX_SLOT_DEAD + by);
	subject_release_ex_on(subject, cpu, 6);
	KUNIT_EXPECT_EQ(test, atomic_long_read(subject_slot(subject, cpu)), EX_SLOT_DEAD);
	waiter_expect_blocked(test, subject, waiter);
	subject_release(subject);
	thread_join(test, waiter);
}

/* In the band in which the fast path refuses, at its ends, and outside of it. */
static void rundown_limits_test_dead_slot_refuses_wherever_it_is(struct kunit *test)
{
	static const s64 drift[] = {
		0, 1, (1LL << EX_RUNDOWN_DEAD_BAND) - 2, (1LL << EX_RUNDOWN_DEAD_BAND) - 1, -1, -2,
		-(1LL << 40), -EX_SLOT64_MAX_DEAD_DRIFT,
	};
	int cpu = cpumask_first(cpu_online_mask);
	struct subject *subject = test_subject(test);
	int i;

	subject_wait(subject);
	for (i = 0; i < ARRAY_SIZE(drift); i++) {
		atomic_long_set(subject_slot(subject, cpu), EX_SLOT_DEAD + drift[i]);
		KUNIT_EXPECT_FALSE(test, subject_acquire_on(subject, cpu));
		KUNIT_EXPECT_EQ(test, atomic_long_read(subject_slot(subject, cpu)),
				EX_SLOT_DEAD + drift[i] + 1);
	}
}

static void rundown_limits_test_dead_slot_drifted_up_is_put_back(struct kunit *test)
{
	dead_slot(test, EX_SLOT64_MAX_DEAD_DRIFT + 100);
}

static void rundown_limits_test_dead_slot_drifted_down_is_put_back(struct kunit *test)
{
	dead_slot(test, -EX_SLOT64_MAX_DEAD_DRIFT - 100);
}
#endif

static struct kunit_case rundown_limits_cases[] = {
	KUNIT_CASE(rundown_limits_test_basic_most_is_exact),
	KUNIT_CASE(rundown_limits_test_basic_wait_overflow),
	KUNIT_CASE(rundown_limits_test_basic_wait_meets_overflow),
	KUNIT_CASE(rundown_limits_test_basic_acquire_overflow),
	KUNIT_CASE(rundown_limits_test_basic_ex_stops_at_most_held),
	KUNIT_CASE(rundown_limits_test_basic_release_count_too_big),
	KUNIT_CASE(rundown_limits_test_basic_release_beside_overflow),
	KUNIT_CASE(rundown_limits_test_basic_drifted_dead_count_is_put_back),
	KUNIT_CASE(rundown_limits_test_basic_old_drift_is_left_alone),
	KUNIT_CASE(rundown_limits_test_basic_negative_under_bias),
	KUNIT_CASE(rundown_limits_test_basic_reinitialize_outlasts_bias),
#ifdef CONFIG_PREEMPT_COUNT
	KUNIT_CASE(rundown_limits_test_basic_bias_with_preemption_off),
#endif
	KUNIT_CASE(rundown_limits_test_basic_drift_does_not_disturb_holders),
#if BITS_PER_LONG == 64
	KUNIT_CASE_PARAM(rundown_limits_test_drifted_slot_is_exact, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_idle_drifted_slot_is_idle, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_ex_acquire_recentres, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_ex_release_recentres, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_recentres_under_interrupts,
			 each_small_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_largest_ex_stays_exact, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_sum_of_all_slots, each_cache_aware_kind),
	KUNIT_CASE_PARAM(rundown_limits_test_dead_slot_refuses_wherever_it_is,
			 each_cache_aware_kind),
	KUNIT_CASE_PARAM(rundown_limits_test_dead_slot_drifted_up_is_put_back,
			 each_cache_aware_kind),
	KUNIT_CASE_PARAM(rundown_limits_test_dead_slot_drifted_down_is_put_back,
			 each_cache_aware_kind),
#endif
	{}
};

static struct kunit_suite rundown_limits_suite = {
	.name = "rundown_limits",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_limits_cases,
};

kunit_test_suite(rundown_limits_suite);
