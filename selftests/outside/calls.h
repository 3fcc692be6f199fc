/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The routines that Windows has, by the names of each kind of ref. Included three times: where they
 * are in-line, out of line, and tracked.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include <ex_rundown.h>

#include "outside.h"

static int basic_calls(void)
{
	struct ex_rundown_ref ref;

	ex_initialize_rundown_protection(&ref);
	WANT(ex_acquire_rundown_protection(&ref));
	WANT(ex_acquire_rundown_protection_ex(&ref, 3));
	ex_release_rundown_protection_ex(&ref, 2);
	ex_release_rundown_protection(&ref);
	ex_release_rundown_protection(&ref);
	ex_wait_for_rundown_protection_release(&ref);
	WANT(!ex_acquire_rundown_protection(&ref));
	WANT(!ex_acquire_rundown_protection_ex(&ref, 3));
	ex_reinitialize_rundown_protection(&ref);
	WANT(ex_acquire_rundown_protection(&ref));
	ex_rundown_start(&ref);
	/* The last release of a ref that is not live: the slow path. */
	ex_release_rundown_protection(&ref);
	ex_rundown_completed(&ref);
	return 0;
}

static int cache_aware_life(struct ex_rundown_ref_cache_aware *ref)
{
	WANT(ex_acquire_rundown_protection_cache_aware(ref));
	WANT(ex_acquire_rundown_protection_cache_aware_ex(ref, 3));
	ex_release_rundown_protection_cache_aware_ex(ref, 2);
	ex_release_rundown_protection_cache_aware(ref);
	ex_release_rundown_protection_cache_aware(ref);
	ex_wait_for_rundown_protection_release_cache_aware(ref);
	WANT(!ex_acquire_rundown_protection_cache_aware(ref));
	WANT(!ex_acquire_rundown_protection_cache_aware_ex(ref, 3));
	ex_reinitialize_rundown_protection_cache_aware(ref);
	WANT(ex_acquire_rundown_protection_cache_aware(ref));
	ex_rundown_start_cache_aware(ref);
	ex_release_rundown_protection_cache_aware(ref);
	ex_rundown_completed_cache_aware(ref);
	return 0;
}

static int cache_aware_calls(void)
{
	size_t size = ex_size_of_rundown_protection_cache_aware();
	struct ex_rundown_ref_cache_aware *allocated, *in_place, own;
	int error;

	allocated = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	WANT(allocated);
	error = cache_aware_life(allocated);
	if (error)
		return error;
	ex_free_cache_aware_rundown_protection(allocated);

	in_place = kzalloc(size, GFP_KERNEL);
	WANT(in_place);
	WANT(!ex_initialize_rundown_protection_cache_aware(in_place, size));
	error = cache_aware_life(in_place);
	if (error)
		return error;
	kfree(in_place);

	WANT(!ex_initialize_rundown_protection_cache_aware_ex(&own, EX_RUNDOWN_NO_IPI));
	error = cache_aware_life(&own);
	if (error)
		return error;
	ex_cleanup_rundown_protection_cache_aware(&own);
	return 0;
}
