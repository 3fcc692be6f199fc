// SPDX-License-Identifier: GPL-2.0
/* The refs and the threads of a test, and their end. */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "fixture.h"
#include "reports.h"

/* One a test. Its memory outlives the test if a thread is stuck. */
struct fixture {
	struct list_head subjects;
	struct list_head threads;
	struct list_head shares;
	bool stuck;
};

struct share {
	struct list_head node;
	u8 memory[] __aligned(__alignof__(long long));
};

void *share_zalloc(struct kunit *test, size_t size)
{
	struct fixture *fixture = test->priv;
	struct share *share = kzalloc(sizeof(*share) + size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, share);
	list_add(&share->node, &fixture->shares);
	return share->memory;
}

struct subject *subject_create(struct kunit *test, const struct ref_ops *ops)
{
	struct fixture *fixture = test->priv;
	struct subject *subject = kzalloc(sizeof(*subject), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, subject);
	subject->ops = ops;
	subject->ref = ops->create();
	if (!subject->ref)
		kfree(subject);
	KUNIT_ASSERT_NOT_NULL(test, subject->ref);
	list_add(&subject->node, &fixture->subjects);
	return subject;
}

struct subject *test_subject(struct kunit *test)
{
	return subject_create(test, test_kind(test));
}

void subject_destroy(struct subject *subject)
{
	list_del(&subject->node);
	subject->ops->destroy(subject->ref);
	kfree(subject);
}

struct remote_access {
	struct subject *subject;
	u32 count;
	bool ex;
	bool granted;
};

static void acquire_here(void *info)
{
	struct remote_access *access = info;

	if (access->ex)
		access->granted = subject_acquire_ex(access->subject, access->count);
	else
		access->granted = subject_acquire(access->subject);
}

static void release_here(void *info)
{
	struct remote_access *access = info;

	if (access->ex)
		subject_release_ex(access->subject, access->count);
	else
		subject_release(access->subject);
}

bool subject_acquire_on(struct subject *subject, int cpu)
{
	struct remote_access access = { .subject = subject };

	smp_call_function_single(cpu, acquire_here, &access, 1);
	return access.granted;
}

bool subject_acquire_ex_on(struct subject *subject, int cpu, u32 count)
{
	struct remote_access access = { .subject = subject, .count = count, .ex = true };

	smp_call_function_single(cpu, acquire_here, &access, 1);
	return access.granted;
}

void subject_release_on(struct subject *subject, int cpu)
{
	struct remote_access access = { .subject = subject };

	smp_call_function_single(cpu, release_here, &access, 1);
}

void subject_release_ex_on(struct subject *subject, int cpu, u32 count)
{
	struct remote_access access = { .subject = subject, .count = count, .ex = true };

	smp_call_function_single(cpu, release_here, &access, 1);
}

/* As the module lays them out. */
struct in_place_slot {
	atomic_long_t count;
} ____cacheline_aligned;

atomic_long_t *subject_slot(struct subject *subject, int cpu)
{
	struct ex_rundown_ref_cache_aware *ref = subject->ref;

	if (ref->percpu)
		return per_cpu_ptr(ref->percpu, cpu);
	return &((struct in_place_slot *)ref->in_place)[cpu].count;
}

int other_cpu(int cpu)
{
	int other = cpumask_any_but(cpu_online_mask, cpu);

	return other < nr_cpu_ids ? other : cpu;
}

static int thread_main(void *arg)
{
	struct thread *thread = arg;

	thread->fn(thread->arg);
	complete_all(&thread->done);
	return 0;
}

struct thread *thread_run(struct kunit *test, void (*fn)(void *arg), void *arg, int cpu)
{
	struct fixture *fixture = test->priv;
	struct thread *thread = kzalloc(sizeof(*thread), GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, thread);
	thread->fn = fn;
	thread->arg = arg;
	init_completion(&thread->done);
	task = kthread_create(thread_main, thread, "rundown_kunit");
	if (IS_ERR(task))
		kfree(thread);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	if (cpu != ANY_CPU)
		kthread_bind(task, cpu);
	/* So that kthread_stop() may be called when it has ended. */
	thread->task = get_task_struct(task);
	list_add_tail(&thread->node, &fixture->threads);
	wake_up_process(task);
	return thread;
}

