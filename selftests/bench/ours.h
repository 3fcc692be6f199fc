/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run-down protection of every kind. Included twice: by ours.c, for the in-line functions, and by
 * ours_exported.c, for the exported symbols. OURS(name) is the subject's name, OURS_TITLE(text) its
 * title.
 */
#include <linux/bitops.h>
#include <linux/slab.h>

#include "subject.h"

static int basic_create(struct bench_object *object)
{
	ex_initialize_rundown_protection(&object->basic);
	return 0;
}

static void basic_refuse(struct bench_object *object)
{
	ex_rundown_completed(&object->basic);
}

static void basic_down(struct bench_object *object)
{
	ex_wait_for_rundown_protection_release(&object->basic);
}

static void basic_up(struct bench_object *object)
{
	ex_reinitialize_rundown_protection(&object->basic);
}

BENCH_PAIRS(basic, struct ex_rundown_ref *, &object->basic,
	    ex_acquire_rundown_protection(ref), ex_release_rundown_protection(ref))
BENCH_REFUSED(basic, struct ex_rundown_ref *, &object->basic, ex_acquire_rundown_protection(ref))

const struct bench_subject OURS(basic) = {
	.name = OURS_NAME("basic"),
	.title = OURS_TITLE("basic"),
	.kind = BENCH_OURS,
	.bytes = sizeof(struct ex_rundown_ref),
	.create = basic_create,
	.pairs = basic_pairs,
	.refuse = basic_refuse,
	.refused = basic_refused,
	.admit = basic_up,
	.down = basic_down,
	.up = basic_up,
};

BENCH_PAIRS(cache_aware, struct ex_rundown_ref_cache_aware *, object->cache_aware,
	    ex_acquire_rundown_protection_cache_aware(ref),
	    ex_release_rundown_protection_cache_aware(ref))
BENCH_REFUSED(cache_aware, struct ex_rundown_ref_cache_aware *, object->cache_aware,
	      ex_acquire_rundown_protection_cache_aware(ref))

static void cache_aware_refuse(struct bench_object *object)
{
	ex_rundown_completed_cache_aware(object->cache_aware);
}

static void cache_aware_down(struct bench_object *object)
{
	ex_wait_for_rundown_protection_release_cache_aware(object->cache_aware);
}

static void cache_aware_up(struct bench_object *object)
{
	ex_reinitialize_rundown_protection_cache_aware(object->cache_aware);
}

#define CACHE_AWARE							\
	.kind = BENCH_OURS,						\
	.bytes = sizeof(struct ex_rundown_ref_cache_aware),		\
	.pairs = cache_aware_pairs,					\
	.refuse = cache_aware_refuse,					\
	.refused = cache_aware_refused,					\
	.admit = cache_aware_up,					\
	.down = cache_aware_down,					\
	.up = cache_aware_up

static int percpu_create(struct bench_object *object)
{
	object->cache_aware = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	return object->cache_aware ? 0 : -ENOMEM;
}

static void percpu_destroy(struct bench_object *object)
{
	ex_free_cache_aware_rundown_protection(object->cache_aware);
}

const struct bench_subject OURS(percpu) = {
	CACHE_AWARE,
	.name = OURS_NAME("percpu"),
	.title = OURS_TITLE("cache-aware"),
	.bytes_percpu = sizeof(atomic_long_t),
	.create = percpu_create,
	.destroy = percpu_destroy,
};

DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_0);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_1);

static struct ex_rundown_ref_cache_aware *const statics[] = { &static_0, &static_1 };
static unsigned long statics_used;

static int static_create(struct bench_object *object)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(statics); i++) {
		if (test_and_set_bit(i, &statics_used))
			continue;
		object->cache_aware = statics[i];
		return 0;
	}
	return -EBUSY;
}

static void static_destroy(struct bench_object *object)
{
	clear_bit(object->cache_aware == statics[1], &statics_used);
}

const struct bench_subject OURS(static) = {
	CACHE_AWARE,
	.name = OURS_NAME("static"),
	.title = OURS_TITLE("cache-aware, static"),
	.bytes_percpu = sizeof(atomic_long_t),
	.create = static_create,
	.destroy = static_destroy,
};

static int no_ipi_create(struct bench_object *object)
{
	object->cache_aware = &object->embedded;
	return ex_initialize_rundown_protection_cache_aware_ex(&object->embedded,
							       EX_RUNDOWN_NO_IPI);
}

static void no_ipi_destroy(struct bench_object *object)
{
	ex_cleanup_rundown_protection_cache_aware(&object->embedded);
}

const struct bench_subject OURS(no_ipi) = {
	CACHE_AWARE,
	.name = OURS_NAME("no_ipi"),
	.title = OURS_TITLE("cache-aware, NO_IPI"),
	.bytes_percpu = sizeof(atomic_long_t),
	.create = no_ipi_create,
	.destroy = no_ipi_destroy,
};

static int in_place_create(struct bench_object *object)
{
	size_t size = ex_size_of_rundown_protection_cache_aware();
	int error;

	object->cache_aware = kmalloc(size, GFP_KERNEL);
	if (!object->cache_aware)
		return -ENOMEM;
	error = ex_initialize_rundown_protection_cache_aware(object->cache_aware, size);
	if (error)
		kfree(object->cache_aware);
	return error;
}

static void in_place_destroy(struct bench_object *object)
{
	kfree(object->cache_aware);
}

const struct bench_subject OURS(in_place) = {
	CACHE_AWARE,
	.name = OURS_NAME("in_place"),
	.title = OURS_TITLE("cache-aware, in place"),
	.bytes_percpu = SMP_CACHE_BYTES,
	.create = in_place_create,
	.destroy = in_place_destroy,
};
