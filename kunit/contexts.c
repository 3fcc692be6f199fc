// SPDX-License-Identifier: GPL-2.0
/*
 * Acquire and release where the DISPATCH_LEVEL code of a Windows driver may run, and further: with
 * preemption, bottom halves or interrupts off, under spinlocks, in softirq, hardirq and NMI.
 *
 * The releases are the last ones, with a task in the wait: each must wake it.
 */
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "fixture.h"

#if defined(CONFIG_X86_LOCAL_APIC) && !defined(CONFIG_UML)
#include <asm/apic.h>
#include <asm/nmi.h>
#define HAVE_NMI
#endif

/* What is to be done there. */
static struct {
	void (*fn)(void *arg);
	void *arg;
	bool as_wanted;		/* the context is what it should be */
	struct completion done;
} job;

static void do_job(bool as_wanted)
{
	job.as_wanted = as_wanted;
	job.fn(job.arg);
}

static bool with_preemption_off(void)
{
	preempt_disable();
	do_job(!preemptible());
	preempt_enable();
	return true;
}

static bool with_bh_off(void)
{
	local_bh_disable();
	do_job(in_softirq());
	local_bh_enable();
	return true;
}

static bool with_irqs_off(void)
{
	unsigned long flags;

	local_irq_save(flags);
	do_job(irqs_disabled());
	local_irq_restore(flags);
	return true;
}

static DEFINE_SPINLOCK(lock);
static DEFINE_RAW_SPINLOCK(raw_lock);

static bool under_spinlock(void)
{
	spin_lock(&lock);
	do_job(true);
	spin_unlock(&lock);
	return true;
}

static bool under_spinlock_irq(void)
{
	unsigned long flags;

	/* On PREEMPT_RT, neither interrupts nor preemption are off. */
	spin_lock_irqsave(&lock, flags);
	do_job(irqs_disabled() || IS_ENABLED(CONFIG_PREEMPT_RT));
	spin_unlock_irqrestore(&lock, flags);
	return true;
}

static bool under_raw_spinlock(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&raw_lock, flags);
	do_job(irqs_disabled());
	raw_spin_unlock_irqrestore(&raw_lock, flags);
	return true;
}

static bool wait_for_job(void)
{
	return wait_for_completion_timeout(&job.done, msecs_to_jiffies(STUCK_MS));
}

static void on_timer(struct timer_list *timer)
{
	do_job(in_softirq());
	complete(&job.done);
}

static DEFINE_TIMER(timer, on_timer);

static bool in_timer_softirq(void)
{
	bool done;

	mod_timer(&timer, jiffies);
	done = wait_for_job();
	timer_delete_sync(&timer);
	return done;
}

static enum hrtimer_restart on_hrtimer(struct hrtimer *hrtimer)
{
	do_job(in_hardirq());
	complete(&job.done);
	return HRTIMER_NORESTART;
}

static bool in_hard_hrtimer(void)
{
	struct hrtimer hrtimer;
	bool done;

	hrtimer_setup_on_stack(&hrtimer, on_hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&hrtimer, ns_to_ktime(50 * NSEC_PER_USEC), HRTIMER_MODE_REL_HARD);
	done = wait_for_job();
	hrtimer_cancel(&hrtimer);
	destroy_hrtimer_on_stack(&hrtimer);
	return done;
}

static void on_irq_work(struct irq_work *work)
{
	do_job(in_hardirq());
}

static bool in_irq_work(void)
{
	static struct irq_work work = IRQ_WORK_INIT_HARD(on_irq_work);

	irq_work_queue(&work);
	irq_work_sync(&work);
	return true;
}

#ifdef HAVE_NMI
static bool nmi_wanted;

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (!READ_ONCE(nmi_wanted))
		return NMI_DONE;
	do_job(in_nmi());
	WRITE_ONCE(nmi_wanted, false);
	return NMI_HANDLED;
}

/* To the own CPU: of those sent to others, emulators lose some. */
static bool in_nmi_handler(void)
{
	int us;

	if (register_nmi_handler(NMI_LOCAL, on_nmi, 0, "rundown_kunit"))
		return false;
	preempt_disable();
	WRITE_ONCE(nmi_wanted, true);
	apic->send_IPI_mask(cpumask_of(smp_processor_id()), NMI_VECTOR);
	for (us = 0; us < 100000 && READ_ONCE(nmi_wanted); us++)
		udelay(1);
	preempt_enable();
	unregister_nmi_handler(NMI_LOCAL, "rundown_kunit");
	return !xchg(&nmi_wanted, false);
}
#endif