bool thread_join(struct kunit *test, struct thread *thread)
{
	struct fixture *fixture = test->priv;
	/* The first that is stuck has had time enough for all. */
	unsigned int ms = fixture->stuck ? 10 : STUCK_MS;
	bool ended = wait_for_completion_timeout(&thread->done, msecs_to_jiffies(ms));

	KUNIT_EXPECT_TRUE_MSG(test, ended, "the thread in %ps is stuck", thread->fn);
	if (!ended)
		fixture->stuck = true;
	return ended;
}

static void wait_in_thread(void *arg)
{
	subject_wait(arg);
}

struct thread *waiter_start(struct kunit *test, struct subject *subject)
{
	return thread_run(test, wait_in_thread, subject, ANY_CPU);
}

static bool refused(struct subject *subject)
{
	if (!subject_acquire(subject))
		return true;
	subject_release(subject);
	return false;
}

static bool sleeps(struct thread *thread)
{
	return READ_ONCE(thread->task->__state) & TASK_NORMAL;
}

void waiter_expect_blocked(struct kunit *test, struct subject *subject, struct thread *waiter)
{
	unsigned long end = jiffies + msecs_to_jiffies(BLOCKS_MS);

	/* Refused, and then asleep: in the wait for the holders, not for something on its way. */
	while (!thread_ended(waiter) && !(refused(subject) && sleeps(waiter)) &&
	       time_before(jiffies, end))
		usleep_range(500, 1000);
	msleep(STAYS_MS);
	KUNIT_EXPECT_FALSE_MSG(test, thread_ended(waiter), "the wait ended early");
	KUNIT_EXPECT_TRUE_MSG(test, refused(subject), "still live");
}

struct thread *waiter_start_blocked(struct kunit *test, struct subject *subject)
{
	struct thread *waiter = waiter_start(test, subject);

	waiter_expect_blocked(test, subject, waiter);
	return waiter;
}

void expect_exactly_held(struct kunit *test, struct subject *subject, u32 held)
{
	struct thread *waiter = waiter_start_blocked(test, subject);

	if (held > 1) {
		subject_release_ex(subject, held - 1);
		waiter_expect_blocked(test, subject, waiter);
	}
	subject_release(subject);
	thread_join(test, waiter);
}

int fixture_init(struct kunit *test)
{
	struct fixture *fixture = kzalloc(sizeof(*fixture), GFP_KERNEL);

	if (!fixture)
		return -ENOMEM;
	INIT_LIST_HEAD(&fixture->subjects);
	INIT_LIST_HEAD(&fixture->threads);
	INIT_LIST_HEAD(&fixture->shares);
	test->priv = fixture;
	reports_begin();
	return 0;
}

void fixture_exit(struct kunit *test)
{
	struct fixture *fixture = test->priv;
	struct subject *subject, *next_subject;
	struct thread *thread, *next_thread;
	struct share *share, *next_share;

	if (!fixture)
		return;
	list_for_each_entry(thread, &fixture->threads, node)
		thread_join(test, thread);
	if (fixture->stuck) {
		/* It executes our code, and uses what it was given, for ever. */
		__module_get(THIS_MODULE);
		reports_end(test);
		return;
	}

	list_for_each_entry_safe(thread, next_thread, &fixture->threads, node) {
		kthread_stop_put(thread->task);
		kfree(thread);
	}
	list_for_each_entry_safe(subject, next_subject, &fixture->subjects, node)
		subject_destroy(subject);
	list_for_each_entry_safe(share, next_share, &fixture->shares, node)
		kfree(share);
	kfree(fixture);
	test->priv = NULL;
	reports_end(test);
}

static int __init rundown_kunit_init(void)
{
	return reports_init();
}

static void __exit rundown_kunit_exit(void)
{
	reports_exit();
}

module_init(rundown_kunit_init);
module_exit(rundown_kunit_exit);

MODULE_DESCRIPTION("KUnit suites of run-down protection");
MODULE_LICENSE("GPL");
