// SPDX-License-Identifier: GPL-2.0
/* Protection that is acquired on one CPU and released on another, many times over. */
#include <linux/cpumask.h>
#include <linux/delay.h>

#include "fixture.h"

static void rundown_handover_test_released_on_other_cpu(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int here = cpumask_first(cpu_online_mask), there = other_cpu(here);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, here));
	KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, here));
	subject_release_on(subject, there);
	waiter = waiter_start_blocked(test, subject);
	subject_release_on(subject, there);
	thread_join(test, waiter);
}

static void rundown_handover_test_ex_released_on_other_cpu(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int here = cpumask_first(cpu_online_mask), there = other_cpu(here);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex_on(subject, here, EX_RUNDOWN_MAX_COUNT));
	subject_release_ex_on(subject, there, EX_RUNDOWN_MAX_COUNT - 5);
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex_on(subject, there, 3));
	subject_release_ex_on(subject, here, 6);
	expect_exactly_held(test, subject, 2);
}

static void rundown_handover_test_acquired_on_each_cpu(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int cpu, held = 0;

	for_each_online_cpu(cpu) {
		KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, cpu));
		held++;
	}
	expect_exactly_held(test, subject, held);
}

/*
 * A queue: what one thread acquires, another on another CPU releases. Emulated CPUs that take turns
 * on one of the host's fill it and empty it once a turn.
 */
#define QUEUE_ROOM	256
#define HANDED_OVER	20000

struct one_way {
	struct subject *subject;
	unsigned int wanted;
	atomic_t queued;
	unsigned int granted;
	bool end;
};

static void acquire_one_way(void *arg)
{
	struct one_way *way = arg;

	while (way->granted < way->wanted && !READ_ONCE(way->end)) {
		if (atomic_read(&way->queued) == QUEUE_ROOM) {
			cond_resched();
			cpu_relax();
			continue;
		}
		if (!subject_acquire(way->subject))
			break;
		WRITE_ONCE(way->granted, way->granted + 1);
		atomic_inc(&way->queued);
	}
	WRITE_ONCE(way->end, true);
}

static void release_one_way(void *arg)
{
	struct one_way *way = arg;

	for (;;) {
		bool end = READ_ONCE(way->end);

		if (atomic_add_unless(&way->queued, -1, 0))
			subject_release(way->subject);
		else if (end)
			break;
		cond_resched();
		cpu_relax();
	}
}

static long twice_held_on(struct subject *subject, int cpu)
{
	return ex_slot_twice_held(atomic_long_read(subject_slot(subject, cpu)));
}

static void rundown_handover_test_one_way_traffic(struct kunit *test)
{
	struct one_way *way = share_zalloc(test, sizeof(*way));
	int from = cpumask_first(cpu_online_mask), to = other_cpu(from);
	struct subject *subject = test_subject(test);
	struct thread *acquirer, *releaser;

	way->subject = subject;
	/* On one CPU, a few take a time slice. */
	way->wanted = from == to ? HANDED_OVER / 100 : HANDED_OVER;
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	releaser = thread_run(test, release_one_way, way, to);
	acquirer = thread_run(test, acquire_one_way, way, from);
	if (!thread_join(test, acquirer) || !thread_join(test, releaser))
		return;
	KUNIT_EXPECT_EQ(test, way->granted, way->wanted);
	if (from != to && subject->ops->traits & KIND_CACHE_AWARE) {
		/* All of it has gone into one slot, and come out of another. */
		KUNIT_EXPECT_GE(test, twice_held_on(subject, from), 2 * HANDED_OVER);
		KUNIT_EXPECT_LE(test, twice_held_on(subject, to), -2 * (HANDED_OVER - 2));
	}
	expect_exactly_held(test, subject, 2);
}

/* The wait comes while the traffic flows: it ends with the last that had been granted. */
static void rundown_handover_test_wait_during_traffic(struct kunit *test)
{
	struct one_way *way = share_zalloc(test, sizeof(*way));
	int from = cpumask_first(cpu_online_mask), to = other_cpu(from);
	struct thread *acquirer, *releaser, *waiter;
	int ms;

	way->subject = test_subject(test);
	way->wanted = UINT_MAX;
	releaser = thread_run(test, release_one_way, way, to);
	acquirer = thread_run(test, acquire_one_way, way, from);
	for (ms = 0; READ_ONCE(way->granted) < QUEUE_ROOM && ms < STUCK_MS; ms++)
		usleep_range(1000, 2000);
	waiter = waiter_start(test, way->subject);
	if (!thread_join(test, acquirer) || !thread_join(test, releaser))
		return;
	thread_join(test, waiter);
	KUNIT_EXPECT_FALSE(test, subject_acquire(way->subject));
	KUNIT_EXPECT_GE(test, way->granted, QUEUE_ROOM);
}

static struct kunit_case rundown_handover_cases[] = {
	KUNIT_CASE_PARAM(rundown_handover_test_released_on_other_cpu, each_kind),
	KUNIT_CASE_PARAM(rundown_handover_test_ex_released_on_other_cpu, each_kind),
	KUNIT_CASE_PARAM(rundown_handover_test_acquired_on_each_cpu, each_kind),
	KUNIT_CASE_PARAM(rundown_handover_test_one_way_traffic, each_main_kind),
	KUNIT_CASE_PARAM(rundown_handover_test_wait_during_traffic, each_main_kind),
	{}
};

static struct kunit_suite rundown_handover_suite = {
	.name = "rundown_handover",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_handover_cases,
};

kunit_test_suite(rundown_handover_suite);
