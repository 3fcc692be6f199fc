// SPDX-License-Identifier: GPL-2.0
/* The kinds of ref that one test body serves. */
#include "kind_ops.h"

const struct ref_ops basic_ops = {
	.name = "basic",
	.traits = KIND_MAIN,
	BASIC_OPS,
	.create = basic_create,
	.destroy = basic_destroy,
};

const struct ref_ops allocated_ops = {
	.name = "cache-aware, allocated",
	.traits = KIND_CACHE_AWARE | KIND_ALLOCATED | KIND_MAIN,
	CACHE_AWARE_OPS,
	.create = allocated_create,
	.destroy = allocated_destroy,
};

static void *initialized_create_flags(u32 flags)
{
	struct ex_rundown_ref_cache_aware *ref = kmalloc(sizeof(*ref), GFP_KERNEL);

	if (!ref)
		return NULL;
	memset(ref, 0xa5, sizeof(*ref));
	if (ex_initialize_rundown_protection_cache_aware_ex(ref, flags)) {
		kfree(ref);
		return NULL;
	}
	return ref;
}

static void *initialized_create(void)
{
	return initialized_create_flags(0);
}

static void *no_ipi_create(void)
{
	return initialized_create_flags(EX_RUNDOWN_NO_IPI);
}

static void initialized_destroy(void *ref)
{
	ex_cleanup_rundown_protection_cache_aware(ref);
	kfree(ref);
}

static const struct ref_ops initialized_ops = {
	.name = "cache-aware, initialized",
	.traits = KIND_CACHE_AWARE,
	CACHE_AWARE_OPS,
	.create = initialized_create,
	.destroy = initialized_destroy,
};

const struct ref_ops no_ipi_ops = {
	.name = "cache-aware, no IPI",
	.traits = KIND_CACHE_AWARE | KIND_LOCKED | KIND_MAIN,
	CACHE_AWARE_OPS,
	.create = no_ipi_create,
	.destroy = initialized_destroy,
};

static void *in_place_create_at(size_t offset)
{
	size_t size = ex_size_of_rundown_protection_cache_aware();
	void *buffer = kmalloc(offset + size, GFP_KERNEL);

	if (!buffer)
		return NULL;
	memset(buffer, 0xa5, offset + size);
	if (ex_initialize_rundown_protection_cache_aware(buffer + offset, size)) {
		kfree(buffer);
		return NULL;
	}
	return buffer + offset;
}

static void *in_place_create(void)
{
	return in_place_create_at(0);
}

static void in_place_destroy(void *ref)
{
	kfree(ref);
}

const struct ref_ops in_place_ops = {
	.name = "cache-aware, in place",
	.traits = KIND_CACHE_AWARE | KIND_LOCKED | KIND_MAIN,
	CACHE_AWARE_OPS,
	.create = in_place_create,
	.destroy = in_place_destroy,
};

/* No better aligned than the interface asks for. */
#define ODD	(3 * sizeof(long))

static void *in_place_odd_create(void)
{
	return in_place_create_at(ODD);
}

static void in_place_odd_destroy(void *ref)
{
	kfree(ref - ODD);
}

static const struct ref_ops in_place_odd_ops = {
	.name = "cache-aware, in place, odd",
	.traits = KIND_CACHE_AWARE | KIND_LOCKED,
	CACHE_AWARE_OPS,
	.create = in_place_odd_create,
	.destroy = in_place_odd_destroy,
};

/* The static refs start live, and each test leaves them so. */
static DEFINE_EX_RUNDOWN_REF(static_basic);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(static_cache_aware);

static void *static_basic_create(void)
{
	return &static_basic;
}

static void static_basic_destroy(void *ref)
{
	ex_rundown_completed(&static_basic);
	ex_reinitialize_rundown_protection(ref);
}

static const struct ref_ops static_basic_ops = {
	.name = "basic, static",
	BASIC_OPS,
	.create = static_basic_create,
	.destroy = static_basic_destroy,
};

static void *static_cache_aware_create(void)
{
	return &static_cache_aware;
}

static void static_cache_aware_destroy(void *ref)
{
	ex_rundown_completed_cache_aware(ref);
	ex_reinitialize_rundown_protection_cache_aware(ref);
}

static const struct ref_ops static_cache_aware_ops = {
	.name = "cache-aware, static",
	.traits = KIND_CACHE_AWARE,
	CACHE_AWARE_OPS,
	.create = static_cache_aware_create,
	.destroy = static_cache_aware_destroy,
};

static const struct ref_ops * const kinds[] = {
	&basic_ops,
	&basic_out_of_line_ops,
	&basic_generic_ops,
	&static_basic_ops,
	&allocated_ops,
	&allocated_out_of_line_ops,
	&allocated_generic_ops,
	&initialized_ops,
	&no_ipi_ops,
	&in_place_ops,
	&in_place_odd_ops,
	&static_cache_aware_ops,
};

const void *next_kind(const void *prev, char *desc, unsigned int traits)
{
	const struct ref_ops * const *kind = prev;

	for (kind = kind ? kind + 1 : kinds; kind < kinds + ARRAY_SIZE(kinds); kind++) {
		if (((*kind)->traits & traits) != traits)
			continue;
		strscpy(desc, (*kind)->name, KUNIT_PARAM_DESC_SIZE);
		return kind;
	}
	return NULL;
}

const void *each_kind(KUNIT_TEST_ARG const void *prev, char *desc)
{
	return next_kind(prev, desc, 0);
}

const void *each_main_kind(KUNIT_TEST_ARG const void *prev, char *desc)
{
	return next_kind(prev, desc, KIND_MAIN);
}

const void *each_cache_aware_kind(KUNIT_TEST_ARG const void *prev, char *desc)
{
	return next_kind(prev, desc, KIND_CACHE_AWARE);
}

const void *each_main_cache_aware_kind(KUNIT_TEST_ARG const void *prev, char *desc)
{
	return next_kind(prev, desc, KIND_MAIN | KIND_CACHE_AWARE);
}

const struct ref_ops *test_kind(struct kunit *test)
{
	return *(const struct ref_ops * const *)test->param_value;
}
