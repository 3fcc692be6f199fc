// SPDX-License-Identifier: GPL-2.0
/* Without memory: what fails, says so, and leaves nothing behind. */
#include <kunit/device.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "fixture.h"

static void rundown_memory_test_allocates(struct kunit *test)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_NOWAIT, GFP_ATOMIC };
	int i;

	for (i = 0; i < ARRAY_SIZE(gfps); i++) {
		struct ex_rundown_ref_cache_aware *ref;

		ref = ex_allocate_cache_aware_rundown_protection(gfps[i]);
		KUNIT_ASSERT_NOT_NULL(test, ref);
		KUNIT_EXPECT_TRUE(test, ex_acquire_rundown_protection_cache_aware(ref));
		ex_release_rundown_protection_cache_aware(ref);
		ex_free_cache_aware_rundown_protection(ref);
	}
}

/* Where nothing may sleep. If it tries to, the kernel says so, which is seen by the taint. */
static void rundown_memory_test_allocates_in_atomic_context(struct kunit *test)
{
	struct call_probe splats = { .kp.symbol_name = "add_taint" };
	struct ex_rundown_ref_cache_aware *ref;

	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		kunit_skip(test, "no CONFIG_DEBUG_ATOMIC_SLEEP");
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "on PREEMPT_RT, no allocation there");
	call_probe_begin(test, &splats);
	preempt_disable();
	ref = ex_allocate_cache_aware_rundown_protection(GFP_ATOMIC);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, call_probe_end(&splats), 0);
	KUNIT_ASSERT_NOT_NULL(test, ref);
	ex_free_cache_aware_rundown_protection(ref);
}

static void rundown_memory_test_no_slab_memory(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	struct ex_rundown_ref_cache_aware *ref;

	/* The first allocation from here on; those that may sleep are spared by default. */
	current->fail_nth = 1;
	ref = ex_allocate_cache_aware_rundown_protection(GFP_NOWAIT | __GFP_NOWARN);
	KUNIT_EXPECT_EQ(test, current->fail_nth, 0);
	current->fail_nth = 0;
	KUNIT_EXPECT_NULL(test, ref);
	if (ref)
		ex_free_cache_aware_rundown_protection(ref);
#else
	kunit_skip(test, "no CONFIG_FAILSLAB");
#endif
}

static void rundown_memory_test_no_slab_memory_that_may_sleep(struct kunit *test)
{
	struct call_probe slab = {
		.kp.symbol_name = "should_failslab",
		.override = true,
		.value = -ENOMEM,
	};
	struct ex_rundown_ref_cache_aware *ref;

	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test, "no CONFIG_FAILSLAB");
	call_probe_begin(test, &slab);
	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	KUNIT_EXPECT_GE(test, call_probe_end(&slab), 1);
	KUNIT_EXPECT_NULL(test, ref);
	if (ref)
		ex_free_cache_aware_rundown_protection(ref);
}

/* The probes that have the per-CPU allocator fail and watch what else is done. */
static struct call_probe pcpu_alloc = {
	.kp.symbol_name = "pcpu_alloc_noprof",
	.override = true,
};

static struct call_probe kfree_called = { .kp.symbol_name = "kfree" };

static struct call_probe freed_percpu = { .kp.symbol_name = "free_percpu" };

static void rundown_memory_test_no_percpu_memory(struct kunit *test)
{
	struct call_probe alloc = pcpu_alloc, free = kfree_called;
	struct ex_rundown_ref_cache_aware *ref;
	int frees;

	call_probe_begin(test, &alloc);
	call_probe_begin(test, &free);
	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	frees = call_probe_end(&free);
	KUNIT_EXPECT_EQ(test, call_probe_end(&alloc), 1);
	KUNIT_EXPECT_NULL(test, ref);
	/* What had been allocated by then. */
	KUNIT_EXPECT_EQ(test, frees, 1);
}

static void initialize_without_percpu_memory(struct kunit *test, u32 flags)
{
	struct ex_rundown_ref_cache_aware ref, copy;
	struct call_probe alloc = pcpu_alloc;
	int err;

	memset(&ref, 0xa5, sizeof(ref));
	memset(&copy, 0xa5, sizeof(copy));
	call_probe_begin(test, &alloc);
	err = ex_initialize_rundown_protection_cache_aware_ex(&ref, flags);
	KUNIT_EXPECT_EQ(test, call_probe_end(&alloc), 1);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_MEMEQ(test, &ref, &copy, sizeof(ref));
}

static void rundown_memory_test_initialize_without_percpu_memory(struct kunit *test)
{
	initialize_without_percpu_memory(test, 0);
	initialize_without_percpu_memory(test, EX_RUNDOWN_NO_IPI);
}

