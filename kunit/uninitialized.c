// SPDX-License-Identifier: GPL-2.0
/*
 * A cache-aware ref of zeroes: from kzalloc(), a forgotten initialization, or one that failed.
 * Whatever is called on it names the caller, and changes nothing.
 *
 * This file is built with EX_RUNDOWN_TRACK: there the in-line functions look, too.
 */
#include <linux/cpu.h>
#include <linux/string.h>

#include "fixture.h"

static struct ex_rundown_ref_cache_aware zeroes;

static void expect_zeroes(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, memchr_inv(&zeroes, 0, sizeof(zeroes)));
	memset(&zeroes, 0, sizeof(zeroes));
}

static void rundown_uninitialized_test_tracked_in_line(struct kunit *test)
{
	bool granted = true;

	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, granted = ex_rundown_acquire(&zeroes));
	KUNIT_EXPECT_FALSE(test, granted);
	granted = true;
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, granted = ex_rundown_acquire_n(&zeroes, 2));
	KUNIT_EXPECT_FALSE(test, granted);
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, ex_rundown_release(&zeroes));
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, ex_rundown_release_n(&zeroes, 2));
	expect_zeroes(test);
}

static void rundown_uninitialized_test_slow_paths(struct kunit *test)
{
	bool granted = true;

	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED,
		      granted = __ex_acquire_rundown_protection_cache_aware(&zeroes));
	KUNIT_EXPECT_FALSE(test, granted);
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED,
		      __ex_release_rundown_protection_cache_aware(&zeroes, _THIS_IP_));
	expect_zeroes(test);
}

static void rundown_uninitialized_test_names_the_caller(struct kunit *test)
{
	unsigned long here = (unsigned long)rundown_uninitialized_test_names_the_caller;

	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, ex_rundown_wait(&zeroes));
	KUNIT_EXPECT_GE(test, misuse_caller(), here);
	KUNIT_EXPECT_LT(test, misuse_caller(), here + 0x1000);
}

/* None of them says that the object is run down. */
static void rundown_uninitialized_test_waits(struct kunit *test)
{
	unsigned long left = 1, begun;
	int error = 0;

	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, ex_rundown_wait(&zeroes));
	begun = jiffies;
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, left = ex_rundown_wait_timeout(&zeroes, 5));
	KUNIT_EXPECT_EQ(test, left, 0);
	/* Callers that try again do not spin. */
	KUNIT_EXPECT_GE(test, jiffies - begun, 5);
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, error = ex_rundown_wait_killable(&zeroes));
	KUNIT_EXPECT_EQ(test, error, -EINVAL);
	error = 0;
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED,
		      error = ex_rundown_wait_interruptible(&zeroes));
	KUNIT_EXPECT_EQ(test, error, -EINVAL);
	cpus_read_lock();
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, ex_rundown_wait_cpuslocked(&zeroes));
	cpus_read_unlock();
	expect_zeroes(test);
}

/* The others are run down all the same. */
static void rundown_uninitialized_test_one_of_many(struct kunit *test)
{
	struct subject *first = subject_create(test, &allocated_ops);
	struct subject *last = subject_create(test, &no_ipi_ops);
	struct ex_rundown_ref_cache_aware *refs[] = { first->ref, &zeroes, last->ref };

	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED,
		      ex_rundown_wait_many(refs, ARRAY_SIZE(refs)));
	KUNIT_EXPECT_TRUE(test, first->ops->is_complete(first->ref));
	KUNIT_EXPECT_TRUE(test, last->ops->is_complete(last->ref));
	expect_zeroes(test);
}

static void never_called(struct ex_rundown_work *work)
{
	WARN(true, "called for a ref that was never initialized\n");
}

static void rundown_uninitialized_test_starts(struct kunit *test)
{
	static struct ex_rundown_work work;

	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, ex_rundown_start(&zeroes));
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED,
		      ex_rundown_start_async(&zeroes, &work, never_called));
	ex_rundown_async_barrier();
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, ex_rundown_completed(&zeroes));
	expect_zeroes(test);
}

static void rundown_uninitialized_test_reinitialize(struct kunit *test)
{
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, ex_rundown_reinitialize(&zeroes));
	cpus_read_lock();
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, ex_rundown_reinitialize_cpuslocked(&zeroes));
	cpus_read_unlock();
	expect_zeroes(test);
}

static void rundown_uninitialized_test_is_not_complete(struct kunit *test)
{
	bool complete = true;

	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED, complete = ex_rundown_is_complete(&zeroes));
	KUNIT_EXPECT_FALSE(test, complete);
	expect_zeroes(test);
}

static void rundown_uninitialized_test_cleanup(struct kunit *test)
{
	EXPECT_MISUSE(test, EX_MISUSE_UNINITIALIZED,
		      ex_cleanup_rundown_protection_cache_aware(&zeroes));
	expect_zeroes(test);
}

static struct kunit_case rundown_uninitialized_cases[] = {
	KUNIT_CASE(rundown_uninitialized_test_tracked_in_line),
	KUNIT_CASE(rundown_uninitialized_test_slow_paths),
	KUNIT_CASE(rundown_uninitialized_test_names_the_caller),
	KUNIT_CASE(rundown_uninitialized_test_waits),
	KUNIT_CASE(rundown_uninitialized_test_one_of_many),
	KUNIT_CASE(rundown_uninitialized_test_starts),
	KUNIT_CASE(rundown_uninitialized_test_reinitialize),
	KUNIT_CASE(rundown_uninitialized_test_is_not_complete),
	KUNIT_CASE(rundown_uninitialized_test_cleanup),
	{}
};

static struct kunit_suite rundown_uninitialized_suite = {
	.name = "rundown_uninitialized",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_uninitialized_cases,
};

kunit_test_suite(rundown_uninitialized_suite);
