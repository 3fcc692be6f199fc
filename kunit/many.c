// SPDX-License-Identifier: GPL-2.0
/* Many refs, run down at once. */
#include "fixture.h"

#define MANY	20

struct many {
	struct subject *subjects[MANY];
	struct ex_rundown_ref_cache_aware *refs[MANY];
};

static struct many *many_create(struct kunit *test)
{
	static const struct ref_ops *const kinds[] = { &allocated_ops, &no_ipi_ops, &in_place_ops };
	struct many *many = share_zalloc(test, sizeof(*many));
	int i;

	for (i = 0; i < MANY; i++) {
		many->subjects[i] = subject_create(test, kinds[i % ARRAY_SIZE(kinds)]);
		many->refs[i] = many->subjects[i]->ref;
	}
	return many;
}

static void wait_for_many(void *arg)
{
	struct many *many = arg;

	ex_rundown_wait_many_cache_aware(many->refs, MANY);
}

static void rundown_many_test_waits_for_each(struct kunit *test)
{
	struct many *many = many_create(test);
	struct thread *waiter;
	int i;

	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_TRUE(test, subject_acquire_on(many->subjects[i], other_cpu(i % 2)));
	waiter = thread_run(test, wait_for_many, many, ANY_CPU);
	/* All refuse before the first has been waited for. */
	waiter_expect_blocked(test, many->subjects[MANY - 1], waiter);
	/* The first and the last of them are not the last. */
	for (i = 0; i < MANY; i++) {
		struct subject *next = many->subjects[i * 7 % MANY];

		KUNIT_EXPECT_FALSE(test, subject_acquire(next));
		waiter_expect_blocked(test, next, waiter);
		subject_release(next);
	}
	thread_join(test, waiter);
}

struct many_basic {
	struct subject *subjects[2];
	struct ex_rundown_ref *refs[3];
};

static void wait_for_many_basic(void *arg)
{
	struct many_basic *many = arg;

	ex_rundown_wait_many(many->refs, ARRAY_SIZE(many->refs));
}

static void rundown_many_test_basic_waits_for_each(struct kunit *test)
{
	struct many_basic *many = share_zalloc(test, sizeof(*many));
	struct thread *waiter;
	int i;

	for (i = 0; i < 2; i++) {
		many->subjects[i] = subject_create(test, &basic_ops);
		many->refs[i] = many->subjects[i]->ref;
		KUNIT_ASSERT_TRUE(test, subject_acquire(many->subjects[i]));
	}
	many->refs[2] = many->refs[0];
	waiter = thread_run(test, wait_for_many_basic, many, ANY_CPU);
	/* The last refuses before the first has been waited for. */
	for (i = 1; i >= 0; i--) {
		waiter_expect_blocked(test, many->subjects[i], waiter);
		subject_release(many->subjects[i]);
	}
	thread_join(test, waiter);
}

static void rundown_many_test_states_that_differ(struct kunit *test)
{
	struct many *many = many_create(test);
	struct thread *waiter, *other;
	int i;

	/* Run down, running down, one of them twice. */
	subject_wait(many->subjects[0]);
	KUNIT_ASSERT_TRUE(test, subject_acquire(many->subjects[1]));
	other = waiter_start_blocked(test, many->subjects[1]);
	many->refs[MANY - 1] = many->refs[2];
	waiter = thread_run(test, wait_for_many, many, ANY_CPU);
	waiter_expect_blocked(test, many->subjects[1], waiter);
	subject_release(many->subjects[1]);
	thread_join(test, waiter);
	thread_join(test, other);
	for (i = 0; i < MANY - 1; i++) {
		KUNIT_EXPECT_FALSE(test, subject_acquire(many->subjects[i]));
		subject_reinitialize(many->subjects[i]);
		KUNIT_EXPECT_TRUE(test, subject_acquire(many->subjects[i]));
		subject_release(many->subjects[i]);
	}
	/* This one was not among them. */
	KUNIT_EXPECT_TRUE(test, subject_acquire(many->subjects[MANY - 1]));
	subject_release(many->subjects[MANY - 1]);
}

