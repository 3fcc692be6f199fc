// SPDX-License-Identifier: GPL-2.0
/* How a ref comes to be, and how it goes. */
#include <linux/cpumask.h>
#include <linux/slab.h>

#include "fixture.h"

static void expect_live_and_exact(struct kunit *test, const struct ref_ops *ops, void *ref)
{
	struct subject subject = { .ops = ops, .ref = ref };

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(&subject, 2));
	subject_release(&subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(&subject));
	subject_release_ex(&subject, 2);
	subject_wait(&subject);
	KUNIT_EXPECT_FALSE(test, subject_acquire(&subject));
}

static void rundown_initialize_test_zero_filled_basic_is_live(struct kunit *test)
{
	struct ex_rundown_ref *ref = kunit_kzalloc(test, sizeof(*ref), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ref);
	expect_live_and_exact(test, &basic_ops, ref);
}

static void rundown_initialize_test_init_macro_is_live(struct kunit *test)
{
	struct ex_rundown_ref ref = EX_RUNDOWN_REF_INIT;

	expect_live_and_exact(test, &basic_ops, &ref);
}

static void rundown_initialize_test_basic_again_is_live(struct kunit *test)
{
	struct ex_rundown_ref ref = EX_RUNDOWN_REF_INIT_RUN_DOWN;

	KUNIT_EXPECT_FALSE(test, ex_acquire_rundown_protection(&ref));
	ex_initialize_rundown_protection(&ref);
	expect_live_and_exact(test, &basic_ops, &ref);
}

static void expect_starts_run_down(struct kunit *test, struct ex_rundown_ref *ref)
{
	KUNIT_EXPECT_FALSE(test, ex_acquire_rundown_protection(ref));
	ex_wait_for_rundown_protection_release(ref);
	ex_rundown_completed(ref);
	KUNIT_EXPECT_FALSE(test, ex_acquire_rundown_protection_ex(ref, 2));
	ex_reinitialize_rundown_protection(ref);
	expect_live_and_exact(test, &basic_ops, ref);
}

static void rundown_initialize_test_init_run_down_macro(struct kunit *test)
{
	struct ex_rundown_ref ref = EX_RUNDOWN_REF_INIT_RUN_DOWN;

	expect_starts_run_down(test, &ref);
}

DEFINE_STATIC_EX_RUNDOWN_REF_RUN_DOWN(static_run_down);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE_RUN_DOWN(static_aware_run_down);

/* Left as they were found. */
static void rundown_initialize_test_static_starts_run_down(struct kunit *test)
{
	expect_starts_run_down(test, &static_run_down);
	ex_rundown_completed(&static_run_down);
}

static void rundown_initialize_test_static_cache_aware_starts_run_down(struct kunit *test)
{
	struct ex_rundown_ref_cache_aware *ref = &static_aware_run_down;
	bool granted = false;

	KUNIT_EXPECT_FALSE(test, ex_rundown_acquire(ref));
	KUNIT_EXPECT_FALSE(test, ex_rundown_acquire_n(ref, 2));
	KUNIT_EXPECT_TRUE(test, ex_rundown_is_active(ref));
	KUNIT_EXPECT_TRUE(test, ex_rundown_is_complete(ref));
	ex_rundown_wait(ref);
	ex_rundown_reinitialize(ref);
	granted = ex_rundown_acquire(ref);
	KUNIT_EXPECT_TRUE(test, granted);
	KUNIT_EXPECT_EQ(test, ex_rundown_wait_timeout(ref, 1), 0);
	if (granted)
		ex_rundown_release(ref);
	KUNIT_EXPECT_TRUE(test, ex_rundown_is_complete(ref));
}

static void rundown_initialize_test_count_initializer(struct kunit *test)
{
	struct ex_rundown_ref ref = { .Count = EX_RUNDOWN_ACTIVE };

	expect_starts_run_down(test, &ref);
}

static void rundown_initialize_test_count_assignment(struct kunit *test)
{
	struct ex_rundown_ref ref = EX_RUNDOWN_REF_INIT;

	ref.Count = EX_RUNDOWN_ACTIVE;
	expect_starts_run_down(test, &ref);
}

static void rundown_initialize_test_constant_count_of_one(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);

	/* What the compiler knows to be one takes the in-line path. */
	KUNIT_ASSERT_TRUE(test, ex_acquire_rundown_protection_cache_aware_ex(subject->ref, 1));
	KUNIT_ASSERT_TRUE(test, ex_acquire_rundown_protection_cache_aware_ex(subject->ref, 1));
	ex_release_rundown_protection_cache_aware_ex(subject->ref, 1);
	expect_exactly_held(test, subject, 1);
}

static void rundown_initialize_test_constant_count_above_one(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);

	KUNIT_ASSERT_TRUE(test, ex_acquire_rundown_protection_cache_aware_ex(subject->ref, 5));
	ex_release_rundown_protection_cache_aware_ex(subject->ref, 3);
	expect_exactly_held(test, subject, 2);
}

