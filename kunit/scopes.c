// SPDX-License-Identifier: GPL-2.0
/* Scopes: whatever the way out, it releases; and lockdep sees who takes what in them. */
#include <linux/debug_locks.h>
#include <linux/mutex.h>
#include <linux/smp.h>

#include "ex_rundown_scope.h"
#include "fixture.h"

enum way {
	FALLS,
	RETURNS,
	GOES,
	BREAKS,
	CONTINUES,
	WAYS
};

static const char * const way_names[WAYS] = {
	"to the end", "return", "goto", "break", "continue",
};

/* What a function with a scope returns, the way it goes. */
#define RETURNED	1
#define WENT		2
#define LEFT		4	/* and went on behind it */
#define PASSED		8	/* to the scope's end */

static const int results[WAYS] = {
	[FALLS] = PASSED + LEFT,
	[RETURNS] = RETURNED,
	[GOES] = WENT,
	[BREAKS] = LEFT,
	[CONTINUES] = LEFT,
};

typedef int scope_fn_t(void *ref, enum way way, void (*inside)(void *arg), void *arg);

/* @scope is the head of a statement that is left by break and continue, too. */
#define DEFINE_STATEMENT(name, kind, scope)					\
static int name(void *it, enum way way, void (*inside)(void *arg), void *arg)	\
{										\
	kind ref = it;								\
	int result = 0;								\
										\
	scope {									\
		inside(arg);							\
		if (way == RETURNS)						\
			return RETURNED;					\
		if (way == GOES)						\
			goto out;						\
		if (way == BREAKS)						\
			break;							\
		if (way == CONTINUES)						\
			continue;						\
		result = PASSED;						\
	}									\
	return result + LEFT;							\
out:										\
	return WENT;								\
}

/* @scope declares @protection. */
#define DEFINE_BLOCK(name, kind, scope)						\
static int name(void *it, enum way way, void (*inside)(void *arg), void *arg)	\
{										\
	kind ref = it;								\
	int result = 0;								\
										\
	do {									\
		scope;								\
		if (!protection.ref)						\
			return -ENODEV;						\
		inside(arg);							\
		if (way == RETURNS)						\
			return RETURNED;					\
		if (way == GOES)						\
			goto out;						\
		if (way == BREAKS)						\
			break;							\
		if (way == CONTINUES)						\
			continue;						\
		result = PASSED;						\
	} while (0);								\
	return result + LEFT;							\
out:										\
	return WENT;								\
}

DEFINE_STATEMENT(with_basic, struct ex_rundown_ref *,
		 ex_with_rundown_protection(ref, return -ENODEV))
DEFINE_STATEMENT(with_cache_aware, struct ex_rundown_ref_cache_aware *,
		 ex_with_rundown_protection(ref, return -ENODEV))
DEFINE_BLOCK(protection_basic, struct ex_rundown_ref *,
	     EX_RUNDOWN_PROTECTION(protection, ref))
DEFINE_BLOCK(protection_cache_aware, struct ex_rundown_ref_cache_aware *,
	     EX_RUNDOWN_PROTECTION(protection, ref))
#ifdef CLASS
DEFINE_BLOCK(class_basic, struct ex_rundown_ref *,
	     CLASS(ex_rundown, protection)(ref))
DEFINE_BLOCK(class_cache_aware, struct ex_rundown_ref_cache_aware *,
	     CLASS(ex_rundown, protection)(ref))
#endif
#ifdef scoped_cond_guard
DEFINE_STATEMENT(guard_basic, struct ex_rundown_ref *,
		 scoped_cond_guard(ex_rundown, return -ENODEV, ref))
DEFINE_STATEMENT(guard_cache_aware, struct ex_rundown_ref_cache_aware *,
		 scoped_cond_guard(ex_rundown, return -ENODEV, ref))
#endif

struct scope {
	const char *name;
	const struct ref_ops *ops;
	scope_fn_t *fn;
};

static const struct scope scopes[] = {
	{ "with", &basic_ops, with_basic },
	{ "with", &allocated_ops, with_cache_aware },
	{ "with", &no_ipi_ops, with_cache_aware },
	{ "block", &basic_ops, protection_basic },
	{ "block", &in_place_ops, protection_cache_aware },
#ifdef CLASS
	{ "CLASS", &basic_ops, class_basic },
	{ "CLASS", &allocated_ops, class_cache_aware },
#endif
#ifdef scoped_cond_guard
	{ "scoped_cond_guard", &basic_ops, guard_basic },
	{ "scoped_cond_guard", &allocated_ops, guard_cache_aware },
#endif
};

struct scope_way {
	const struct scope *scope;
	enum way way;
};

static const void *each_scope_way(KUNIT_TEST_ARG const void *prev, char *desc)
{
	static struct scope_way next;

	if (!prev)
		next = (struct scope_way){ .scope = scopes };
	else if (++next.way == WAYS)
		next = (struct scope_way){ .scope = next.scope + 1 };
	if (next.scope == scopes + ARRAY_SIZE(scopes))
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, %s; %s", next.scope->name, way_names[next.way],
		 next.scope->ops->name);
	return &next;
}