static const struct context {
	const char *name;
	/* Runs do_job() in the context. False if it did not come to that. */
	bool (*run)(void);
} contexts[] = {
	{ "preemption off", with_preemption_off },
	{ "BH off", with_bh_off },
	{ "IRQs off", with_irqs_off },
	{ "spinlock", under_spinlock },
	{ "spinlock, IRQs off", under_spinlock_irq },
	{ "raw spinlock", under_raw_spinlock },
	{ "softirq", in_timer_softirq },
	{ "hard hrtimer", in_hard_hrtimer },
	{ "irq_work", in_irq_work },
#ifdef HAVE_NMI
	{ "NMI", in_nmi_handler },
#else
	{ "NMI", NULL },
#endif
};

/* A kind of ref in a context. */
struct pair {
	const void *kind;
	const struct context *context;
};

static const void *each_pair(KUNIT_TEST_ARG const void *prev, char *desc)
{
	static struct pair pair;
	char name[KUNIT_PARAM_DESC_SIZE];

	if (!prev)
		pair = (struct pair){ .context = contexts };
	pair.kind = next_kind(pair.kind, name, KIND_MAIN);
	if (!pair.kind) {
		if (++pair.context == contexts + ARRAY_SIZE(contexts))
			return NULL;
		pair.kind = next_kind(NULL, name, KIND_MAIN);
	}
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%.50s; %.70s", pair.context->name, name);
	return &pair;
}

static struct subject *pair_subject(struct kunit *test)
{
	const struct pair *pair = test->param_value;

	if (!pair->context->run)
		kunit_skip(test, "no way to send an NMI here");
	return subject_create(test, *(const struct ref_ops * const *)pair->kind);
}

/* Run @fn in the test's context. */
static void run_there(struct kunit *test, void (*fn)(void *arg), void *arg)
{
	const struct pair *pair = test->param_value;

	job.fn = fn;
	job.arg = arg;
	job.as_wanted = false;
	init_completion(&job.done);
	KUNIT_ASSERT_TRUE_MSG(test, pair->context->run(), "never got there");
	KUNIT_EXPECT_TRUE_MSG(test, job.as_wanted, "that is another context");
}

struct grants {
	struct subject *subject;
	bool one;
	bool several;
};

static void acquire_there(void *arg)
{
	struct grants *grants = arg;

	grants->one = subject_acquire(grants->subject);
	grants->several = subject_acquire_ex(grants->subject, 2);
}

static void acquire_and_release_there(void *arg)
{
	struct grants *grants = arg;

	acquire_there(arg);
	if (grants->one)
		subject_release(grants->subject);
	if (grants->several)
		subject_release_ex(grants->subject, 2);
}

static void rundown_contexts_test_acquire_and_release(struct kunit *test)
{
	struct grants grants = { .subject = pair_subject(test) };

	run_there(test, acquire_and_release_there, &grants);
	KUNIT_EXPECT_TRUE(test, grants.one);
	KUNIT_EXPECT_TRUE(test, grants.several);
	thread_join(test, waiter_start(test, grants.subject));
}

static void rundown_contexts_test_acquire_is_refused(struct kunit *test)
{
	struct grants grants = { .subject = pair_subject(test), .one = true, .several = true };

	subject_wait(grants.subject);
	run_there(test, acquire_there, &grants);
	KUNIT_EXPECT_FALSE(test, grants.one);
	KUNIT_EXPECT_FALSE(test, grants.several);
}

static void release_there(void *subject)
{
	subject_release(subject);
}

static void rundown_contexts_test_last_release_wakes(struct kunit *test)
{
	struct subject *subject = pair_subject(test);
	struct thread *waiter;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	waiter = waiter_start_blocked(test, subject);
	run_there(test, release_there, subject);
	thread_join(test, waiter);
}

#define RELEASES	100

/* The others do not, wherever they come from: who is woken looks, and goes to sleep again. */
static void rundown_contexts_test_only_last_release_wakes(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;
	unsigned long slept;
	int i;

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, RELEASES));
	waiter = waiter_start_blocked(test, subject);
	slept = READ_ONCE(waiter->task->nvcsw);
	for (i = 1; i < RELEASES; i++) {
		if (i % 2)
			subject_release(subject);
		else
			subject_release_on(subject, other_cpu(0));
		usleep_range(100, 200);
	}
	KUNIT_EXPECT_LT(test, READ_ONCE(waiter->task->nvcsw) - slept, RELEASES / 4);
	subject_release(subject);
	thread_join(test, waiter);
}