/* Initialize a buffer of @size, @offset into aligned memory: refused, and no byte of it changed. */
static void expect_buffer_refused(struct kunit *test, size_t offset, size_t size)
{
	size_t whole = ex_size_of_rundown_protection_cache_aware() + L1_CACHE_BYTES;
	u8 *buffer = kunit_kmalloc(test, whole, GFP_KERNEL);
	u8 *copy = kunit_kmalloc(test, whole, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	memset(buffer, 0xa5, whole);
	memset(copy, 0xa5, whole);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ex_initialize_rundown_protection_cache_aware((void *)(buffer + offset),
								     size));
	KUNIT_EXPECT_MEMEQ(test, buffer, copy, whole);
}

static void rundown_initialize_test_too_small_buffer(struct kunit *test)
{
	expect_buffer_refused(test, 0, ex_size_of_rundown_protection_cache_aware() - 1);
	expect_buffer_refused(test, 0, sizeof(struct ex_rundown_ref_cache_aware));
	expect_buffer_refused(test, 0, 0);
}

static void rundown_initialize_test_misaligned_buffer(struct kunit *test)
{
	size_t size = ex_size_of_rundown_protection_cache_aware();

	expect_buffer_refused(test, 1, size);
	expect_buffer_refused(test, sizeof(long) / 2, size);
	expect_buffer_refused(test, sizeof(long) * 2 - 1, size);
}

static void rundown_initialize_test_null_buffer(struct kunit *test)
{
	size_t size = ex_size_of_rundown_protection_cache_aware();

	KUNIT_EXPECT_EQ(test, -EINVAL, ex_initialize_rundown_protection_cache_aware(NULL, size));
}

static void rundown_initialize_test_size_holds_slot_of_each_cpu(struct kunit *test)
{
	KUNIT_EXPECT_GE(test, ex_size_of_rundown_protection_cache_aware(),
			sizeof(struct ex_rundown_ref_cache_aware) + nr_cpu_ids * L1_CACHE_BYTES);
}

/*
 * At every alignment that is allowed: nothing before the buffer or behind it changes, and the last
 * slot's cache line is in it.
 */
static void rundown_initialize_test_stays_in_buffer(struct kunit *test)
{
	size_t size = ex_size_of_rundown_protection_cache_aware();
	size_t whole = size + 2 * L1_CACHE_BYTES, offset, i;
	u8 *buffer = kunit_kmalloc(test, whole, GFP_KERNEL);
	int cpu;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	for (offset = 0; offset < L1_CACHE_BYTES; offset += sizeof(long)) {
		struct subject subject = { .ops = &in_place_ops, .ref = buffer + offset };

		memset(buffer, 0x5a, whole);
		KUNIT_ASSERT_EQ(test, 0,
				ex_initialize_rundown_protection_cache_aware(subject.ref, size));
		cpu = cpumask_last(cpu_possible_mask);
		KUNIT_EXPECT_LE(test, (unsigned long)subject_slot(&subject, cpu) + L1_CACHE_BYTES,
				(unsigned long)buffer + offset + size);
		for_each_online_cpu(cpu)
			KUNIT_ASSERT_TRUE(test, subject_acquire_on(&subject, cpu));
		for_each_online_cpu(cpu)
			subject_release_on(&subject, cpu);
		subject_wait(&subject);
		for (i = 0; i < whole; i++)
			if (buffer[i] != 0x5a && (i < offset || i >= offset + size))
				break;
		KUNIT_EXPECT_EQ_MSG(test, i, whole, "written outside the buffer, at +%zd",
				    i - offset);
	}
}

static void rundown_initialize_test_slots_do_not_share_lines(struct kunit *test)
{
	struct subject *subject = subject_create(test, &in_place_ops);
	unsigned long last = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		unsigned long slot = (unsigned long)subject_slot(subject, cpu);

		KUNIT_EXPECT_EQ(test, slot % L1_CACHE_BYTES, 0);
		KUNIT_EXPECT_GE(test, slot, last + L1_CACHE_BYTES);
		last = slot;
	}
}

static void rundown_initialize_test_unknown_flags(struct kunit *test)
{
	static const u32 unknown[] = {
		EX_RUNDOWN_NO_IPI << 1, BIT(31) | EX_RUNDOWN_NO_IPI, U32_MAX,
	};
	struct ex_rundown_ref_cache_aware ref, copy;
	int i, err;

	memset(&ref, 0xa5, sizeof(ref));
	memset(&copy, 0xa5, sizeof(copy));
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		err = ex_initialize_rundown_protection_cache_aware_ex(&ref, unknown[i]);
		KUNIT_EXPECT_EQ(test, err, -EINVAL);
		KUNIT_EXPECT_MEMEQ(test, &ref, &copy, sizeof(ref));
	}
}

