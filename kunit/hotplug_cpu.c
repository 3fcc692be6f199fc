// SPDX-License-Identifier: GPL-2.0
/* CPUs that go and come between acquire and release, during a wait, and between two lives. */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
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

static void stranger_remove(void);

static void rundown_hotplug_cpu_exit(struct kunit *test)
{
	stranger_remove();
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

/* Stops the module's timer, so that the waiter is left to the module's own hotplug callback. */
#define NO_TIMER	\
	((struct call_probe){				\
		.kp.symbol_name = "ex_hotplug_poll",	\
		.any_task = true,			\
		.override = true,			\
	})

/* On the CPU that goes, in the middle of going: interrupts off, and its threads parked. */
static void last_release_on_dying_cpu(struct kunit *test, const char *function)
{
	struct last_release last = { .subject = subject_create(test, &allocated_ops) };
	struct call_probe timer = NO_TIMER;
	struct call_probe dying = {
		.kp.symbol_name = function,
		.any_task = true,
		.hook = release_last,
		.arg = &last,
	};
	int cpu = victim_cpu(test), err;

	call_probe_begin(test, &dying);
	call_probe_begin(test, &timer);
	if (!subject_acquire(last.subject)) {
		call_probe_end(&timer);
		call_probe_end(&dying);
		KUNIT_FAIL_AND_ABORT(test, "refused");
	}
	last.waiter = waiter_start_blocked(test, last.subject);
	err = remove_cpu(cpu);
	KUNIT_EXPECT_GE(test, call_probe_end(&dying), 1);
	call_probe_end(&timer);
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

/*
 * Another subsystem's callbacks: one makes the last release on the CPU while it is not online and
 * has interrupts off; another, which runs before the module's own, waits for a thread of ours.
 */
static struct stranger {
	struct last_release last;
	struct ex_rundown_work work;
	struct completion called;
	bool waited, ended;
	int error;
} *stranger;

static int stranger_releases(unsigned int cpu)
{
	if (stranger && stranger->last.subject)
		release_last(&stranger->last);
	return 0;
}

/* flush_work(), but so that the machine survives if the thread is stuck. */
static int stranger_waits(unsigned int cpu)
{
	if (stranger && stranger->last.released) {
		stranger->waited = true;
		stranger->ended = wait_for_completion_timeout(&stranger->last.waiter->done,
							      msecs_to_jiffies(BLOCKS_MS));
	}
	return 0;
}

static int stranger_fails(unsigned int cpu)
{
	return stranger ? stranger->error : 0;
}

/* Before the release, so that a timer that expires only once is of no use. */
static int stranger_dawdles(unsigned int cpu)
{
	if (stranger)
		msleep(20 * STAYS_MS);
	return 0;
}

static int stranger_goes(unsigned int cpu)
{
	return stranger_fails(cpu) ?: stranger_dawdles(cpu);
}

static int stranger_comes(unsigned int cpu)
{
	return stranger_fails(cpu) ?: stranger_waits(cpu);
}

/*
 * Startup and teardown. The first two states belong to drivers of other architectures. The second
 * is below the module's online state; the third, which is dynamic like the module's and registered
 * later, is above its prepare state: startup is called from below, teardown from above.
 */
static struct {
	enum cpuhp_state wanted;
	int (*startup)(unsigned int cpu), (*teardown)(unsigned int cpu);
	int state;
} stranger_states[] = {
	{ CPUHP_AP_ARM_TWD_STARTING, stranger_releases, stranger_releases },
	{ CPUHP_AP_PERF_POWERPC_NEST_IMC_ONLINE, stranger_comes, stranger_goes },
	{ CPUHP_BP_PREPARE_DYN, stranger_dawdles, stranger_waits },
};

static void stranger_remove(void)
{
	unsigned int i;

	stranger = NULL;
	for (i = 0; i < ARRAY_SIZE(stranger_states); i++) {
		if (stranger_states[i].state)
			cpuhp_remove_state_nocalls(stranger_states[i].state);
		stranger_states[i].state = 0;
	}
}

static struct stranger *stranger_add(struct kunit *test)
{
	struct stranger *it = share_zalloc(test, sizeof(*it));
	unsigned int i;

	init_completion(&it->called);
	for (i = 0; i < ARRAY_SIZE(stranger_states); i++) {
		int error = cpuhp_setup_state_nocalls(stranger_states[i].wanted,
						      "rundown_kunit:stranger",
						      stranger_states[i].startup,
						      stranger_states[i].teardown);

		if (error < 0)
			kunit_skip(test, "no callback for state %d: %d", stranger_states[i].wanted,
				   error);
		stranger_states[i].state = error ?: stranger_states[i].wanted;
	}
	return it;
}

static void stranger_called(struct ex_rundown_work *work)
{
	complete(&container_of(work, struct stranger, work)->called);
}

static void start_async(struct stranger *it)
{
	struct subject *subject = it->last.subject;

	subject->ops->start_async(subject->ref, &it->work, stranger_called);
}

static void wait_for_release(void *arg)
{
	struct stranger *it = arg;

	subject_wait(it->last.subject);
}

static void wait_for_call(void *arg)
{
	struct stranger *it = arg;

	start_async(it);
	wait_for_completion(&it->called);
}

static void wait_at_barrier(void *arg)
{
	start_async(arg);
	ex_rundown_async_barrier();
}

static const struct stranger_wait {
	const char *name;
	void (*fn)(void *arg);
} stranger_wait_kinds[] = {
	{ "wait", wait_for_release },
	{ "asynchronous", wait_for_call },
	{ "barrier", wait_at_barrier },
};

static void stranger_wait_describe(const struct stranger_wait *wait, char *desc)
{
	strscpy(desc, wait->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(stranger_wait, stranger_wait_kinds, stranger_wait_describe);

static struct stranger *stranger_start(struct kunit *test)
{
	const struct stranger_wait *wait = test->param_value;
	struct stranger *it = stranger_add(test);

	it->last.subject = subject_create(test, &allocated_ops);
	KUNIT_ASSERT_TRUE(test, subject_acquire(it->last.subject));
	it->last.waiter = thread_run(test, wait->fn, it, ANY_CPU);
	waiter_expect_blocked(test, it->last.subject, it->last.waiter);
	return it;
}

static void stranger_end(struct kunit *test, struct stranger *it)
{
	KUNIT_EXPECT_TRUE_MSG(test, it->last.released, "no release while the CPU was not online");
	if (!it->last.released)
		release_last(&it->last);
	KUNIT_EXPECT_TRUE_MSG(test, it->waited, "the callback did not wait");
	KUNIT_EXPECT_TRUE_MSG(test, it->ended, "nobody woke the thread until the callback gave up");
	thread_join(test, it->last.waiter);
}

static void rundown_hotplug_cpu_test_callback_waits_when_dead(struct kunit *test)
{
	int cpu = victim_cpu(test);
	struct stranger *it = stranger_start(test);

	stranger = it;
	offline(test, cpu);
	stranger = NULL;
	stranger_end(test, it);
	online(test);
}

static void rundown_hotplug_cpu_test_callback_waits_when_online(struct kunit *test)
{
	int cpu = victim_cpu(test);
	struct stranger *it;

	offline(test, cpu);
	it = stranger_start(test);
	stranger = it;
	online(test);
	stranger = NULL;
	stranger_end(test, it);
}

/* Before the CPU can serve its first irq_work. */
static void rundown_hotplug_cpu_test_last_release_while_starting(struct kunit *test)
{
	struct last_release last = { .subject = subject_create(test, &allocated_ops) };
	struct call_probe timer = NO_TIMER;
	struct call_probe starting = {
		.kp.symbol_name = "sched_cpu_starting",
		.any_task = true,
		.hook = release_last,
		.arg = &last,
	};

	offline(test, victim_cpu(test));
	call_probe_begin(test, &starting);
	call_probe_begin(test, &timer);
	if (!subject_acquire(last.subject)) {
		call_probe_end(&timer);
		call_probe_end(&starting);
		KUNIT_FAIL_AND_ABORT(test, "refused");
	}
	last.waiter = waiter_start_blocked(test, last.subject);
	online(test);
	KUNIT_EXPECT_EQ(test, call_probe_end(&starting), 1);
	call_probe_end(&timer);
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
	hrtimer_setup_on_stack(&last.hrtimer, release_on_hrtimer, CLOCK_MONOTONIC,
			       HRTIMER_MODE_REL_PINNED_HARD);
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

/* How often the module has checked for a wake that a CPU could not make. */
static int checks(struct kunit *test, struct call_probe *probe)
{
	int before = atomic_read(&probe->calls);

	msleep(20 * STAYS_MS);
	return atomic_read(&probe->calls) - before;
}

/* Whether an operation succeeds or fails, nothing goes on when it has ended. */
static void rundown_hotplug_cpu_test_checks_end(struct kunit *test)
{
	struct call_probe probe = { .kp.symbol_name = "ex_drain_wake_missing", .any_task = true };
	int cpu = victim_cpu(test), after[4], down, up;
	struct stranger *it = stranger_add(test);

	it->error = -EPERM;
	call_probe_begin(test, &probe);
	stranger = it;
	down = remove_cpu(cpu);
	after[0] = checks(test, &probe);
	stranger = NULL;
	if (!remove_cpu(cpu))
		offline_cpu = cpu;
	after[1] = checks(test, &probe);
	stranger = it;
	up = add_cpu(cpu);
	after[2] = checks(test, &probe);
	stranger = NULL;
	online(test);
	after[3] = checks(test, &probe);
	KUNIT_EXPECT_GT(test, call_probe_end(&probe), 0);
	KUNIT_EXPECT_EQ(test, down, -EPERM);
	KUNIT_EXPECT_EQ_MSG(test, after[0], 0, "after a CPU could not go");
	KUNIT_EXPECT_EQ_MSG(test, after[1], 0, "after a CPU went");
	KUNIT_EXPECT_EQ(test, up, -EPERM);
	KUNIT_EXPECT_EQ_MSG(test, after[2], 0, "after a CPU could not come");
	KUNIT_EXPECT_EQ_MSG(test, after[3], 0, "after a CPU came");
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
	KUNIT_CASE_PARAM(rundown_hotplug_cpu_test_callback_waits_when_dead,
			 stranger_wait_gen_params),
	KUNIT_CASE(rundown_hotplug_cpu_test_last_release_while_starting),
	KUNIT_CASE_PARAM(rundown_hotplug_cpu_test_callback_waits_when_online,
			 stranger_wait_gen_params),
	KUNIT_CASE(rundown_hotplug_cpu_test_last_release_while_cpu_goes),
	KUNIT_CASE(rundown_hotplug_cpu_test_checks_end),
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
