// SPDX-License-Identifier: GPL-2.0
/* What each function promises, on a ref of each kind, from a task. */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>

#include "fixture.h"

static void rundown_contract_test_live_ref_grants(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	subject_release(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	subject_release(subject);
	subject_wait(subject);
}

static void rundown_contract_test_run_down_ref_refuses(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int i;

	subject_wait(subject);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
		KUNIT_EXPECT_FALSE(test, subject_acquire_ex(subject, 1));
		KUNIT_EXPECT_FALSE(test, subject_acquire_ex(subject, EX_RUNDOWN_MAX_COUNT));
	}
}

static void rundown_contract_test_running_down_ref_refuses(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	waiter = waiter_start_blocked(test, subject);
	/* Not even the holder is granted more. */
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire_ex(subject, 3));
	subject_release(subject);
	thread_join(test, waiter);
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
}

static void rundown_contract_test_acquire_is_recursive(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 3);
}

static void rundown_contract_test_ex_acquires_count(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 3));
	expect_exactly_held(test, subject, 3);
}

static void rundown_contract_test_ex_releases_count(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int i;

	for (i = 0; i < 6; i++)
		KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	subject_release_ex(subject, 4);
	expect_exactly_held(test, subject, 2);
}

static void rundown_contract_test_ex_releases_in_other_portions(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 5));
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 4));
	subject_release_ex(subject, 2);
	waiter = waiter_start_blocked(test, subject);
	/* Across the borders of what was acquired at once, and of the run-down. */
	subject_release_ex(subject, 6);
	waiter_expect_blocked(test, subject, waiter);
	subject_release(subject);
	thread_join(test, waiter);
}

static void rundown_contract_test_ex_takes_largest_count(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, EX_RUNDOWN_MAX_COUNT));
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, EX_RUNDOWN_MAX_COUNT));
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	subject_release_ex(subject, EX_RUNDOWN_MAX_COUNT);
	subject_release_ex(subject, EX_RUNDOWN_MAX_COUNT);
	expect_exactly_held(test, subject, 2);
}

static void rundown_contract_test_idle_wait_returns_at_once(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	thread_join(test, waiter_start(test, subject));
}

static void rundown_contract_test_wait_blocks_until_last_release(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;
	int i;

	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	waiter = waiter_start_blocked(test, subject);
	for (i = 0; i < 3; i++) {
		subject_release(subject);
		waiter_expect_blocked(test, subject, waiter);
	}
	subject_release(subject);
	thread_join(test, waiter);
}

