// SPDX-License-Identifier: GPL-2.0
/*
 * Counts near the ends of their encodings, where decades of one-way traffic would take them: set
 * directly, with an equal and opposite change elsewhere, so that nothing is held.
 */
#include <linux/cpumask.h>

#include "fixture.h"

/* The most that may be held on a basic ref, as the header promises. */
#define BASIC_MOST	(BITS_PER_LONG == 64 ? (long)(1LL << 46) - 1 : (1L << 21) - 1)

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

	atomic_long_set(&ref->count, BASIC_MOST + 1);
	EXPECT_MISUSE(test, EX_MISUSE_WAIT_OVERFLOW, subject_completed(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	/* Never run down, rather than run down with holders. */
	EXPECT_MISUSE(test, EX_MISUSE_REINITIALIZE, subject_reinitialize(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
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

static void describe_drift(const struct drift *drift, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, by %lld", drift->ops->name, drift->by);
}

KUNIT_ARRAY_PARAM(each_drift, drifts, describe_drift);

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

	/* Each off by more than the last, every other one in the other direction. */
	for_each_online_cpu(cpu) {
		s64 by = (cpu & 1 ? -1 : 1) * (ZONE + cpu * (ZONE / 8));

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
	KUNIT_CASE(rundown_limits_test_basic_acquire_overflow),
	KUNIT_CASE(rundown_limits_test_basic_ex_stops_at_most_held),
	KUNIT_CASE(rundown_limits_test_basic_release_beside_overflow),
	KUNIT_CASE(rundown_limits_test_basic_drifted_dead_count_is_put_back),
	KUNIT_CASE(rundown_limits_test_basic_drift_does_not_disturb_holders),
#if BITS_PER_LONG == 64
	KUNIT_CASE_PARAM(rundown_limits_test_drifted_slot_is_exact, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_idle_drifted_slot_is_idle, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_ex_acquire_recentres, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_ex_release_recentres, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_largest_ex_stays_exact, each_drift_gen_params),
	KUNIT_CASE_PARAM(rundown_limits_test_sum_of_all_slots, each_cache_aware_kind),
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
