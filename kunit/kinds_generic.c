// SPDX-License-Identifier: GPL-2.0
/* The kinds of ref by the names that serve both: all tests of each kind pass with these, too. */
#include <linux/slab.h>

#include "fixture.h"

#define DEFINE_GENERIC_OPS(kind, type)								\
static bool kind##_generic_acquire(void *ref)							\
{												\
	return ex_rundown_acquire((type *)ref);							\
}												\
static bool kind##_generic_acquire_n(void *ref, u32 count)					\
{												\
	return ex_rundown_acquire_n((type *)ref, count);					\
}												\
static void kind##_generic_release(void *ref)							\
{												\
	ex_rundown_release((type *)ref);							\
}												\
static void kind##_generic_release_n(void *ref, u32 count)					\
{												\
	ex_rundown_release_n((type *)ref, count);						\
}												\
static void kind##_generic_wait(void *ref)							\
{												\
	ex_rundown_wait((type *)ref);								\
}												\
static void kind##_generic_completed(void *ref)							\
{												\
	ex_rundown_completed((type *)ref);							\
}												\
static void kind##_generic_reinitialize(void *ref)						\
{												\
	ex_rundown_reinitialize((type *)ref);							\
}												\
static unsigned long kind##_generic_wait_timeout(void *ref, unsigned long timeout)		\
{												\
	return ex_rundown_wait_timeout((type *)ref, timeout);					\
}												\
static int kind##_generic_wait_killable(void *ref)						\
{												\
	return ex_rundown_wait_killable((type *)ref);						\
}												\
static int kind##_generic_wait_interruptible(void *ref)						\
{												\
	return ex_rundown_wait_interruptible((type *)ref);					\
}												\
static void kind##_generic_start(void *ref)							\
{												\
	ex_rundown_start((type *)ref);								\
}												\
static void kind##_generic_start_async(void *ref, struct ex_rundown_work *work,			\
				       void (*fn)(struct ex_rundown_work *work))		\
{												\
	ex_rundown_start_async((type *)ref, work, fn);						\
}												\
static bool kind##_generic_is_active(void *ref)							\
{												\
	return ex_rundown_is_active((const type *)ref);						\
}												\
static bool kind##_generic_is_complete(void *ref)						\
{												\
	return ex_rundown_is_complete((const type *)ref);					\
}

#define GENERIC_OPS(kind)						\
	.acquire = kind##_generic_acquire,				\
	.acquire_ex = kind##_generic_acquire_n,				\
	.release = kind##_generic_release,				\
	.release_ex = kind##_generic_release_n,				\
	.wait = kind##_generic_wait,					\
	.completed = kind##_generic_completed,				\
	.reinitialize = kind##_generic_reinitialize,			\
	.wait_timeout = kind##_generic_wait_timeout,			\
	.wait_killable = kind##_generic_wait_killable,			\
	.wait_interruptible = kind##_generic_wait_interruptible,	\
	.start = kind##_generic_start,					\
	.start_async = kind##_generic_start_async,			\
	.is_active = kind##_generic_is_active,				\
	.is_complete = kind##_generic_is_complete

DEFINE_GENERIC_OPS(basic, struct ex_rundown_ref)
DEFINE_GENERIC_OPS(cache_aware, struct ex_rundown_ref_cache_aware)

static void *basic_generic_create(void)
{
	/* All zero is a live one. */
	return kzalloc(sizeof(struct ex_rundown_ref), GFP_KERNEL);
}

static void basic_generic_destroy(void *ref)
{
	kfree(ref);
}

const struct ref_ops basic_generic_ops = {
	.name = "basic, generic names",
	GENERIC_OPS(basic),
	.create = basic_generic_create,
	.destroy = basic_generic_destroy,
};

static void *allocated_generic_create(void)
{
	return ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
}

static void allocated_generic_destroy(void *ref)
{
	ex_free_cache_aware_rundown_protection(ref);
}

const struct ref_ops allocated_generic_ops = {
	.name = "cache-aware, generic names",
	.traits = KIND_CACHE_AWARE | KIND_ALLOCATED,
	GENERIC_OPS(cache_aware),
	.create = allocated_generic_create,
	.destroy = allocated_generic_destroy,
};