static void cleaned_up(struct kunit *test, u32 flags)
{
	struct ex_rundown_ref_cache_aware ref;
	struct subject subject = { .ops = &no_ipi_ops, .ref = &ref };

	KUNIT_ASSERT_EQ(test, 0, ex_initialize_rundown_protection_cache_aware_ex(&ref, flags));
	KUNIT_ASSERT_TRUE(test, subject_acquire(&subject));
	subject_release(&subject);
	ex_cleanup_rundown_protection_cache_aware(&ref);

	KUNIT_EXPECT_FALSE(test, subject_acquire(&subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire_ex(&subject, 3));
	subject_wait(&subject);
	subject_completed(&subject);
	/* No access leads to what has been freed. */
	KUNIT_EXPECT_TRUE(test, ref.slots == &ex_rundown_slow_slot);
	KUNIT_EXPECT_TRUE(test, !ref.percpu);
	/* A second cleanup frees nothing. */
	ex_cleanup_rundown_protection_cache_aware(&ref);
	KUNIT_EXPECT_FALSE(test, subject_acquire(&subject));
}

static void rundown_initialize_test_cleaned_up_stays_run_down(struct kunit *test)
{
	cleaned_up(test, 0);
	cleaned_up(test, EX_RUNDOWN_NO_IPI);
}

static void rundown_initialize_test_cleaned_up_initializes_again(struct kunit *test)
{
	struct ex_rundown_ref_cache_aware ref;

	KUNIT_ASSERT_EQ(test, 0, ex_initialize_rundown_protection_cache_aware_ex(&ref, 0));
	ex_cleanup_rundown_protection_cache_aware(&ref);
	KUNIT_ASSERT_EQ(test, 0, ex_initialize_rundown_protection_cache_aware_ex(&ref, 0));
	expect_live_and_exact(test, &allocated_ops, &ref);
	ex_cleanup_rundown_protection_cache_aware(&ref);
}

static void rundown_initialize_test_free_null(struct kunit *test)
{
	ex_free_cache_aware_rundown_protection(NULL);
}

#ifdef CONFIG_SMP
static void expect_interrupts(struct kunit *test, const struct ref_ops *ops, bool interrupts)
{
	struct subject *subject = subject_create(test, ops);
	struct call_probe probe = { .kp.symbol_name = "on_each_cpu_cond_mask" };
	int calls;

	call_probe_begin(test, &probe);
	subject_wait(subject);
	subject_reinitialize(subject);
	calls = call_probe_end(&probe);
	KUNIT_EXPECT_EQ(test, calls, interrupts ? 2 : 0);
}

static void rundown_initialize_test_no_ipi_interrupts_nobody(struct kunit *test)
{
	expect_interrupts(test, &no_ipi_ops, false);
}

static void rundown_initialize_test_in_place_interrupts_nobody(struct kunit *test)
{
	expect_interrupts(test, &in_place_ops, false);
}

/* That the two above would notice. */
static void rundown_initialize_test_allocated_interrupts_once(struct kunit *test)
{
	if (!EX_RUNDOWN_PLAIN_SLOTS)
		kunit_skip(test, "this architecture's slots are all LOCKed ones");
	expect_interrupts(test, &allocated_ops, true);
}
#endif

static struct kunit_case rundown_initialize_cases[] = {
	KUNIT_CASE(rundown_initialize_test_zero_filled_basic_is_live),
	KUNIT_CASE(rundown_initialize_test_init_macro_is_live),
	KUNIT_CASE(rundown_initialize_test_basic_again_is_live),
	KUNIT_CASE(rundown_initialize_test_init_run_down_macro),
	KUNIT_CASE(rundown_initialize_test_static_starts_run_down),
	KUNIT_CASE(rundown_initialize_test_static_cache_aware_starts_run_down),
	KUNIT_CASE(rundown_initialize_test_count_initializer),
	KUNIT_CASE(rundown_initialize_test_count_assignment),
	KUNIT_CASE(rundown_initialize_test_constant_count_of_one),
	KUNIT_CASE(rundown_initialize_test_constant_count_above_one),
	KUNIT_CASE(rundown_initialize_test_too_small_buffer),
	KUNIT_CASE(rundown_initialize_test_misaligned_buffer),
	KUNIT_CASE(rundown_initialize_test_null_buffer),
	KUNIT_CASE(rundown_initialize_test_size_holds_slot_of_each_cpu),
	KUNIT_CASE(rundown_initialize_test_stays_in_buffer),
	KUNIT_CASE(rundown_initialize_test_slots_do_not_share_lines),
	KUNIT_CASE(rundown_initialize_test_unknown_flags),
	KUNIT_CASE(rundown_initialize_test_cleaned_up_stays_run_down),
	KUNIT_CASE(rundown_initialize_test_cleaned_up_initializes_again),
	KUNIT_CASE(rundown_initialize_test_free_null),
#ifdef CONFIG_SMP
	KUNIT_CASE(rundown_initialize_test_no_ipi_interrupts_nobody),
	KUNIT_CASE(rundown_initialize_test_in_place_interrupts_nobody),
	KUNIT_CASE(rundown_initialize_test_allocated_interrupts_once),
#endif
	{}
};

static struct kunit_suite rundown_initialize_suite = {
	.name = "rundown_initialize",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_initialize_cases,
};

kunit_test_suite(rundown_initialize_suite);
