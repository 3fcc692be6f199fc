// SPDX-License-Identifier: GPL-2.0
/* Run-downs that call a function when they have ended. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>

#include "fixture.h"

struct async {
	struct ex_rundown_work work;
	struct subject *subject;
	struct completion begun, called;
	atomic_t calls;
	bool granted;
};

static void called(struct ex_rundown_work *work)
{
	struct async *async = container_of(work, struct async, work);

	async->granted = subject_acquire(async->subject);
	atomic_inc(&async->calls);
	complete(&async->called);
}

static void called_slowly(struct ex_rundown_work *work)
{
	complete(&container_of(work, struct async, work)->begun);
	msleep(10 * STAYS_MS);
	called(work);
}

static struct async *async_create(struct kunit *test, struct subject *subject)
{
	struct async *async = share_zalloc(test, sizeof(*async));

	async->subject = subject;
	init_completion(&async->begun);
	init_completion(&async->called);
	return async;
}

static void async_start(struct async *async)
{
	async->subject->ops->start_async(async->subject->ref, &async->work, called);
}

static void expect_called(struct kunit *test, struct async *async)
{
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&async->called,
							  msecs_to_jiffies(STUCK_MS)), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&async->calls), 1);
	KUNIT_EXPECT_FALSE(test, async->granted);
}

static void expect_not_called(struct kunit *test, struct async *async)
{
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&async->called,
							  msecs_to_jiffies(STAYS_MS)), 0);
}

static void rundown_asynchronous_test_idle_ref(struct kunit *test)
{
	struct async *async = async_create(test, test_subject(test));

	async_start(async);
	expect_called(test, async);
	/* One more, on a ref that is run down. */
	async = async_create(test, async->subject);
	async_start(async);
	expect_called(test, async);
}

static void rundown_asynchronous_test_last_release_calls(struct kunit *test)
{
	struct async *async = async_create(test, test_subject(test));

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(async->subject, 2));
	async_start(async);
	KUNIT_EXPECT_FALSE(test, subject_acquire(async->subject));
	expect_not_called(test, async);
	subject_release(async->subject);
	expect_not_called(test, async);
	subject_release(async->subject);
	expect_called(test, async);
}

static void rundown_asynchronous_test_last_release_in_hardirq(struct kunit *test)
{
	struct async *async = async_create(test, test_subject(test));

	KUNIT_ASSERT_TRUE(test, subject_acquire(async->subject));
	async_start(async);
	expect_not_called(test, async);
	subject_release_on(async->subject, other_cpu(0));
	expect_called(test, async);
}

static void rundown_asynchronous_test_beside_waits(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct async *asyncs[8];
	struct thread *waiters[2];
	int i;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	for (i = 0; i < ARRAY_SIZE(asyncs); i++) {
		asyncs[i] = async_create(test, subject);
		async_start(asyncs[i]);
		if (i < ARRAY_SIZE(waiters))
			waiters[i] = waiter_start_blocked(test, subject);
	}
	expect_not_called(test, asyncs[0]);
	subject_release(subject);
	for (i = 0; i < ARRAY_SIZE(asyncs); i++)
		expect_called(test, asyncs[i]);
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		thread_join(test, waiters[i]);
}

static void rundown_asynchronous_test_life_after_life(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int i;

	for (i = 0; i < 4; i++) {
		struct async *async = async_create(test, subject);

		KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
		async_start(async);
		subject_release(subject);
		expect_called(test, async);
		subject_reinitialize(subject);
	}
}

/* A wake from an interrupt looks at all who are to be called, whatever they wait for. */
static void rundown_asynchronous_test_others_while_called(struct kunit *test)
{
	struct async *slow = async_create(test, test_subject(test));
	int i;

	slow->subject->ops->start_async(slow->subject->ref, &slow->work, called_slowly);
	KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&slow->begun,
							  msecs_to_jiffies(STUCK_MS)), 0);
	for (i = 0; i < 3; i++) {
		struct async *async = async_create(test, subject_create(test, &basic_ops));

		KUNIT_ASSERT_TRUE(test, subject_acquire(async->subject));
		async_start(async);
		subject_release_on(async->subject, other_cpu(0));
		expect_called(test, async);
	}
	expect_called(test, slow);
}

struct object {
	struct ex_rundown_ref_cache_aware *ref;
	struct ex_rundown_work work;
	struct completion *freed;
};

static void free_object(struct ex_rundown_work *work)
{
	struct object *object = container_of(work, struct object, work);
	struct completion *freed = object->freed;

	ex_free_cache_aware_rundown_protection(object->ref);
	kfree(object);
	complete(freed);
}

