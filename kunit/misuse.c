// SPDX-License-Identifier: GPL-2.0
/*
 * What callers do wrong: each is reported once, as what it is, nothing else is reported, and nobody
 * else is affected.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "fixture.h"

static void rundown_misuse_test_acquire_count_0(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	bool granted = true;

	EXPECT_MISUSE(test, EX_MISUSE_ACQUIRE_COUNT, granted = subject_acquire_ex(subject, 0));
	KUNIT_EXPECT_FALSE(test, granted);
	/* Live, and nothing held. */
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static void rundown_misuse_test_acquire_count_too_big(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	bool granted = true;

	EXPECT_MISUSE(test, EX_MISUSE_ACQUIRE_COUNT,
		      granted = subject_acquire_ex(subject, EX_RUNDOWN_MAX_COUNT + 1));
	KUNIT_EXPECT_FALSE(test, granted);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static void rundown_misuse_test_release_count_0(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_COUNT, subject_release_ex(subject, 0));
	expect_exactly_held(test, subject, 2);
}

static void rundown_misuse_test_release_count_too_big(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_COUNT, subject_release_ex(subject, U32_MAX));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_COUNT,
		      subject_release_ex(subject, EX_RUNDOWN_MAX_COUNT + 1));
	expect_exactly_held(test, subject, 2);
}

static void rundown_misuse_test_basic_release_of_nothing(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);

	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, subject_release(subject));
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static void rundown_misuse_test_basic_release_of_more_than_held(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, subject_release_ex(subject, 3));
	expect_exactly_held(test, subject, 2);
}

static void rundown_misuse_test_release_on_run_down_ref(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	subject_wait(subject);
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, subject_release(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	thread_join(test, waiter_start(test, subject));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static void rundown_misuse_test_release_of_more_while_running_down(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 3));
	waiter = waiter_start_blocked(test, subject);
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, subject_release_ex(subject, 4));
	/* The true holders are not affected. */
	subject_release_ex(subject, 2);
	waiter_expect_blocked(test, subject, waiter);
	subject_release(subject);
	thread_join(test, waiter);
}