static void rundown_memory_test_in_place_allocates_nothing(struct kunit *test)
{
	size_t size = ex_size_of_rundown_protection_cache_aware();
	struct call_probe alloc = pcpu_alloc;
	void *buffer = kunit_kmalloc(test, size, GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	call_probe_begin(test, &alloc);
	err = ex_initialize_rundown_protection_cache_aware(buffer, size);
	KUNIT_EXPECT_EQ(test, call_probe_end(&alloc), 0);
	KUNIT_EXPECT_EQ(test, err, 0);
}

static void rundown_memory_test_free_frees_both(struct kunit *test)
{
	struct ex_rundown_ref_cache_aware *ref;
	struct call_probe free = kfree_called, percpu = freed_percpu;
	int frees;

	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ref);
	free.first_arg = ref;
	call_probe_begin(test, &free);
	call_probe_begin(test, &percpu);
	ex_free_cache_aware_rundown_protection(ref);
	frees = call_probe_end(&percpu);
	KUNIT_EXPECT_EQ(test, call_probe_end(&free), 1);
	KUNIT_EXPECT_EQ(test, frees, 1);
}

static void rundown_memory_test_cleanup_frees_slots_once(struct kunit *test)
{
	struct ex_rundown_ref_cache_aware ref;
	struct call_probe percpu = freed_percpu;

	KUNIT_ASSERT_EQ(test, 0, ex_initialize_rundown_protection_cache_aware_ex(&ref, 0));
	call_probe_begin(test, &percpu);
	ex_cleanup_rundown_protection_cache_aware(&ref);
	ex_cleanup_rundown_protection_cache_aware(&ref);
	KUNIT_EXPECT_EQ(test, call_probe_end(&percpu), 1);
}

/* Who finds it under RCU may still acquire: it is freed after the grace period, and not by us. */
static void rundown_memory_test_free_by_rcu(struct kunit *test)
{
	struct call_probe free_here = freed_percpu, free_anywhere = freed_percpu;
	struct ex_rundown_ref_cache_aware *ref;

	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ref);
	KUNIT_ASSERT_TRUE(test, ex_acquire_rundown_protection_cache_aware(ref));
	ex_release_rundown_protection_cache_aware(ref);
	free_anywhere.any_task = true;
	free_anywhere.first_arg = (const void __force *)ref->percpu;
	call_probe_begin(test, &free_here);
	call_probe_begin(test, &free_anywhere);
	ex_rundown_free_rcu_cache_aware(ref);
	KUNIT_EXPECT_EQ(test, call_probe_end(&free_here), 0);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, call_probe_end(&free_anywhere), 1);
	ex_rundown_free_rcu_cache_aware(NULL);
}

struct reader {
	struct ex_rundown_ref_cache_aware *ref;
	bool inside, end, granted;
};

static void read_across(void *arg)
{
	struct reader *reader = arg;

	rcu_read_lock();
	WRITE_ONCE(reader->inside, true);
	while (!READ_ONCE(reader->end))
		cpu_relax();
	reader->granted = ex_acquire_rundown_protection_cache_aware(reader->ref);
	rcu_read_unlock();
}

/* Who found the ref before may ask it after, and is refused. */
static void rundown_memory_test_reader_across_free(struct kunit *test)
{
	struct reader *reader = share_zalloc(test, sizeof(*reader));
	struct call_probe freed = freed_percpu;
	struct thread *thread;

	if (num_online_cpus() < 2)
		kunit_skip(test, "no CPU beside this one");
	reader->ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, reader->ref);
	freed.any_task = true;
	freed.first_arg = (const void __force *)reader->ref->percpu;
	call_probe_begin(test, &freed);
	thread = thread_run(test, read_across, reader, other_cpu(raw_smp_processor_id()));
	while (!READ_ONCE(reader->inside))
		cond_resched();
	ex_wait_for_rundown_protection_release_cache_aware(reader->ref);
	ex_rundown_free_rcu_cache_aware(reader->ref);
	msleep(STAYS_MS);
	KUNIT_EXPECT_EQ(test, atomic_read(&freed.calls), 0);
	WRITE_ONCE(reader->end, true);
	thread_join(test, thread);
	KUNIT_EXPECT_FALSE(test, reader->granted);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, call_probe_end(&freed), 1);
}

static void rundown_memory_test_free_by_rcu_of_held(struct kunit *test)
{
	struct ex_rundown_ref_cache_aware *ref;

	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ref);
	KUNIT_ASSERT_TRUE(test, ex_acquire_rundown_protection_cache_aware(ref));
	EXPECT_MISUSE(test, EX_MISUSE_FREE_HELD, ex_rundown_free_rcu_cache_aware(ref));
	rcu_barrier();
	/* It has been leaked, and is there. */
	KUNIT_EXPECT_FALSE(test, ex_acquire_rundown_protection_cache_aware(ref));
	ex_release_rundown_protection_cache_aware(ref);
	ex_rundown_free_rcu_cache_aware(ref);
	rcu_barrier();
}

