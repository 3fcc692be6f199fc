// SPDX-License-Identifier: GPL-2.0
/* CPUs that go and come between acquire and release, during a wait, and between two lives. */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>

#include "fixture.h"

#ifdef CONFIG_HOTPLUG_CPU
/* The CPU that is taken away, while it is. */
static int offline_cpu = -1;

static int rundown_hotplug_cpu_init(struct kunit *test)
{
	offline_cpu = -1;
	return fixture_init(test);
}

static void online(struct kunit *test)
{
	int cpu = offline_cpu;

	if (cpu < 0)
		return;
	offline_cpu = -1;
	KUNIT_EXPECT_EQ_MSG(test, 0, add_cpu(cpu), "CPU %d does not come back", cpu);
}

static void rundown_hotplug_cpu_exit(struct kunit *test)
{
	online(test);
	fixture_exit(test);
}

/* A CPU that can go. */
static int victim_cpu(struct kunit *test)
{
	int cpu, victim = -1;

	for_each_online_cpu(cpu)
		if (cpu_is_hotpluggable(cpu))
			victim = cpu;
	if (num_online_cpus() < 2 || victim < 0)
		kunit_skip(test, "no CPU that could go offline");
	return victim;
}

static void offline(struct kunit *test, int cpu)
{
	KUNIT_ASSERT_EQ_MSG(test, 0, remove_cpu(cpu), "CPU %d does not go", cpu);
	offline_cpu = cpu;
}

static void rundown_hotplug_cpu_test_offline_between_acquire_and_wait(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int cpu = victim_cpu(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, cpu));
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex_on(subject, cpu, 4));
	offline(test, cpu);
	subject_release_ex(subject, 3);
	expect_exactly_held(test, subject, 2);
	online(test);
	/* What the CPU finds when it is back. */
	KUNIT_EXPECT_FALSE(test, subject_acquire_on(subject, cpu));
}

static void rundown_hotplug_cpu_test_offline_during_wait(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);
	int cpu = victim_cpu(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, cpu));
	waiter = waiter_start_blocked(test, subject);
	offline(test, cpu);
	waiter_expect_blocked(test, subject, waiter);
	subject_release(subject);
	thread_join(test, waiter);
	online(test);
}

static void rundown_hotplug_cpu_test_online_during_wait(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);
	int cpu = victim_cpu(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, cpu));
	offline(test, cpu);
	waiter = waiter_start_blocked(test, subject);
	online(test);
	KUNIT_EXPECT_FALSE(test, subject_acquire_on(subject, cpu));
	waiter_expect_blocked(test, subject, waiter);
	subject_release_on(subject, cpu);
	thread_join(test, waiter);
}

static void rundown_hotplug_cpu_test_revived_while_offline(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int cpu = victim_cpu(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire_on(subject, cpu));
	subject_release(subject);
	subject_wait(subject);
	offline(test, cpu);
	subject_reinitialize(subject);
	online(test);
	KUNIT_EXPECT_TRUE(test, subject_acquire_on(subject, cpu));
	KUNIT_EXPECT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 2);
}

/* The tour does one thing for CPUs that are online, another for the rest: none may go meanwhile. */
struct tour {
	struct call_probe lock, unlock, interrupts;
	struct subject *subject;
	unsigned int state;
	bool begun;	/* when the lock was taken */
	int held;	/* how often, when the CPUs were interrupted */
};

static unsigned int state_of(struct subject *subject)
{
	return subject->ops->is_active(subject->ref) << 1 | subject->ops->is_complete(subject->ref);
}

static void look_whether_begun(void *arg)
{
	struct tour *tour = arg;

	if (atomic_read(&tour->lock.calls) == 1)
		tour->begun = state_of(tour->subject) != tour->state;
}

static void look_for_lock(void *arg)
{
	struct tour *tour = arg;

	tour->held = atomic_read(&tour->lock.calls) - atomic_read(&tour->unlock.calls);
}

/* Who has the lock may be waiting for our tour: we must not begin it, and then want the lock. */
static void expect_locked_tour(struct kunit *test, struct subject *subject,
			       void (*fn)(struct subject *subject))
{
	struct tour tour = {
		.lock.kp.symbol_name = "cpus_read_lock",
		.lock.hook = look_whether_begun,
		.lock.arg = &tour,
		.unlock.kp.symbol_name = "cpus_read_unlock",
		.interrupts.kp.symbol_name = "on_each_cpu_cond_mask",
		.interrupts.hook = look_for_lock,
		.interrupts.arg = &tour,
		.subject = subject,
		.state = state_of(subject),
	};

	call_probe_begin(test, &tour.lock);
	call_probe_begin(test, &tour.unlock);
	call_probe_begin(test, &tour.interrupts);
	/* Registering the others made calls of its own. */
	atomic_set(&tour.lock.calls, 0);
	atomic_set(&tour.unlock.calls, 0);
	fn(subject);
	KUNIT_EXPECT_EQ(test, atomic_read(&tour.unlock.calls), 1);
	call_probe_end(&tour.interrupts);
	call_probe_end(&tour.unlock);
	call_probe_end(&tour.lock);
	KUNIT_EXPECT_EQ(test, tour.held, 1);
	KUNIT_EXPECT_FALSE(test, tour.begun);
}