#ifdef CONFIG_PREEMPT_RT
#define HOG_US	(STUCK_MS * 1000 / 5)

struct hog {
	struct subject *subject;
	struct thread *waiter;
	bool woken;
};

static void release_and_hog(void *arg)
{
	struct hog *hog = arg;
	int us;

	sched_set_fifo(current);
	preempt_disable();
	subject_release(hog->subject);
	preempt_enable();
	for (us = 0; us < HOG_US && !thread_ended(hog->waiter); us += 5)
		udelay(5);
	hog->woken = thread_ended(hog->waiter);
	sched_set_normal(current, 0);
}

static void wait_elsewhere(void *subject)
{
	subject_wait(subject);
}

/* A thread would have to wait until the releaser's CPU has time for it. */
static void rundown_contexts_test_deferred_wake_needs_no_thread(struct kunit *test)
{
	int here = cpumask_first(cpu_online_mask), there = other_cpu(here);
	struct hog *hog = share_zalloc(test, sizeof(*hog));

	if (here == there)
		kunit_skip(test, "no CPU beside this one");
	hog->subject = test_subject(test);
	KUNIT_ASSERT_TRUE(test, subject_acquire(hog->subject));
	hog->waiter = thread_run(test, wait_elsewhere, hog->subject, here);
	waiter_expect_blocked(test, hog->subject, hog->waiter);
	if (thread_join(test, thread_run(test, release_and_hog, hog, there)))
		KUNIT_EXPECT_TRUE(test, hog->woken);
	thread_join(test, hog->waiter);
}
#endif

/* Not only the one that comes first on the list, nor the one whose turn it would be. */
static void rundown_contexts_test_deferred_wake_is_for_all(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiters[3];
	int i;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		waiters[i] = waiter_start_blocked(test, subject);
	preempt_disable();
	subject_release(subject);
	preempt_enable();
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		thread_join(test, waiters[i]);
}

#ifdef HAVE_NMI
/* The ref that NMIs acquire, and how often they were granted it. */
static struct subject *nmi_subject;
static int nmi_grants;

static int acquire_by_nmi(unsigned int type, struct pt_regs *regs)
{
	struct subject *subject = READ_ONCE(nmi_subject);

	if (!subject || smp_processor_id() != cpumask_first(cpu_online_mask))
		return NMI_DONE;
	if (subject_acquire(subject))
		WRITE_ONCE(nmi_grants, nmi_grants + 1);
	return NMI_HANDLED;
}

static void send_nmis(void *arg)
{
	while (READ_ONCE(nmi_subject)) {
		apic->send_IPI_mask(cpumask_of(cpumask_first(cpu_online_mask)), NMI_VECTOR);
		usleep_range(10, 20);
	}
}

/* As many as were granted are found, also if they come in the midst of the tour's handler. */
static void rundown_contexts_test_nmi_during_tour(struct kunit *test)
{
	int other = other_cpu(cpumask_first(cpu_online_mask)), grants = 0, round;
	struct subject *subject = subject_create(test, &allocated_ops);
	struct thread *sender;
	bool all = true;

	if (num_online_cpus() < 2)
		kunit_skip(test, "no CPU beside this one");
	misuse_quiet_begin(test);
	KUNIT_ASSERT_EQ(test, 0,
			register_nmi_handler(NMI_LOCAL, acquire_by_nmi, 0, "rundown_kunit"));
	nmi_grants = 0;
	WRITE_ONCE(nmi_subject, subject);
	sender = thread_run(test, send_nmis, NULL, other);
	for (round = 0; round < 300 && all; round++) {
		subject_completed(subject);
		for (grants = READ_ONCE(nmi_grants); grants; grants--)
			subject_release(subject);
		all = !misuse_count(EX_MISUSE_RELEASE_TOO_MANY);
		nmi_grants = 0;
		subject_reinitialize(subject);
		cond_resched();
	}
	WRITE_ONCE(nmi_subject, NULL);
	thread_join(test, sender);
	unregister_nmi_handler(NMI_LOCAL, "rundown_kunit");
	misuse_quiet_end(test);
	misuse_allow(EX_MISUSE_COMPLETED_HELD);
	KUNIT_EXPECT_EQ(test, misuse_count(EX_MISUSE_REINITIALIZE), 0);
	KUNIT_EXPECT_TRUE(test, all);
	for (grants = nmi_grants; grants; grants--)
		subject_release(subject);
}
#endif