static void rundown_asynchronous_test_frees_all(struct kunit *test)
{
	struct completion *freed = share_zalloc(test, sizeof(*freed));
	bool from_here = true;
	int i;

	init_completion(freed);
	for (i = 0; i < 50; i++, from_here = !from_here) {
		struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);
		struct ex_rundown_ref_cache_aware *ref;
		struct subject subject = { .ops = &allocated_ops };

		KUNIT_ASSERT_NOT_NULL(test, object);
		ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
		object->ref = ref;
		object->freed = freed;
		if (!ref || !ex_acquire_rundown_protection_cache_aware(ref)) {
			kfree(object);
			KUNIT_FAIL(test, "no ref that grants");
			return;
		}
		ex_rundown_start_async_cache_aware(ref, &object->work, free_object);
		subject.ref = ref;
		if (from_here)
			subject_release(&subject);
		else
			subject_release_on(&subject, other_cpu(0));
		KUNIT_ASSERT_GT(test, wait_for_completion_timeout(freed,
								  msecs_to_jiffies(STUCK_MS)), 0);
	}
}

/* Whose code is still to run can't be unloaded. */
static void rundown_asynchronous_test_holds_module(struct kunit *test)
{
#ifdef CONFIG_MODULE_UNLOAD
	struct async *async = async_create(test, test_subject(test));
	unsigned long end = jiffies + msecs_to_jiffies(STUCK_MS);
	int before;

	/* What others hold for what they called goes after the function has told its test. */
	ex_rundown_async_barrier();
	before = module_refcount(THIS_MODULE);
	KUNIT_ASSERT_TRUE(test, subject_acquire(async->subject));
	async_start(async);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	subject_release(async->subject);
	expect_called(test, async);
	/* After the function has returned. */
	while (module_refcount(THIS_MODULE) != before && time_before(jiffies, end))
		cond_resched();
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
#else
	kunit_skip(test, "no module is ever unloaded");
#endif
}

#ifdef CONFIG_MODULE_UNLOAD
struct barrier {
	struct module *owner;
	struct async *async;
	int calls;
};

static void wait_for_calls(void *arg)
{
	struct barrier *barrier = arg;

	__ex_rundown_async_barrier(barrier->owner);
	barrier->calls = atomic_read(&barrier->async->calls);
}
#endif

/* It can't be held, so it waits for its functions, and for no others. */
static void rundown_asynchronous_test_module_on_its_way_out(struct kunit *test)
{
#ifdef CONFIG_MODULE_UNLOAD
	struct subject *subject = subject_create(test, &basic_ops);
	struct barrier *barrier = share_zalloc(test, sizeof(*barrier));
	struct async *before = async_create(test, subject);
	struct async *other = async_create(test, subject_create(test, &basic_ops));
	struct thread *thread;

	barrier->owner = share_zalloc(test, sizeof(*barrier->owner));
	barrier->owner->state = MODULE_STATE_GOING;
	atomic_set(&barrier->owner->refcnt, 5);
	barrier->async = async_create(test, subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	KUNIT_ASSERT_TRUE(test, subject_acquire(other->subject));
	async_start(before);
	async_start(other);
	__ex_rundown_start_async(subject->ref, &barrier->async->work, called_slowly,
				 barrier->owner);
	KUNIT_EXPECT_EQ(test, atomic_read(&barrier->owner->refcnt), 5);
	thread = thread_run(test, wait_for_calls, barrier, ANY_CPU);
	msleep(10 * STAYS_MS);
	KUNIT_EXPECT_FALSE(test, thread_ended(thread));
	subject_release(subject);
	thread_join(test, thread);
	KUNIT_EXPECT_EQ(test, barrier->calls, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&barrier->owner->refcnt), 5);
	expect_called(test, before);
	expect_not_called(test, other);
	subject_release(other->subject);
	expect_called(test, other);
#else
	kunit_skip(test, "no module is ever unloaded");
#endif
}

static struct kunit_case rundown_asynchronous_cases[] = {
	KUNIT_CASE_PARAM(rundown_asynchronous_test_idle_ref, each_kind),
	KUNIT_CASE_PARAM(rundown_asynchronous_test_last_release_calls, each_kind),
	KUNIT_CASE_PARAM(rundown_asynchronous_test_last_release_in_hardirq, each_main_kind),
	KUNIT_CASE_PARAM(rundown_asynchronous_test_beside_waits, each_main_kind),
	KUNIT_CASE_PARAM(rundown_asynchronous_test_life_after_life, each_main_kind),
	KUNIT_CASE_PARAM(rundown_asynchronous_test_others_while_called, each_main_kind),
	KUNIT_CASE(rundown_asynchronous_test_frees_all),
	KUNIT_CASE_PARAM(rundown_asynchronous_test_holds_module, each_main_kind),
	KUNIT_CASE(rundown_asynchronous_test_module_on_its_way_out),
	{}
};

static struct kunit_suite rundown_asynchronous_suite = {
	.name = "rundown_asynchronous",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_asynchronous_cases,
};

kunit_test_suite(rundown_asynchronous_suite);