struct inside {
	struct subject *subject;
	unsigned int times;
	unsigned int depth;
	bool complete;
};

/* What this task holds, as far as lockdep knows. */
static unsigned int lock_depth(void)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	return current->lockdep_depth;
#else
	return 0;
#endif
}

/* With nobody in the scope, this would run the object down. */
static void start_and_look(void *arg)
{
	struct inside *inside = arg;
	const struct ref_ops *ops = inside->subject->ops;

	inside->times++;
	inside->depth = lock_depth();
	ops->start(inside->subject->ref);
	inside->complete = ops->is_complete(inside->subject->ref);
}

static void rundown_scopes_test_releases(struct kunit *test)
{
	const struct scope_way *param = test->param_value;
	const struct scope *scope = param->scope;
	struct subject *subject = subject_create(test, scope->ops);
	struct inside inside = { .subject = subject };
	unsigned int depth = lock_depth();

	KUNIT_EXPECT_EQ(test, scope->fn(subject->ref, param->way, start_and_look, &inside),
			results[param->way]);
	if (IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC) && debug_locks)
		KUNIT_EXPECT_EQ(test, inside.depth, depth + 1);
	KUNIT_EXPECT_EQ(test, lock_depth(), depth);
	KUNIT_EXPECT_EQ(test, inside.times, 1);
	KUNIT_EXPECT_FALSE(test, inside.complete);
	KUNIT_EXPECT_TRUE(test, subject->ops->is_complete(subject->ref));
	/* And refused. */
	KUNIT_EXPECT_EQ(test, scope->fn(subject->ref, param->way, start_and_look, &inside),
			-ENODEV);
	KUNIT_EXPECT_EQ(test, inside.times, 1);
	subject_wait(subject);
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

/* If it is refused, a statement that does not leave the function goes on behind the scope. */
static void rundown_scopes_test_refused_goes_on(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;
	int refused = 0, granted = 0;

	subject_completed(subject);
	ex_with_rundown_protection(ref, refused++)
		granted++;
	KUNIT_EXPECT_EQ(test, refused, 1);
	KUNIT_EXPECT_EQ(test, granted, 0);
}

static void rundown_scopes_test_held_is_released(struct kunit *test)
{
#ifdef guard
	struct subject *basic = subject_create(test, &basic_ops);
	struct subject *cache_aware = subject_create(test, &allocated_ops);
	struct ex_rundown_ref *basic_ref = basic->ref;
	struct ex_rundown_ref_cache_aware *cache_aware_ref = cache_aware->ref;

	KUNIT_ASSERT_TRUE(test, subject_acquire(basic));
	KUNIT_ASSERT_TRUE(test, subject_acquire(cache_aware));
	do {
		guard(ex_rundown_held)(basic_ref);
		guard(ex_rundown_held)(cache_aware_ref);

		basic->ops->start(basic->ref);
		KUNIT_EXPECT_FALSE(test, basic->ops->is_complete(basic->ref));
		cache_aware->ops->start(cache_aware->ref);
		KUNIT_EXPECT_FALSE(test, cache_aware->ops->is_complete(cache_aware->ref));
	} while (0);
	KUNIT_EXPECT_TRUE(test, basic->ops->is_complete(basic->ref));
	KUNIT_EXPECT_TRUE(test, cache_aware->ops->is_complete(cache_aware->ref));
#else
	kunit_skip(test, "no guard()");
#endif
}

/* A place in the code: a lock class. */
static void take_in_scope(struct ex_rundown_ref_cache_aware *ref, struct mutex *mutex)
{
	ex_with_rundown_protection(ref, return) {
		if (mutex) {
			mutex_lock(mutex);
			mutex_unlock(mutex);
		}
	}
}

static void take_in_other_scope(struct ex_rundown_ref_cache_aware *ref, struct mutex *mutex)
{
	ex_with_rundown_protection(ref, return) {
		mutex_lock(mutex);
		mutex_unlock(mutex);
	}
}

static void wait_in_third_scope(struct ex_rundown_ref_cache_aware *ref, struct subject *child)
{
	ex_with_rundown_protection(ref, return) {
		if (child)
			subject_wait(child);
	}
}

static void wait_in_fourth_scope(struct ex_rundown_ref_cache_aware *ref, struct subject *child)
{
	ex_with_rundown_protection(ref, return) {
		if (child)
			subject_wait(child);
	}
}

static void wait_with_mutex(struct subject *subject, struct mutex *mutex)
{
	mutex_lock(mutex);
	subject_wait(subject);
	mutex_unlock(mutex);
	subject_reinitialize(subject);
}

static void need_lockdep(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		kunit_skip(test, "no CONFIG_PROVE_LOCKING");
	if (!debug_locks)
		kunit_skip(test, "lockdep is off");
}

static void enter_scope(void *ref)
{
	take_in_scope(ref, NULL);
}

