// SPDX-License-Identifier: GPL-2.0
/* Waits that end early, run-downs that begin without a wait, and what is said of a ref's state. */
#include <linux/cpu.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "fixture.h"

/* A few ticks, and so long that it is not what ended the wait. */
#define SOON		msecs_to_jiffies(20)
#define LATE		(10 * msecs_to_jiffies(STUCK_MS))

static void expect_state(struct kunit *test, struct subject *subject, bool active, bool complete)
{
	KUNIT_EXPECT_EQ(test, subject->ops->is_active(subject->ref), active);
	KUNIT_EXPECT_EQ(test, subject->ops->is_complete(subject->ref), complete);
}

static unsigned long wait_timeout(struct subject *subject, unsigned long timeout)
{
	return subject->ops->wait_timeout(subject->ref, timeout);
}

static void rundown_waits_test_timeout_passes(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	unsigned long begin;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, wait_timeout(subject, SOON), 0);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, begin + SOON));
	expect_state(test, subject, true, false);
	KUNIT_ASSERT_FALSE(test, subject_acquire(subject));
	/* And again: it goes on. */
	KUNIT_EXPECT_EQ(test, wait_timeout(subject, 1), 0);
	KUNIT_EXPECT_EQ(test, wait_timeout(subject, 0), 0);
	subject_release(subject);
	expect_state(test, subject, true, true);
	subject_wait(subject);
	subject_reinitialize(subject);
	expect_state(test, subject, false, false);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static void rundown_waits_test_timeout_of_idle_ref(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	KUNIT_EXPECT_EQ(test, wait_timeout(subject, 0), 1);
	KUNIT_EXPECT_EQ(test, wait_timeout(subject, 0), 1);
	KUNIT_EXPECT_EQ(test, wait_timeout(subject, LATE), LATE);
	KUNIT_EXPECT_GT(test, wait_timeout(subject, ULONG_MAX), 0);
	subject_reinitialize(subject);
	KUNIT_EXPECT_EQ(test, wait_timeout(subject, LATE), LATE);
}

struct timed_wait {
	struct subject *subject;
	unsigned long left;
};

static void wait_late(void *arg)
{
	struct timed_wait *wait = arg;

	wait->left = wait_timeout(wait->subject, LATE);
}

static void rundown_waits_test_release_ends_timeout(struct kunit *test)
{
	struct timed_wait *wait = share_zalloc(test, sizeof(*wait));
	struct thread *thread;

	wait->subject = test_subject(test);
	KUNIT_ASSERT_TRUE(test, subject_acquire(wait->subject));
	thread = thread_run(test, wait_late, wait, ANY_CPU);
	waiter_expect_blocked(test, wait->subject, thread);
	/* A deferred wake; a direct one is that of waiter_start_blocked()'s tests. */
	subject_release_on(wait->subject, other_cpu(0));
	if (thread_join(test, thread)) {
		KUNIT_EXPECT_GT(test, wait->left, 0);
		KUNIT_EXPECT_LE(test, wait->left, LATE);
	}
}

/* More than a signed number of jiffies is no time-out at all. */
static void wait_longest(void *arg)
{
	struct timed_wait *wait = arg;

	wait->left = wait_timeout(wait->subject, ULONG_MAX);
}

static void rundown_waits_test_longest_timeout(struct kunit *test)
{
	struct timed_wait *wait = share_zalloc(test, sizeof(*wait));
	struct thread *thread;

	wait->subject = test_subject(test);
	KUNIT_ASSERT_TRUE(test, subject_acquire(wait->subject));
	thread = thread_run(test, wait_longest, wait, ANY_CPU);
	waiter_expect_blocked(test, wait->subject, thread);
	subject_release(wait->subject);
	if (thread_join(test, thread))
		KUNIT_EXPECT_GT(test, wait->left, LATE);
}

#define AGAIN_MS	100

struct waits_again {
	struct subject *subject;
	bool end;
};

