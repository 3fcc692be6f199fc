// SPDX-License-Identifier: GPL-2.0
/* The variants under test: every kind of ref of rundown.ko. */
#include <linux/slab.h>

#include "stress.h"

static int basic_create(struct stress_ref *ref)
{
	ex_initialize_rundown_protection(&ref->basic);
	return 0;
}

static void basic_destroy(struct stress_ref *ref)
{
}

static bool basic_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	if (count == 1)
		return ex_acquire_rundown_protection(&ref->basic);
	return ex_acquire_rundown_protection_ex(&ref->basic, count);
}

static void basic_release(struct stress_ref *ref, u32 count, int cookie)
{
	if (count == 1)
		ex_release_rundown_protection(&ref->basic);
	else
		ex_release_rundown_protection_ex(&ref->basic, count);
}

static void basic_wait(struct stress_ref *ref)
{
	ex_wait_for_rundown_protection_release(&ref->basic);
}

static void basic_completed(struct stress_ref *ref)
{
	ex_rundown_completed(&ref->basic);
}

static void basic_reinitialize(struct stress_ref *ref)
{
	ex_reinitialize_rundown_protection(&ref->basic);
}

const struct stress_ops stress_basic = {
	.name = "basic",
	.kind = STRESS_OURS,
	.contexts = STRESS_ALL_CONTEXTS,
	.handover = true,
	.ex = true,
	.replaceable = true,
	.max_refs = 1024,
	.create = basic_create,
	.destroy = basic_destroy,
	.acquire = basic_acquire,
	.release = basic_release,
	.wait = basic_wait,
	.completed = basic_completed,
	.reinitialize = basic_reinitialize,
};

static bool cache_aware_acquire(struct stress_ref *ref, u32 count, int *cookie)
{
	if (count == 1)
		return ex_acquire_rundown_protection_cache_aware(ref->cache_aware);
	return ex_acquire_rundown_protection_cache_aware_ex(ref->cache_aware, count);
}

static void cache_aware_release(struct stress_ref *ref, u32 count, int cookie)
{
	if (count == 1)
		ex_release_rundown_protection_cache_aware(ref->cache_aware);
	else
		ex_release_rundown_protection_cache_aware_ex(ref->cache_aware, count);
}

static void cache_aware_wait(struct stress_ref *ref)
{
	ex_wait_for_rundown_protection_release_cache_aware(ref->cache_aware);
}

static void cache_aware_completed(struct stress_ref *ref)
{
	ex_rundown_completed_cache_aware(ref->cache_aware);
}

static void cache_aware_reinitialize(struct stress_ref *ref)
{
	ex_reinitialize_rundown_protection_cache_aware(ref->cache_aware);
}

#define CACHE_AWARE							\
	.kind = STRESS_OURS,						\
	.contexts = STRESS_ALL_CONTEXTS,				\
	.handover = true,						\
	.ex = true,							\
	.acquire = cache_aware_acquire,					\
	.release = cache_aware_release,					\
	.wait = cache_aware_wait,					\
	.completed = cache_aware_completed,				\
	.reinitialize = cache_aware_reinitialize

static int percpu_create(struct stress_ref *ref)
{
	ref->cache_aware = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	return ref->cache_aware ? 0 : -ENOMEM;
}

static void percpu_destroy(struct stress_ref *ref)
{
	ex_free_cache_aware_rundown_protection(ref->cache_aware);
}

const struct stress_ops stress_percpu = {
	CACHE_AWARE,
	.name = "percpu",
	.replaceable = true,
	.max_refs = 1024,
	.create = percpu_create,
	.destroy = percpu_destroy,
};

static int percpu_ex_create(struct stress_ref *ref)
{
	ref->cache_aware = &ref->embedded;
	return ex_initialize_rundown_protection_cache_aware_ex(ref->cache_aware, 0);
}

static void percpu_ex_destroy(struct stress_ref *ref)
{
	ex_cleanup_rundown_protection_cache_aware(ref->cache_aware);
}

const struct stress_ops stress_percpu_ex = {
	CACHE_AWARE,
	.name = "percpu_ex",
	.replaceable = true,
	.max_refs = 1024,
	.create = percpu_ex_create,
	.destroy = percpu_ex_destroy,
};

static int no_ipi_create(struct stress_ref *ref)
{
	ref->cache_aware = &ref->embedded;
	return ex_initialize_rundown_protection_cache_aware_ex(ref->cache_aware,
							       EX_RUNDOWN_NO_IPI);
}

const struct stress_ops stress_no_ipi = {
	CACHE_AWARE,
	.name = "no_ipi",
	.replaceable = true,
	.max_refs = 1024,
	.create = no_ipi_create,
	.destroy = percpu_ex_destroy,
};

static int in_place_create(struct stress_ref *ref)
{
	size_t size = ex_size_of_rundown_protection_cache_aware();
	int error;

	ref->cache_aware = kmalloc(size, GFP_KERNEL);
	if (!ref->cache_aware)
		return -ENOMEM;
	error = ex_initialize_rundown_protection_cache_aware(ref->cache_aware, size);
	if (error)
		kfree(ref->cache_aware);
	return error;
}

static void in_place_destroy(struct stress_ref *ref)
{
	kfree(ref->cache_aware);
}

const struct stress_ops stress_in_place = {
	CACHE_AWARE,
	.name = "in_place",
	.replaceable = true,
	.max_refs = 1024,
	.create = in_place_create,
	.destroy = in_place_destroy,
};

DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_0);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_1);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_2);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_3);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_4);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_5);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_6);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_7);

/* Live at first, run down after each use. */
static struct static_ref {
	struct ex_rundown_ref_cache_aware *ref;
	bool run_down;
} static_refs[] = {
	{ &static_0 }, { &static_1 }, { &static_2 }, { &static_3 },
	{ &static_4 }, { &static_5 }, { &static_6 }, { &static_7 },
};

static int static_create(struct stress_ref *ref)
{
	struct static_ref *it = &static_refs[ref->index];

	ref->cache_aware = it->ref;
	if (it->run_down)
		ex_reinitialize_rundown_protection_cache_aware(it->ref);
	it->run_down = false;
	return 0;
}

static void static_destroy(struct stress_ref *ref)
{
	static_refs[ref->index].run_down = true;
}

const struct stress_ops stress_static = {
	CACHE_AWARE,
	.name = "static",
	.max_refs = ARRAY_SIZE(static_refs),
	.create = static_create,
	.destroy = static_destroy,
};