/* The CPUs are interrupted so often, and none of them goes meanwhile. */
static void expect_rounds(struct kunit *test, struct many *many, int expected)
{
	struct call_probe rounds = { .kp.symbol_name = "on_each_cpu_cond_mask" };
	struct call_probe locks = { .kp.symbol_name = "cpus_read_lock" };

	call_probe_begin(test, &rounds);
	call_probe_begin(test, &locks);
	/* Registering the others made calls of its own. */
	atomic_set(&rounds.calls, 0);
	atomic_set(&locks.calls, 0);
	ex_rundown_wait_many_cache_aware(many->refs, MANY);
	KUNIT_EXPECT_EQ(test, atomic_read(&locks.calls), expected);
	KUNIT_EXPECT_EQ(test, atomic_read(&rounds.calls), expected);
	call_probe_end(&locks);
	call_probe_end(&rounds);
}

static void rundown_many_test_none_interrupts(struct kunit *test)
{
	struct many *many = many_create(test);
	int i;

	for (i = 0; i < MANY; i++)
		many->refs[i] = many->subjects[i - i % 3 + 1]->ref;
	expect_rounds(test, many, 0);
}

static void rundown_many_test_one_round(struct kunit *test)
{
	struct many *many = many_create(test);

	/* Neither the first nor the last is one that wants it. */
	swap(many->refs[0], many->refs[1]);
	expect_rounds(test, many, 1);
	/* None of none, of course. */
	ex_rundown_wait_many_cache_aware(NULL, 0);
}

/* One round takes 1024. */
struct batch {
	unsigned int count;
	int rounds;
};

static const struct batch batches[] = {
	{ 1023, 1 },
	{ 1024, 1 },
	{ 1025, 2 },
	{ 2500, 3 },
};

static void describe_batch(const struct batch *batch, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u", batch->count);
}

KUNIT_ARRAY_PARAM(each_batch, batches, describe_batch);

static void rundown_many_test_thousands(struct kunit *test)
{
	const struct batch *batch = test->param_value;
	unsigned int count = batch->count, i, granted = 0;
	struct ex_rundown_ref_cache_aware **refs = kvcalloc(count + 1, sizeof(*refs), GFP_KERNEL);
	bool all = refs;

	KUNIT_ASSERT_NOT_NULL(test, refs);
	for (i = 0; i < count && all; i++) {
		refs[i] = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
		all = refs[i] && ex_acquire_rundown_protection_cache_aware(refs[i]);
	}
	KUNIT_EXPECT_TRUE(test, all);
	for (i = 0; i < count && refs[i]; i++)
		ex_release_rundown_protection_cache_aware(refs[i]);
	if (all) {
		struct call_probe rounds = { .kp.symbol_name = "on_each_cpu_cond_mask" };

		/* Once more, in the next batch perhaps, which alone is no reason for a round. */
		refs[count] = refs[0];
		if (IS_ENABLED(CONFIG_KPROBES))
			call_probe_begin(test, &rounds);
		ex_rundown_wait_many_cache_aware(refs, count + 1);
		if (IS_ENABLED(CONFIG_KPROBES))
			KUNIT_EXPECT_EQ(test, call_probe_end(&rounds), batch->rounds);
	}
	for (i = 0; i < count && refs[i]; i++) {
		granted += ex_acquire_rundown_protection_cache_aware(refs[i]);
		ex_free_cache_aware_rundown_protection(refs[i]);
	}
	KUNIT_EXPECT_EQ(test, granted, 0);
	kvfree(refs);
}

static struct kunit_case rundown_many_cases[] = {
	KUNIT_CASE(rundown_many_test_waits_for_each),
	KUNIT_CASE(rundown_many_test_basic_waits_for_each),
	KUNIT_CASE(rundown_many_test_states_that_differ),
	KUNIT_CASE(rundown_many_test_none_interrupts),
	KUNIT_CASE(rundown_many_test_one_round),
	KUNIT_CASE_PARAM(rundown_many_test_thousands, each_batch_gen_params),
	{}
};

static struct kunit_suite rundown_many_suite = {
	.name = "rundown_many",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_many_cases,
};

kunit_test_suite(rundown_many_suite);
