// SPDX-License-Identifier: GPL-2.0
/*
 * Two of ours once more, with acquires and releases that are tracked: Kbuild compiles this file
 * with EX_RUNDOWN_TRACK. Whatever is acquired here is released here, in whichever context.
 */
#include "stress.h"

static int tracked_create(struct stress_ref *ref)
{
	ref->cache_aware = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	return ref->cache_aware ? 0 : -ENOMEM;
}

static void tracked_destroy(struct stress_ref *ref)
{
	ex_free_cache_aware_rundown_protection(ref->cache_aware);
}

static bool tracked_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	if (count == 1)
		return ex_acquire_rundown_protection_cache_aware(ref->cache_aware);
	return ex_acquire_rundown_protection_cache_aware_ex(ref->cache_aware, count);
}

static void tracked_release(struct stress_ref *ref, u32 count, int cookie)
{
	if (count == 1)
		ex_release_rundown_protection_cache_aware(ref->cache_aware);
	else
		ex_release_rundown_protection_cache_aware_ex(ref->cache_aware, count);
}

static void tracked_wait(struct stress_ref *ref)
{
	ex_wait_for_rundown_protection_release_cache_aware(ref->cache_aware);
}

static void tracked_completed(struct stress_ref *ref)
{
	ex_rundown_completed_cache_aware(ref->cache_aware);
}

static void tracked_reinitialize(struct stress_ref *ref)
{
	ex_reinitialize_rundown_protection_cache_aware(ref->cache_aware);
}

const struct stress_ops stress_tracked = {
	.name = "tracked",
	.kind = STRESS_OURS,
	.contexts = STRESS_ALL_CONTEXTS,
	.handover = true,
	.ex = true,
	.replaceable = true,
	.max_refs = 1024,
	.create = tracked_create,
	.destroy = tracked_destroy,
	.acquire = tracked_acquire,
	.release = tracked_release,
	.wait = tracked_wait,
	.completed = tracked_completed,
	.reinitialize = tracked_reinitialize,
};

static int tracked_basic_create(struct stress_ref *ref)
{
	ex_initialize_rundown_protection(&ref->basic);
	return 0;
}

static void tracked_basic_destroy(struct stress_ref *ref)
{
}

static bool tracked_basic_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	if (count == 1)
		return ex_acquire_rundown_protection(&ref->basic);
	return ex_acquire_rundown_protection_ex(&ref->basic, count);
}

static void tracked_basic_release(struct stress_ref *ref, u32 count, int cookie)
{
	if (count == 1)
		ex_release_rundown_protection(&ref->basic);
	else
		ex_release_rundown_protection_ex(&ref->basic, count);
}

static void tracked_basic_wait(struct stress_ref *ref)
{
	ex_wait_for_rundown_protection_release(&ref->basic);
}

static void tracked_basic_completed(struct stress_ref *ref)
{
	ex_rundown_completed(&ref->basic);
}

static void tracked_basic_reinitialize(struct stress_ref *ref)
{
	ex_reinitialize_rundown_protection(&ref->basic);
}

const struct stress_ops stress_tracked_basic = {
	.name = "tracked_basic",
	.kind = STRESS_OURS,
	.contexts = STRESS_ALL_CONTEXTS,
	.handover = true,
	.ex = true,
	.replaceable = true,
	.max_refs = 1024,
	.create = tracked_basic_create,
	.destroy = tracked_basic_destroy,
	.acquire = tracked_basic_acquire,
	.release = tracked_basic_release,
	.wait = tracked_basic_wait,
	.completed = tracked_basic_completed,
	.reinitialize = tracked_basic_reinitialize,
};
