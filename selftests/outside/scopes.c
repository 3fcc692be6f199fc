// SPDX-License-Identifier: GPL-2.0
/* Scopes, on both kinds of ref. */
#include <linux/module.h>

#if __has_include("linux/cleanup.h")
#include <linux/cleanup.h>
#endif

#include <ex_rundown.h>
#include <ex_rundown_scope.h>

#include "outside.h"

static DEFINE_EX_RUNDOWN_REF(basic);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(cache_aware);

#define USE(name)								\
static int with_##name(void)							\
{										\
	ex_with_rundown_protection(&(name), return -ENODEV)			\
		return 1;							\
	return 0;								\
}										\
										\
static int block_##name(void)							\
{										\
	EX_RUNDOWN_PROTECTION(protection, &(name));				\
										\
	return class_ex_rundown_lock_err(&protection) ?: 1;			\
}										\
										\
static int use_##name(void)							\
{										\
	WANT(with_##name() == 1 && block_##name() == 1);			\
	ex_rundown_wait(&(name));						\
	WANT(with_##name() == -ENODEV && block_##name() == -ENODEV);		\
	ex_rundown_reinitialize(&(name));					\
	return 0;								\
}

USE(basic)
USE(cache_aware)

/* Where the kernel has linux/cleanup.h. */
#ifdef CLASS
static int class_scope(bool granted)
{
	CLASS(ex_rundown, protection)(&basic);
	CLASS(ex_rundown, aware_protection)(&cache_aware);

	WANT(!protection.ref == !granted && !aware_protection.ref == !granted);
	/* What ACQUIRE_ERR() is, where there is one. */
	WANT(class_ex_rundown_lock_err(&protection) == (granted ? 0 : -ENODEV));
	WANT(class_ex_rundown_lock_err(&aware_protection) == (granted ? 0 : -ENODEV));
	return 0;
}

static int guard_scope(void)
{
	WANT(ex_rundown_acquire(&basic) && ex_rundown_acquire(&cache_aware));
	guard(ex_rundown_held)(&basic);
	guard(ex_rundown_held)(&cache_aware);
	return 0;
}
#endif

/* Before 6.8, when scoped_cond_guard() came, scoped_guard() did not ask whether it was granted. */
#ifdef scoped_cond_guard
static int scoped_scope(bool granted)
{
	int entered = 0;

	scoped_guard(ex_rundown, &basic)
		entered++;
	scoped_guard(ex_rundown, &cache_aware)
		entered++;
	WANT(entered == (granted ? 2 : 0));
	return 0;
}

static int scoped_cond_scope(void)
{
	scoped_cond_guard(ex_rundown, return -ENODEV, &basic)
		scoped_cond_guard(ex_rundown, return -ENODEV, &cache_aware)
			return 1;
	return 0;
}
#endif

#ifdef ACQUIRE
static int acquire_scope(bool granted)
{
	ACQUIRE(ex_rundown, acquired)(&basic);
	ACQUIRE(ex_rundown, aware_acquired)(&cache_aware);

	WANT(ACQUIRE_ERR(ex_rundown, &acquired) == (granted ? 0 : -ENODEV));
	WANT(ACQUIRE_ERR(ex_rundown, &aware_acquired) == (granted ? 0 : -ENODEV));
	return 0;
}
#endif

static int use_classes(bool granted)
{
	int error = 0;

#ifdef CLASS
	error = error ?: class_scope(granted);
	if (granted)
		error = error ?: guard_scope();
#endif
#ifdef scoped_cond_guard
	error = error ?: scoped_scope(granted);
	WANT(scoped_cond_scope() == (granted ? 1 : -ENODEV));
#endif
#ifdef ACQUIRE
	error = error ?: acquire_scope(granted);
#endif
	return error;
}

int outside_scopes(void)
{
	int error = use_basic();

	error = error ?: use_cache_aware();
	error = error ?: use_classes(true);
	if (error)
		return error;
	/* All that the classes held has been released. */
	ex_rundown_wait(&basic);
	ex_rundown_wait(&cache_aware);
	return use_classes(false);
}
