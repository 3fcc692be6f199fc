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
	ex_rundown_completed(ref);
}

static void basic_reinitialize(void *ref)
{
	ex_reinitialize_rundown_protection(ref);
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
	.reinitialize = basic_reinitialize

#define CACHE_AWARE_OPS					\
	.acquire = cache_aware_acquire,			\
	.acquire_ex = cache_aware_acquire_ex,		\
	.release = cache_aware_release,			\
	.release_ex = cache_aware_release_ex,		\
	.wait = cache_aware_wait,			\
	.completed = cache_aware_completed,		\
	.reinitialize = cache_aware_reinitialize
