/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The operations of both kinds of ref. Included twice: by kinds.c, for the in-line functions, and
 * by kinds_out_of_line.c, for the exported ones.
 */
#include <linux/slab.h>

#include "fixture.h"

static bool basic_acquire(void *ref)
{
	return ex_acquire_rundown_protection(ref);
}

static bool basic_acquire_ex(void *ref, u32 count)
{
	return ex_acquire_rundown_protection_ex(ref, count);
}

static void basic_release(void *ref)
{
	ex_release_rundown_protection(ref);
}

static void basic_release_ex(void *ref, u32 count)
{
	ex_release_rundown_protection_ex(ref, count);
}

static void basic_wait(void *ref)
{
	ex_wait_for_rundown_protection_release(ref);
}

static void basic_completed(void *ref)
{
	ex_rundown_completed((struct ex_rundown_ref *)ref);
}

static void basic_reinitialize(void *ref)
{
	ex_reinitialize_rundown_protection(ref);
}

static unsigned long basic_wait_timeout(void *ref, unsigned long timeout)
{
	return ex_rundown_wait_timeout((struct ex_rundown_ref *)ref, timeout);
}

static int basic_wait_killable(void *ref)
{
	return ex_rundown_wait_killable((struct ex_rundown_ref *)ref);
}

static int basic_wait_interruptible(void *ref)
{
	return ex_rundown_wait_interruptible((struct ex_rundown_ref *)ref);
}

static void basic_start(void *ref)
{
	ex_rundown_start((struct ex_rundown_ref *)ref);
}

static void basic_start_async(void *ref, struct ex_rundown_work *work,
			      void (*fn)(struct ex_rundown_work *work))
{
	ex_rundown_start_async((struct ex_rundown_ref *)ref, work, fn);
}

static bool basic_is_active(void *ref)
{
	return ex_rundown_is_active((struct ex_rundown_ref *)ref);
}

static bool basic_is_complete(void *ref)
{
	return ex_rundown_is_complete((struct ex_rundown_ref *)ref);
}

static void *basic_create(void)
{
	struct ex_rundown_ref *ref = kmalloc(sizeof(*ref), GFP_KERNEL);

	if (ref) {
		memset(ref, 0xa5, sizeof(*ref));
		ex_initialize_rundown_protection(ref);
	}
	return ref;
}

static void basic_destroy(void *ref)
{
	kfree(ref);
}

static bool cache_aware_acquire(void *ref)
{
	return ex_acquire_rundown_protection_cache_aware(ref);
}

static bool cache_aware_acquire_ex(void *ref, u32 count)
{
	return ex_acquire_rundown_protection_cache_aware_ex(ref, count);
}

static void cache_aware_release(void *ref)
{
	ex_release_rundown_protection_cache_aware(ref);
}

static void cache_aware_release_ex(void *ref, u32 count)
{
	ex_release_rundown_protection_cache_aware_ex(ref, count);
}

static void cache_aware_wait(void *ref)
{
	ex_wait_for_rundown_protection_release_cache_aware(ref);
}

static void cache_aware_completed(void *ref)
{
	ex_rundown_completed_cache_aware(ref);
}

static void cache_aware_reinitialize(void *ref)
{
	ex_reinitialize_rundown_protection_cache_aware(ref);
}

static unsigned long cache_aware_wait_timeout(void *ref, unsigned long timeout)
{
	return ex_rundown_wait_timeout_cache_aware(ref, timeout);
}

static int cache_aware_wait_killable(void *ref)
{
	return ex_rundown_wait_killable_cache_aware(ref);
}

static int cache_aware_wait_interruptible(void *ref)
{
	return ex_rundown_wait_interruptible_cache_aware(ref);
}

static void cache_aware_start(void *ref)
{
	ex_rundown_start_cache_aware(ref);
}

static void cache_aware_start_async(void *ref, struct ex_rundown_work *work,
				    void (*fn)(struct ex_rundown_work *work))
{
	ex_rundown_start_async_cache_aware(ref, work, fn);
}

static bool cache_aware_is_active(void *ref)
{
	return ex_rundown_is_active_cache_aware(ref);
}

static bool cache_aware_is_complete(void *ref)
{
	return ex_rundown_is_complete_cache_aware(ref);
}

static void *allocated_create(void)
{
	return ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
}

static void allocated_destroy(void *ref)
{
	ex_free_cache_aware_rundown_protection(ref);
}

#define BASIC_OPS					\
	.acquire = basic_acquire,			\
	.acquire_ex = basic_acquire_ex,			\
	.release = basic_release,			\
	.release_ex = basic_release_ex,			\
	.wait = basic_wait,				\
	.completed = basic_completed,			\
	.reinitialize = basic_reinitialize,		\
	.wait_timeout = basic_wait_timeout,		\
	.wait_killable = basic_wait_killable,		\
	.wait_interruptible = basic_wait_interruptible,	\
	.start = basic_start,				\
	.start_async = basic_start_async,		\
	.is_active = basic_is_active,			\
	.is_complete = basic_is_complete

#define CACHE_AWARE_OPS					\
	.acquire = cache_aware_acquire,			\
	.acquire_ex = cache_aware_acquire_ex,		\
	.release = cache_aware_release,			\
	.release_ex = cache_aware_release_ex,		\
	.wait = cache_aware_wait,			\
	.completed = cache_aware_completed,		\
	.reinitialize = cache_aware_reinitialize,	\
	.wait_timeout = cache_aware_wait_timeout,	\
	.wait_killable = cache_aware_wait_killable,	\
	.wait_interruptible = cache_aware_wait_interruptible,	\
	.start = cache_aware_start,			\
	.start_async = cache_aware_start_async,		\
	.is_active = cache_aware_is_active,		\
	.is_complete = cache_aware_is_complete