/*
 * The kernel reports it itself, where that is built in, at most once a second. Seen by the taint
 * that goes with it. The ref is run down, so that nothing sleeps.
 */
static void wait_in_atomic_context(struct kunit *test, const struct ref_ops *ops)
{
	struct subject *subject = subject_create(test, ops);
	struct call_probe splats = { .kp.symbol_name = "add_taint" };

	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		kunit_skip(test, "no CONFIG_DEBUG_ATOMIC_SLEEP");
	subject_completed(subject);
	msleep(1100);
	call_probe_begin(test, &splats);
	splat_begin("sleeping function called from invalid context");
	preempt_disable();
	subject_wait(subject);
	preempt_enable();
	splat_end();
	/* Once more, if printing it takes longer than that and there is another occasion. */
	KUNIT_EXPECT_GE(test, call_probe_end(&splats), 1);
}

static void rundown_contexts_test_basic_wait_may_sleep(struct kunit *test)
{
	wait_in_atomic_context(test, &basic_ops);
}

static void rundown_contexts_test_cache_aware_wait_may_sleep(struct kunit *test)
{
	wait_in_atomic_context(test, &allocated_ops);
}

/* The same where nothing has to be waited for: no holder, and no CPU to interrupt. */
static void rundown_contexts_test_completed_and_reinitialize_may_sleep(struct kunit *test)
{
	struct subject *subject = subject_create(test, &no_ipi_ops);
	struct call_probe splats = { .kp.symbol_name = "add_taint" };
	int i;

	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		kunit_skip(test, "no CONFIG_DEBUG_ATOMIC_SLEEP");
	call_probe_begin(test, &splats);
	for (i = 1; i <= 2; i++) {
		msleep(1100);
		splat_begin("sleeping function called from invalid context");
		preempt_disable();
		if (i == 1)
			subject_completed(subject);
		else
			subject_reinitialize(subject);
		preempt_enable();
		splat_end();
		KUNIT_EXPECT_EQ(test, atomic_read(&splats.calls), i);
	}
	call_probe_end(&splats);
}

static void rundown_contexts_test_start_may_sleep(struct kunit *test)
{
	struct subject *subject = subject_create(test, &no_ipi_ops);
	struct call_probe splats = { .kp.symbol_name = "add_taint" };

	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		kunit_skip(test, "no CONFIG_DEBUG_ATOMIC_SLEEP");
	msleep(1100);
	call_probe_begin(test, &splats);
	splat_begin("sleeping function called from invalid context");
	preempt_disable();
	subject->ops->start(subject->ref);
	preempt_enable();
	splat_end();
	KUNIT_EXPECT_EQ(test, call_probe_end(&splats), 1);
}

static struct kunit_case rundown_contexts_cases[] = {
	KUNIT_CASE_PARAM(rundown_contexts_test_acquire_and_release, each_pair),
	KUNIT_CASE_PARAM(rundown_contexts_test_acquire_is_refused, each_pair),
	KUNIT_CASE_PARAM(rundown_contexts_test_last_release_wakes, each_pair),
	KUNIT_CASE_PARAM(rundown_contexts_test_deferred_wake_is_for_all, each_main_kind),
	KUNIT_CASE_PARAM(rundown_contexts_test_only_last_release_wakes, each_main_kind),
#ifdef CONFIG_PREEMPT_RT
	KUNIT_CASE_PARAM(rundown_contexts_test_deferred_wake_needs_no_thread, each_main_kind),
#endif
#ifdef HAVE_NMI
	KUNIT_CASE(rundown_contexts_test_nmi_during_tour),
#endif
	KUNIT_CASE(rundown_contexts_test_basic_wait_may_sleep),
	KUNIT_CASE(rundown_contexts_test_cache_aware_wait_may_sleep),
	KUNIT_CASE(rundown_contexts_test_completed_and_reinitialize_may_sleep),
	KUNIT_CASE(rundown_contexts_test_start_may_sleep),
	{}
};

static struct kunit_suite rundown_contexts_suite = {
	.name = "rundown_contexts",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_contexts_cases,
};

kunit_test_suite(rundown_contexts_suite);