static void wait_for_one_of_many(struct subject *subject)
{
	struct ex_rundown_ref_cache_aware *ref = subject->ref;

	ex_rundown_wait_many_cache_aware(&ref, 1);
}

static void rundown_hotplug_cpu_test_no_cpu_goes_during_tour(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);

	if (!EX_RUNDOWN_PLAIN_SLOTS)
		kunit_skip(test, "this architecture's slots are all LOCKed ones");
	expect_locked_tour(test, subject, subject_wait);
	expect_locked_tour(test, subject, subject_reinitialize);
	expect_locked_tour(test, subject, wait_for_one_of_many);
}

static void rundown_hotplug_cpu_test_created_while_offline(struct kunit *test)
{
	int cpu = victim_cpu(test);
	struct subject *subject;

	offline(test, cpu);
	subject = subject_create(test, &allocated_ops);
	online(test);
	KUNIT_EXPECT_TRUE(test, subject_acquire_on(subject, cpu));
	KUNIT_EXPECT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 2);
}

/* The last release, with a task in the wait. */
struct last_release {
	struct subject *subject;
	struct thread *waiter;
	bool released;
	struct hrtimer hrtimer;
};

static void release_last(void *arg)
{
	struct last_release *last = arg;

	if (!last->released) {
		last->released = true;
		subject_release(last->subject);
	}
}

/* On the CPU that goes, in the middle of going: interrupts off, and its threads parked. */
static void last_release_on_dying_cpu(struct kunit *test, const char *function)
{
	struct last_release last = { .subject = subject_create(test, &allocated_ops) };
	struct call_probe dying = {
		.kp.symbol_name = function,
		.any_task = true,
		.hook = release_last,
		.arg = &last,
	};
	int cpu = victim_cpu(test), err;

	call_probe_begin(test, &dying);
	if (!subject_acquire(last.subject)) {
		call_probe_end(&dying);
		KUNIT_FAIL_AND_ABORT(test, "refused");
	}
	last.waiter = waiter_start_blocked(test, last.subject);
	err = remove_cpu(cpu);
	KUNIT_EXPECT_GE(test, call_probe_end(&dying), 1);
	if (!last.released)
		release_last(&last);
	KUNIT_ASSERT_EQ(test, err, 0);
	offline_cpu = cpu;
	thread_join(test, last.waiter);
	online(test);

	/* What it left undone must not stop it from waking others when it is back. */
	subject_reinitialize(last.subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(last.subject));
	last.waiter = waiter_start_blocked(test, last.subject);
	subject_release_on(last.subject, cpu);
	thread_join(test, last.waiter);
}

/* Still online. */
static void rundown_hotplug_cpu_test_last_release_before_dying(struct kunit *test)
{
	last_release_on_dying_cpu(test, "take_cpu_down");
}

/* After the last time that the CPU has served its irq_works. */
static void rundown_hotplug_cpu_test_last_release_while_dying(struct kunit *test)
{
	last_release_on_dying_cpu(test, "sched_cpu_dying");
}

/* Waits when the CPU is dead, before the module's own callback, for who waits for that release. */
static struct callback_wait {
	struct last_release last;
	struct subject *held;
	unsigned long left;
} *callback_wait;

static int wait_when_dead(unsigned int cpu)
{
	struct callback_wait *wait = callback_wait;

	if (wait)
		wait->left = wait->held->ops->wait_timeout(wait->held->ref,
							   msecs_to_jiffies(BLOCKS_MS));
	return 0;
}

static void wait_and_release(void *arg)
{
	struct callback_wait *wait = arg;

	subject_wait(wait->last.subject);
	subject_release(wait->held);
}

static void rundown_hotplug_cpu_test_callback_waits(struct kunit *test)
{
	struct callback_wait *wait = share_zalloc(test, sizeof(*wait));
	struct call_probe dying = {
		.kp.symbol_name = "sched_cpu_dying",
		.any_task = true,
		.hook = release_last,
		.arg = &wait->last,
	};
	int cpu = victim_cpu(test), state, err;

	wait->last.subject = subject_create(test, &allocated_ops);
	wait->held = subject_create(test, &basic_ops);
	call_probe_begin(test, &dying);
	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "rundown_kunit:dead", NULL,
					  wait_when_dead);
	if (state < 0 || !subject_acquire(wait->last.subject) || !subject_acquire(wait->held)) {
		call_probe_end(&dying);
		KUNIT_FAIL_AND_ABORT(test, "no callback (%d), or refused", state);
	}
	wait->last.waiter = thread_run(test, wait_and_release, wait, ANY_CPU);
	waiter_expect_blocked(test, wait->last.subject, wait->last.waiter);
	callback_wait = wait;
	err = remove_cpu(cpu);
	callback_wait = NULL;
	cpuhp_remove_state_nocalls(state);
	KUNIT_EXPECT_GE(test, call_probe_end(&dying), 1);
	if (!wait->last.released)
		release_last(&wait->last);
	KUNIT_ASSERT_EQ(test, err, 0);
	offline_cpu = cpu;
	KUNIT_EXPECT_GT(test, wait->left, 0);
	thread_join(test, wait->last.waiter);
	online(test);
}