static void wait_again_and_again(void *arg)
{
	struct waits_again *again = arg;

	while (!READ_ONCE(again->end)) {
		subject_wait(again->subject);
		cond_resched();
	}
}

/* Others' waits change nothing, not even for a moment. */
static void rundown_waits_test_stays_complete(struct kunit *test)
{
	struct waits_again *again = share_zalloc(test, sizeof(*again));
	unsigned int incomplete = 0, timed_out = 0;
	struct thread *thread;
	unsigned long end;

	again->subject = test_subject(test);
	subject_wait(again->subject);
	thread = thread_run(test, wait_again_and_again, again, ANY_CPU);
	end = jiffies + msecs_to_jiffies(AGAIN_MS);
	while (time_before(jiffies, end)) {
		incomplete += !again->subject->ops->is_complete(again->subject->ref);
		timed_out += !wait_timeout(again->subject, 0);
		cond_resched();
	}
	WRITE_ONCE(again->end, true);
	thread_join(test, thread);
	KUNIT_EXPECT_EQ(test, incomplete, 0);
	KUNIT_EXPECT_EQ(test, timed_out, 0);
}

struct signalled_wait {
	struct subject *subject;
	bool killable;
	int result;
};

static void wait_for_signal(void *arg)
{
	struct signalled_wait *wait = arg;
	const struct ref_ops *ops = wait->subject->ops;

	allow_signal(SIGUSR1);
	allow_signal(SIGKILL);
	wait->result = wait->killable ? ops->wait_killable(wait->subject->ref) :
					ops->wait_interruptible(wait->subject->ref);
	flush_signals(current);
}

static struct thread *signalled_start(struct kunit *test, struct signalled_wait **wait,
				      bool killable)
{
	struct thread *thread;

	*wait = share_zalloc(test, sizeof(**wait));
	(*wait)->subject = test_subject(test);
	(*wait)->killable = killable;
	(*wait)->result = 1;
	KUNIT_ASSERT_TRUE(test, subject_acquire((*wait)->subject));
	thread = thread_run(test, wait_for_signal, *wait, ANY_CPU);
	waiter_expect_blocked(test, (*wait)->subject, thread);
	return thread;
}

static void rundown_waits_test_signal_interrupts(struct kunit *test)
{
	struct signalled_wait *wait;
	struct thread *thread = signalled_start(test, &wait, false);

	send_sig(SIGUSR1, thread->task, 1);
	if (!thread_join(test, thread))
		return;
	KUNIT_EXPECT_EQ(test, wait->result, -ERESTARTSYS);
	expect_state(test, wait->subject, true, false);
	KUNIT_EXPECT_FALSE(test, subject_acquire(wait->subject));
	subject_release(wait->subject);
	KUNIT_EXPECT_EQ(test, wait->subject->ops->wait_interruptible(wait->subject->ref), 0);
}

static void rundown_waits_test_only_fatal_signal_kills(struct kunit *test)
{
	struct signalled_wait *wait;
	struct thread *thread = signalled_start(test, &wait, true);

	send_sig(SIGUSR1, thread->task, 1);
	waiter_expect_blocked(test, wait->subject, thread);
	send_sig(SIGKILL, thread->task, 1);
	if (!thread_join(test, thread))
		return;
	KUNIT_EXPECT_EQ(test, wait->result, -ERESTARTSYS);
	expect_state(test, wait->subject, true, false);
	subject_release(wait->subject);
	KUNIT_EXPECT_EQ(test, wait->subject->ops->wait_killable(wait->subject->ref), 0);
}

static void rundown_waits_test_release_before_signal(struct kunit *test)
{
	struct signalled_wait *wait;
	struct thread *thread = signalled_start(test, &wait, true);

	subject_release(wait->subject);
	if (thread_join(test, thread))
		KUNIT_EXPECT_EQ(test, wait->result, 0);
	expect_state(test, wait->subject, true, true);
}