static void rundown_contract_test_second_wait_has_no_effect(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	waiter = waiter_start_blocked(test, subject);
	subject_release(subject);
	thread_join(test, waiter);
	thread_join(test, waiter_start(test, subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	/* And the ref is as run down as after one. */
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

/* It looks, and does not go through it all once more. */
static void rundown_contract_test_wait_on_run_down_basic_ref(struct kunit *test)
{
	struct call_probe settle = { .kp.symbol_name = "ex_drain_settle" };
	struct subject *subject = subject_create(test, &basic_ops);

	subject_wait(subject);
	call_probe_begin(test, &settle);
	subject_wait(subject);
	subject_completed(subject);
	KUNIT_EXPECT_EQ(test, call_probe_end(&settle), 0);
}

static void rundown_contract_test_every_waiter_returns(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiters[4];
	int i;

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		waiters[i] = waiter_start_blocked(test, subject);
	subject_release(subject);
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		waiter_expect_blocked(test, subject, waiters[i]);
	subject_release(subject);
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		thread_join(test, waiters[i]);
}

static void rundown_contract_test_completed_refuses_from_then_on(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	subject_release(subject);
	subject_completed(subject);
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	thread_join(test, waiter_start(test, subject));
}

static void rundown_contract_test_completed_after_wait_has_no_effect(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	subject_wait(subject);
	subject_completed(subject);
	subject_completed(subject);
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

/* How drivers make a ref that starts run down. */
static void rundown_contract_test_fresh_completed_starts_run_down(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	subject_completed(subject);
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static void rundown_contract_test_fresh_wait_starts_run_down(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	thread_join(test, waiter_start(test, subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static void rundown_contract_test_lives_again_and_again(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;
	int life;

	for (life = 0; life < 5; life++) {
		KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 7));
		subject_release_ex(subject, 6);
		waiter = waiter_start_blocked(test, subject);
		/* Refusals of one life must not be found in the next. */
		KUNIT_EXPECT_FALSE(test, subject_acquire_ex(subject, 5));
		subject_release(subject);
		if (!thread_join(test, waiter))
			return;
		subject_reinitialize(subject);
	}
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static DEFINE_MUTEX(owners_mutex);

static void wait_with_mutex(void *arg)
{
	mutex_lock(&owners_mutex);
	subject_wait(arg);
	mutex_unlock(&owners_mutex);
}

static void rundown_contract_test_waits_with_mutex_held(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	waiter = thread_run(test, wait_with_mutex, subject, ANY_CPU);
	waiter_expect_blocked(test, subject, waiter);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&owners_mutex));
	subject_release(subject);
	thread_join(test, waiter);
}

/* A word that another CPU changes all the time. */
struct ticker {
	int ticks;
	bool end;
};

static void tick(void *arg)
{
	struct ticker *ticker = arg;

	while (!READ_ONCE(ticker->end)) {
		WRITE_ONCE(ticker->ticks, ticker->ticks + 1);
		cond_resched();
	}
}

/* As a holder reads its object: nothing but the in-line functions has it read again. */
static __always_inline int look_at(struct ticker *ticker)
{
	/* That it is being changed is what the test is about. */
	return data_race(ticker->ticks);
}

static noinline bool ticks_across_acquire(struct ex_rundown_ref_cache_aware *ref,
					  struct ticker *ticker)
{
	int before = look_at(ticker), after;

	if (!ex_acquire_rundown_protection_cache_aware(ref))
		return false;
	after = look_at(ticker);
	ex_release_rundown_protection_cache_aware(ref);
	return after != before;
}

static noinline bool ticks_across_release(struct ex_rundown_ref_cache_aware *ref,
					  struct ticker *ticker)
{
	int before, after;

	if (!ex_acquire_rundown_protection_cache_aware(ref))
		return false;
	before = look_at(ticker);
	ex_release_rundown_protection_cache_aware(ref);
	after = look_at(ticker);
	return after != before;
}

/* What was read before is read again after, or objects would be used too early, or too late. */
static void rundown_contract_test_object_is_read_between(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);
	struct ticker *ticker = share_zalloc(test, sizeof(*ticker));
	unsigned long end = jiffies + msecs_to_jiffies(BLOCKS_MS);
	bool acquire = false, release = false;

	if (num_online_cpus() < 2)
		kunit_skip(test, "no CPU beside this one");
	thread_run(test, tick, ticker, ANY_CPU);
	while (!(acquire && release) && time_before(jiffies, end)) {
		acquire = acquire || ticks_across_acquire(subject->ref, ticker);
		release = release || ticks_across_release(subject->ref, ticker);
		cond_resched();
	}
	WRITE_ONCE(ticker->end, true);
	KUNIT_EXPECT_TRUE_MSG(test, acquire, "read before the acquire only");
	KUNIT_EXPECT_TRUE_MSG(test, release, "read before the release only");
}

static struct kunit_case rundown_contract_cases[] = {
	KUNIT_CASE_PARAM(rundown_contract_test_live_ref_grants, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_run_down_ref_refuses, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_running_down_ref_refuses, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_acquire_is_recursive, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_ex_acquires_count, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_ex_releases_count, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_ex_releases_in_other_portions, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_ex_takes_largest_count, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_idle_wait_returns_at_once, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_wait_blocks_until_last_release, each_main_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_second_wait_has_no_effect, each_main_kind),
	KUNIT_CASE(rundown_contract_test_wait_on_run_down_basic_ref),
	KUNIT_CASE_PARAM(rundown_contract_test_every_waiter_returns, each_main_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_completed_refuses_from_then_on, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_completed_after_wait_has_no_effect, each_main_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_fresh_completed_starts_run_down, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_fresh_wait_starts_run_down, each_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_lives_again_and_again, each_main_kind),
	KUNIT_CASE_PARAM(rundown_contract_test_waits_with_mutex_held, each_main_kind),
	KUNIT_CASE(rundown_contract_test_object_is_read_between),
	{}
};

static struct kunit_suite rundown_contract_suite = {
	.name = "rundown_contract",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_contract_cases,
};

kunit_test_suite(rundown_contract_suite);