/* Before the CPU can serve its first irq_work. */
static void rundown_hotplug_cpu_test_last_release_while_starting(struct kunit *test)
{
	struct last_release last = { .subject = subject_create(test, &allocated_ops) };
	struct call_probe starting = {
		.kp.symbol_name = "sched_cpu_starting",
		.any_task = true,
		.hook = release_last,
		.arg = &last,
	};

	offline(test, victim_cpu(test));
	call_probe_begin(test, &starting);
	if (!subject_acquire(last.subject)) {
		call_probe_end(&starting);
		KUNIT_FAIL_AND_ABORT(test, "refused");
	}
	last.waiter = waiter_start_blocked(test, last.subject);
	online(test);
	KUNIT_EXPECT_EQ(test, call_probe_end(&starting), 1);
	if (!last.released)
		release_last(&last);
	thread_join(test, last.waiter);
}

static enum hrtimer_restart release_on_hrtimer(struct hrtimer *hrtimer)
{
	release_last(container_of(hrtimer, struct last_release, hrtimer));
	return HRTIMER_NORESTART;
}

static void start_hrtimer(void *arg)
{
	struct last_release *last = arg;

	hrtimer_start(&last->hrtimer, ms_to_ktime(10), HRTIMER_MODE_REL_PINNED_HARD);
}

/* Somewhere on the way: on the CPU that goes, or, with its timers, on another. */
static void rundown_hotplug_cpu_test_last_release_while_cpu_goes(struct kunit *test)
{
	struct last_release last = { .subject = subject_create(test, &allocated_ops) };
	int cpu = victim_cpu(test), err;

	KUNIT_ASSERT_TRUE(test, subject_acquire_on(last.subject, cpu));
	last.waiter = waiter_start_blocked(test, last.subject);
	hrtimer_init_on_stack(&last.hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	last.hrtimer.function = release_on_hrtimer;
	smp_call_function_single(cpu, start_hrtimer, &last, 1);
	err = remove_cpu(cpu);
	if (!err)
		offline_cpu = cpu;
	KUNIT_EXPECT_EQ(test, err, 0);
	thread_join(test, last.waiter);
	hrtimer_cancel(&last.hrtimer);
	destroy_hrtimer_on_stack(&last.hrtimer);
	online(test);
}

static struct kunit_case rundown_hotplug_cpu_cases[] = {
	KUNIT_CASE_PARAM(rundown_hotplug_cpu_test_offline_between_acquire_and_wait, each_main_kind),
	KUNIT_CASE(rundown_hotplug_cpu_test_offline_during_wait),
	KUNIT_CASE(rundown_hotplug_cpu_test_online_during_wait),
	KUNIT_CASE_PARAM(rundown_hotplug_cpu_test_revived_while_offline, each_main_kind),
	KUNIT_CASE(rundown_hotplug_cpu_test_no_cpu_goes_during_tour),
	KUNIT_CASE(rundown_hotplug_cpu_test_created_while_offline),
	KUNIT_CASE(rundown_hotplug_cpu_test_last_release_before_dying),
	KUNIT_CASE(rundown_hotplug_cpu_test_last_release_while_dying),
	KUNIT_CASE(rundown_hotplug_cpu_test_callback_waits),
	KUNIT_CASE(rundown_hotplug_cpu_test_last_release_while_starting),
	KUNIT_CASE(rundown_hotplug_cpu_test_last_release_while_cpu_goes),
	{}
};

static struct kunit_suite rundown_hotplug_cpu_suite = {
	.name = "rundown_hotplug_cpu",
	.init = rundown_hotplug_cpu_init,
	.exit = rundown_hotplug_cpu_exit,
	.test_cases = rundown_hotplug_cpu_cases,
};

#else

static void rundown_hotplug_cpu_test_none(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_HOTPLUG_CPU");
}

static struct kunit_case rundown_hotplug_cpu_cases[] = {
	KUNIT_CASE(rundown_hotplug_cpu_test_none),
	{}
};

static struct kunit_suite rundown_hotplug_cpu_suite = {
	.name = "rundown_hotplug_cpu",
	.test_cases = rundown_hotplug_cpu_cases,
};

#endif

kunit_test_suite(rundown_hotplug_cpu_suite);
