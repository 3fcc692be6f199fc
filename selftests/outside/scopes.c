// SPDX-License-Identifier: GPL-2.0
/* Scopes, on both kinds of ref. */
#include <linux/module.h>

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
static int use_classes(void)
{
#ifdef CLASS
	CLASS(ex_rundown, protection)(&basic);
	CLASS(ex_rundown, aware_protection)(&cache_aware);

	WANT(protection.ref && aware_protection.ref);
	/* What ACQUIRE_ERR() is, where there is one. */
	WANT(!class_ex_rundown_lock_err(&protection));
#endif
#ifdef scoped_cond_guard
	scoped_cond_guard(ex_rundown, return -ENODEV, &cache_aware)
		WANT(!ex_rundown_is_active(&cache_aware));
#endif
#ifdef ACQUIRE
	ACQUIRE(ex_rundown, acquired)(&basic);

	WANT(!ACQUIRE_ERR(ex_rundown, &acquired));
#endif
#ifdef guard
	WANT(ex_rundown_acquire(&basic));
	guard(ex_rundown_held)(&basic);
#endif
	return 0;
}

int outside_scopes(void)
{
	int error = use_basic();

	error = error ?: use_cache_aware();
	error = error ?: use_classes();
	if (error)
		return error;
	/* All that the classes held has been released. */
	ex_rundown_wait(&basic);
	ex_rundown_wait(&cache_aware);
	return 0;
}