static void wait_with_signal(void *arg)
{
	struct signalled_wait *wait = arg;

	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	wait->result = wait->subject->ops->wait_interruptible(wait->subject->ref);
	flush_signals(current);
}

/* What has ended is not interrupted. */
static void rundown_waits_test_signal_comes_late(struct kunit *test)
{
	struct signalled_wait *wait = share_zalloc(test, sizeof(*wait));

	wait->subject = test_subject(test);
	wait->result = 1;
	if (thread_join(test, thread_run(test, wait_with_signal, wait, ANY_CPU)))
		KUNIT_EXPECT_EQ(test, wait->result, 0);
	expect_state(test, wait->subject, true, true);
}

static void start(void *arg)
{
	struct subject *subject = arg;

	subject->ops->start(subject->ref);
}

static void rundown_waits_test_start_does_not_wait(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	expect_state(test, subject, false, false);
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	expect_state(test, subject, false, false);
	if (!thread_join(test, thread_run(test, start, subject, ANY_CPU)))
		return;
	start(subject);
	expect_state(test, subject, true, false);
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	subject_release(subject);
	expect_state(test, subject, true, false);
	expect_exactly_held(test, subject, 1);
	expect_state(test, subject, true, true);
}

static void start_on_this_cpu(void *ref)
{
	ex_rundown_start((struct ex_rundown_ref *)ref);
}

static void rundown_waits_test_start_in_hardirq(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	smp_call_function_single(other_cpu(0), start_on_this_cpu, subject->ref, 1);
	expect_state(test, subject, true, false);
	waiter = waiter_start_blocked(test, subject);
	subject_release(subject);
	thread_join(test, waiter);
	/* Where nobody holds it, the start is the end, and tells waiters. */
	subject_reinitialize(subject);
	smp_call_function_single(other_cpu(0), start_on_this_cpu, subject->ref, 1);
	expect_state(test, subject, true, true);
}

static void rundown_waits_test_with_hotplug_lock(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int i;

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
		subject_release(subject);
		cpus_read_lock();
		ex_rundown_wait_cache_aware_cpuslocked(subject->ref);
		KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
		ex_rundown_reinitialize_cache_aware_cpuslocked(subject->ref);
		cpus_read_unlock();
		expect_state(test, subject, false, false);
	}
	EXPECT_MISUSE(test, EX_MISUSE_REINITIALIZE,
		      ex_rundown_reinitialize_cache_aware_cpuslocked(subject->ref));
}

static struct kunit_case rundown_waits_cases[] = {
	KUNIT_CASE_PARAM(rundown_waits_test_timeout_passes, each_kind),
	KUNIT_CASE_PARAM(rundown_waits_test_timeout_of_idle_ref, each_kind),
	KUNIT_CASE_PARAM(rundown_waits_test_release_ends_timeout, each_main_kind),
	KUNIT_CASE_PARAM(rundown_waits_test_longest_timeout, each_main_kind),
	KUNIT_CASE_PARAM(rundown_waits_test_stays_complete, each_main_kind),
	KUNIT_CASE_PARAM(rundown_waits_test_signal_interrupts, each_main_kind),
	KUNIT_CASE_PARAM(rundown_waits_test_only_fatal_signal_kills, each_main_kind),
	KUNIT_CASE_PARAM(rundown_waits_test_release_before_signal, each_main_kind),
	KUNIT_CASE_PARAM(rundown_waits_test_signal_comes_late, each_main_kind),
	KUNIT_CASE_PARAM(rundown_waits_test_start_does_not_wait, each_kind),
	KUNIT_CASE(rundown_waits_test_start_in_hardirq),
	KUNIT_CASE_PARAM(rundown_waits_test_with_hotplug_lock, each_cache_aware_kind),
	{}
};

static struct kunit_suite rundown_waits_suite = {
	.name = "rundown_waits",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_waits_cases,
};

kunit_test_suite(rundown_waits_suite);