static void rundown_memory_test_free_by_rcu_of_foreign(struct kunit *test)
{
	struct subject *subject = subject_create(test, &no_ipi_ops);

	EXPECT_MISUSE(test, EX_MISUSE_FREE_FOREIGN,
		      ex_rundown_free_rcu_cache_aware(subject->ref));
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

struct device_holder {
	struct ex_rundown_ref_cache_aware *ref;
	bool released;
};

static void release_soon(void *arg)
{
	struct device_holder *holder = arg;

	msleep(STAYS_MS);
	WRITE_ONCE(holder->released, true);
	ex_release_rundown_protection_cache_aware(holder->ref);
}

static void rundown_memory_test_device_waits_and_frees(struct kunit *test)
{
	struct device_holder *holder = share_zalloc(test, sizeof(*holder));
	struct device *device = kunit_device_register(test, "rundown");
	struct call_probe free = freed_percpu, free_here = freed_percpu;
	struct thread *thread;

	KUNIT_ASSERT_FALSE(test, IS_ERR(device));
	holder->ref = devm_ex_rundown_allocate_cache_aware(device);
	KUNIT_ASSERT_NOT_NULL(test, holder->ref);
	free.any_task = true;
	free.first_arg = (const void __force *)holder->ref->percpu;
	call_probe_begin(test, &free);
	/* Not before that, which may skip the test: the device's end would wait for ever. */
	KUNIT_ASSERT_TRUE(test, ex_acquire_rundown_protection_cache_aware(holder->ref));
	free_here.first_arg = free.first_arg;
	thread = thread_run(test, release_soon, holder, ANY_CPU);
	call_probe_begin(test, &free_here);
	kunit_device_unregister(test, device);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(holder->released));
	/* By RCU. */
	KUNIT_EXPECT_EQ(test, call_probe_end(&free_here), 0);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, call_probe_end(&free), 1);
	thread_join(test, thread);
}

static void rundown_memory_test_no_memory_for_the_device(struct kunit *test)
{
	struct call_probe add = {
		.kp.symbol_name = "__devm_add_action",
		.override = true,
		.value = -ENOMEM,
	};
	struct device *device = kunit_device_register(test, "rundown");
	struct call_probe free = freed_percpu, alloc = pcpu_alloc;

	KUNIT_ASSERT_FALSE(test, IS_ERR(device));
	call_probe_begin(test, &add);
	call_probe_begin(test, &free);
	KUNIT_EXPECT_NULL(test, devm_ex_rundown_allocate_cache_aware(device));
	KUNIT_EXPECT_EQ(test, call_probe_end(&free), 1);
	KUNIT_EXPECT_EQ(test, call_probe_end(&add), 1);
	call_probe_begin(test, &alloc);
	KUNIT_EXPECT_NULL(test, devm_ex_rundown_allocate_cache_aware(device));
	KUNIT_EXPECT_EQ(test, call_probe_end(&alloc), 1);
}

static struct kunit_case rundown_memory_cases[] = {
	KUNIT_CASE(rundown_memory_test_allocates),
	KUNIT_CASE(rundown_memory_test_allocates_in_atomic_context),
	KUNIT_CASE(rundown_memory_test_no_slab_memory),
	KUNIT_CASE(rundown_memory_test_no_slab_memory_that_may_sleep),
	KUNIT_CASE(rundown_memory_test_no_percpu_memory),
	KUNIT_CASE(rundown_memory_test_initialize_without_percpu_memory),
	KUNIT_CASE(rundown_memory_test_in_place_allocates_nothing),
	KUNIT_CASE(rundown_memory_test_free_frees_both),
	KUNIT_CASE(rundown_memory_test_cleanup_frees_slots_once),
	KUNIT_CASE(rundown_memory_test_free_by_rcu),
	KUNIT_CASE(rundown_memory_test_reader_across_free),
	KUNIT_CASE(rundown_memory_test_free_by_rcu_of_held),
	KUNIT_CASE(rundown_memory_test_free_by_rcu_of_foreign),
	KUNIT_CASE(rundown_memory_test_device_waits_and_frees),
	KUNIT_CASE(rundown_memory_test_no_memory_for_the_device),
	{}
};

static struct kunit_suite rundown_memory_suite = {
	.name = "rundown_memory",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_memory_cases,
};

kunit_test_suite(rundown_memory_suite);