/* On live slots only the sum shows it, and the wait reports that, and ends run down. */
static void rundown_misuse_test_cache_aware_release_of_nothing(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	subject_release(subject);
	subject_release(subject);
	EXPECT_MISUSE(test, EX_MISUSE_WAIT_SUM_NEGATIVE,
		      thread_join(test, waiter_start(test, subject)));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static void rundown_misuse_test_completed_with_holders(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	EXPECT_MISUSE(test, EX_MISUSE_COMPLETED_HELD, subject_completed(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	/* They stay accounted for. */
	expect_exactly_held(test, subject, 2);
}

static void rundown_misuse_test_reinitialize_of_live_ref(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	EXPECT_MISUSE(test, EX_MISUSE_REINITIALIZE, subject_reinitialize(subject));
	KUNIT_EXPECT_TRUE(test, subject_acquire(subject));
	subject_release(subject);
	expect_exactly_held(test, subject, 2);
}

static void rundown_misuse_test_reinitialize_while_running_down(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	waiter = waiter_start_blocked(test, subject);
	EXPECT_MISUSE(test, EX_MISUSE_REINITIALIZE, subject_reinitialize(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	waiter_expect_blocked(test, subject, waiter);
	subject_release(subject);
	thread_join(test, waiter);
}

static void rundown_misuse_test_reinitialize_twice(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	subject_wait(subject);
	subject_reinitialize(subject);
	EXPECT_MISUSE(test, EX_MISUSE_REINITIALIZE, subject_reinitialize(subject));
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static void rundown_misuse_test_free_with_holders(struct kunit *test)
{
	struct ex_rundown_ref_cache_aware *ref;
	struct subject subject = { .ops = &allocated_ops };

	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ref);
	subject.ref = ref;
	KUNIT_EXPECT_TRUE(test, subject_acquire_ex(&subject, 2));
	EXPECT_MISUSE(test, EX_MISUSE_FREE_HELD, ex_free_cache_aware_rundown_protection(ref));
	/* Leaked, so the holders can release, and here the memory is not lost. */
	KUNIT_EXPECT_FALSE(test, subject_acquire(&subject));
	subject_release_ex(&subject, 2);
	ex_free_cache_aware_rundown_protection(ref);
}

static void rundown_misuse_test_cleanup_with_holders(struct kunit *test)
{
	struct ex_rundown_ref_cache_aware ref;
	struct subject subject = { .ops = &allocated_ops, .ref = &ref };

	KUNIT_ASSERT_EQ(test, 0, ex_initialize_rundown_protection_cache_aware_ex(&ref, 0));
	KUNIT_EXPECT_TRUE(test, subject_acquire(&subject));
	EXPECT_MISUSE(test, EX_MISUSE_FREE_HELD, ex_cleanup_rundown_protection_cache_aware(&ref));
	KUNIT_EXPECT_FALSE(test, subject_acquire(&subject));
	subject_release(&subject);
	ex_cleanup_rundown_protection_cache_aware(&ref);
}

static void rundown_misuse_test_free_of_what_was_not_allocated(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	EXPECT_MISUSE(test, EX_MISUSE_FREE_FOREIGN,
		      ex_free_cache_aware_rundown_protection(subject->ref));
	/* Nothing else happens to it. */
	KUNIT_EXPECT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 2);
}

/* Kinds that were not made by the allocating function. */
static const void *each_foreign_kind(KUNIT_TEST_ARG const void *prev, char *desc)
{
	do {
		prev = next_kind(prev, desc, KIND_CACHE_AWARE);
	} while (prev && (*(const struct ref_ops * const *)prev)->traits & KIND_ALLOCATED);
	return prev;
}

/* One who releases far more than anybody can hold, while others use a live basic ref. */
#define TRESPASS_MS	250

struct trespass {
	struct subject *subject;
	bool end;
	atomic_t tries;
	atomic_t uses;
};

static void trespass(void *arg)
{
	struct trespass *trespass = arg;

	while (!READ_ONCE(trespass->end)) {
		subject_release_ex(trespass->subject, 1000);
		atomic_inc(&trespass->tries);
		cond_resched();
	}
}

static void use_properly(void *arg)
{
	struct trespass *trespass = arg;

	while (!READ_ONCE(trespass->end)) {
		if (subject_acquire_ex(trespass->subject, 2)) {
			atomic_inc(&trespass->uses);
			subject_release(trespass->subject);
			subject_release(trespass->subject);
		}
		cond_resched();
	}
}

static void rundown_misuse_test_trespasser_harms_nobody(struct kunit *test)
{
	struct trespass *work = share_zalloc(test, sizeof(*work));
	struct thread *threads[3];
	int i, ms;

	misuse_quiet_begin(test);
	work->subject = test_subject(test);
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(work->subject, 2));
	/* The slots of a live cache-aware ref would believe it. */
	if (work->subject->ops->traits & KIND_CACHE_AWARE)
		waiter_start_blocked(test, work->subject);
	threads[0] = thread_run(test, trespass, work, ANY_CPU);
	threads[1] = thread_run(test, use_properly, work, ANY_CPU);
	threads[2] = thread_run(test, use_properly, work, ANY_CPU);
	msleep(TRESPASS_MS);
	for (ms = 0; !atomic_read(&work->tries) && ms < STUCK_MS; ms += 20)
		msleep(20);
	WRITE_ONCE(work->end, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		if (!thread_join(test, threads[i]))
			return;
	misuse_quiet_end(test);
	/* Every time, and only that. */
	KUNIT_EXPECT_GT(test, atomic_read(&work->tries), 0);
	KUNIT_EXPECT_EQ(test, misuse_count(EX_MISUSE_RELEASE_TOO_MANY), atomic_read(&work->tries));
	misuse_allow(EX_MISUSE_RELEASE_TOO_MANY);
	expect_exactly_held(test, work->subject, 2);
}

static struct kunit_case rundown_misuse_cases[] = {
	KUNIT_CASE_PARAM(rundown_misuse_test_acquire_count_0, each_main_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_acquire_count_too_big, each_main_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_release_count_0, each_main_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_release_count_too_big, each_main_kind),
	KUNIT_CASE(rundown_misuse_test_basic_release_of_nothing),
	KUNIT_CASE(rundown_misuse_test_basic_release_of_more_than_held),
	KUNIT_CASE_PARAM(rundown_misuse_test_release_on_run_down_ref, each_main_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_cache_aware_release_of_nothing,
			 each_cache_aware_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_completed_with_holders, each_main_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_reinitialize_of_live_ref, each_main_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_reinitialize_while_running_down, each_main_kind),
	KUNIT_CASE(rundown_misuse_test_free_with_holders),
	KUNIT_CASE(rundown_misuse_test_cleanup_with_holders),
	KUNIT_CASE_PARAM(rundown_misuse_test_free_of_what_was_not_allocated, each_foreign_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_release_of_more_while_running_down, each_main_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_trespasser_harms_nobody, each_main_kind),
	KUNIT_CASE_PARAM(rundown_misuse_test_reinitialize_twice, each_main_kind),
	{}
};

static struct kunit_suite rundown_misuse_suite = {
	.name = "rundown_misuse",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_misuse_cases,
};

kunit_test_suite(rundown_misuse_suite);