/* It is told of each wait, but of those that end anyway. */
static void rundown_scopes_test_lockdep_hears_of_waits(struct kunit *test)
{
	struct call_probe told = { .kp.symbol_name = "ex_scope_waits" };
	struct subject *subject = test_subject(test);
	struct ex_rundown_ref_cache_aware *ref = subject->ref;
	const struct ref_ops *ops = subject->ops;

	if (!IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC))
		kunit_skip(test, "no CONFIG_DEBUG_LOCK_ALLOC");
	call_probe_begin(test, &told);
	subject_wait(subject);
	KUNIT_EXPECT_EQ(test, atomic_read(&told.calls), 1);
	KUNIT_EXPECT_EQ(test, ops->wait_killable(ref), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&told.calls), 2);
	KUNIT_EXPECT_EQ(test, ops->wait_interruptible(ref), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&told.calls), 3);
	KUNIT_EXPECT_GT(test, ops->wait_timeout(ref, ULONG_MAX), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&told.calls), 4);
	KUNIT_EXPECT_EQ(test, ops->wait_timeout(ref, 1), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&told.calls), 4);
	if (ops->traits & KIND_CACHE_AWARE) {
		ex_rundown_wait_many_cache_aware(&ref, 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&told.calls), 5);
	}
	call_probe_end(&told);
}

/* What lockdep is not to take for a deadlock: the fixture looks whether it did. */
static void rundown_scopes_test_lockdep_is_silent(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);
	struct subject *other = subject_create(test, &allocated_ops);
	struct subject *child = subject_create(test, &allocated_ops);
	static DEFINE_MUTEX(held_in_wait);
	static DEFINE_MUTEX(taken_in_scope);
	static DEFINE_MUTEX(with_timeout);
	static DEFINE_MUTEX(with_nobody);
	int i;

	need_lockdep(test);
	take_in_scope(subject->ref, NULL);
	/* The mutex of an owner of something else. */
	wait_with_mutex(subject, &held_in_wait);
	take_in_other_scope(other->ref, &held_in_wait);
	/* Taken in the scope, and not held in the wait. */
	take_in_scope(subject->ref, &taken_in_scope);
	wait_with_mutex(subject, &held_in_wait);
	/* A wait that ends anyway. */
	mutex_lock(&with_timeout);
	KUNIT_EXPECT_GT(test, subject->ops->wait_timeout(subject->ref, 1), 0);
	mutex_unlock(&with_timeout);
	subject_reinitialize(subject);
	take_in_scope(subject->ref, &with_timeout);
	/* An interrupt is refused rather than wait for who waits for it. */
	smp_call_function_single(other_cpu(0), enter_scope, subject->ref, 1);
	subject_wait(subject);
	/* The next life knows only scopes of its own, in which nothing is taken. */
	subject_reinitialize(subject);
	wait_in_third_scope(subject->ref, NULL);
	wait_with_mutex(subject, &taken_in_scope);
	/* There is nothing left to wait for. */
	take_in_scope(subject->ref, &with_nobody);
	subject->ops->start(subject->ref);
	KUNIT_EXPECT_TRUE(test, subject->ops->is_complete(subject->ref));
	wait_with_mutex(subject, &with_nobody);
	/* Parents protected by the places that their children are, too, in any order. */
	for (i = 0; i < 2; i++) {
		wait_in_third_scope(child->ref, NULL);
		wait_in_fourth_scope(child->ref, NULL);
		if (i)
			wait_in_fourth_scope(subject->ref, child);
		else
			wait_in_third_scope(subject->ref, child);
		subject_reinitialize(child);
	}
}

/* Nobody is in the other's way here, so nothing hangs; it is reported all the same. */
static void rundown_scopes_test_lockdep_reports(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);
	static DEFINE_MUTEX(unrelated);
	static DEFINE_MUTEX(mutex);
	int i;

	need_lockdep(test);
	/* Not the only scope that the ref is in, nor is it once. */
	for (i = 0; i < 20; i++)
		wait_in_third_scope(subject->ref, NULL);
	take_in_scope(subject->ref, NULL);
	take_in_other_scope(subject->ref, &unrelated);
	wait_with_mutex(subject, &mutex);
	splat_begin("possible circular locking dependency");
	take_in_scope(subject->ref, &mutex);
	splat_end();
	KUNIT_EXPECT_FALSE(test, debug_locks);
	locks_allow_report();
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

static struct kunit_case rundown_scopes_cases[] = {
	KUNIT_CASE_PARAM(rundown_scopes_test_releases, each_scope_way),
	KUNIT_CASE(rundown_scopes_test_refused_goes_on),
	KUNIT_CASE(rundown_scopes_test_held_is_released),
	KUNIT_CASE_PARAM(rundown_scopes_test_lockdep_hears_of_waits, each_main_kind),
	KUNIT_CASE(rundown_scopes_test_lockdep_is_silent),
	/* The last of all: lockdep reports once, and turns itself off. */
	KUNIT_CASE(rundown_scopes_test_lockdep_reports),
	{}
};

static struct kunit_suite rundown_scopes_suite = {
	.name = "rundown_scopes",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_scopes_cases,
};

kunit_test_suite(rundown_scopes_suite);
