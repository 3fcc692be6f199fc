// SPDX-License-Identifier: GPL-2.0
/* What is ours beyond Windows, by the names of each kind of ref. */
#include <linux/build_bug.h>
#include <linux/cpu.h>
#include <linux/device.h>
#include <linux/module.h>

/* These are the functions themselves. */
#define EX_RUNDOWN_NO_GENERIC
#include <ex_rundown.h>

#include "outside.h"

static struct ex_rundown_ref closed = EX_RUNDOWN_REF_INIT_RUN_DOWN;
static struct ex_rundown_ref counted = { .Count = EX_RUNDOWN_ACTIVE };
static struct ex_rundown_ref open = EX_RUNDOWN_REF_INIT;
DEFINE_EX_RUNDOWN_REF_CACHE_AWARE(outside_shared);
DEFINE_STATIC_EX_RUNDOWN_REF(private);
DEFINE_STATIC_EX_RUNDOWN_REF_RUN_DOWN(private_closed);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE_RUN_DOWN(aware_closed);

static_assert(EX_RUNDOWN_ACTIVE == EX_RUNDOWN_DEAD);
static_assert(EX_RUNDOWN_MAX_COUNT < EX_RUNDOWN_MAX_HELD);
/* What the in-line functions are made of. */
static_assert(EX_RUNDOWN_SLOT_LIVE >= 0 && EX_RUNDOWN_SLOT_ONE > 0);
static_assert(EX_RUNDOWN_TOKEN == 1 && EX_RUNDOWN_PLAIN_SLOTS == 1);
static_assert(EX_RUNDOWN_DEAD_BAND < 62 && EX_RUNDOWN_SLOT_DEAD != EX_RUNDOWN_SLOT_LIVE);
static_assert(EX_RUNDOWN_STATE_DOWN);

static struct ex_rundown_work work;
static bool called;

static void note_call(struct ex_rundown_work *done)
{
	called = true;
}

static int basic_beyond(void)
{
	struct ex_rundown_ref *refs[] = { &open, &closed };

	WANT(ex_rundown_is_complete(&closed) && ex_rundown_is_complete(&counted));
	WANT(!ex_rundown_is_active(&open));
	WANT(ex_rundown_is_complete(&private_closed) && !ex_rundown_is_active(&private));
	WANT(!ex_acquire_rundown_protection(&private_closed));
	ex_rundown_wait_many(refs, 2);
	WANT(ex_rundown_is_active(&open));
	WANT(ex_rundown_wait_timeout(&open, 7) == 7);
	WANT(!ex_rundown_wait_killable(&open));
	WANT(!ex_rundown_wait_interruptible(&open));
	ex_rundown_start(&open);
	ex_rundown_completed(&open);
	ex_rundown_start_async(&open, &work, note_call);
	ex_rundown_async_barrier();
	WANT(called);
	called = false;
	return 0;
}

static int cache_aware_beyond(void)
{
	struct ex_rundown_ref_cache_aware *ref = &outside_shared;

	WANT(ex_rundown_is_complete_cache_aware(&aware_closed));
	WANT(!ex_acquire_rundown_protection_cache_aware(&aware_closed));
	WANT(!ex_rundown_is_active_cache_aware(ref));
	ex_rundown_wait_many_cache_aware(&ref, 1);
	WANT(ex_rundown_is_complete_cache_aware(ref));
	cpus_read_lock();
	ex_rundown_reinitialize_cache_aware_cpuslocked(ref);
	ex_rundown_wait_cache_aware_cpuslocked(ref);
	cpus_read_unlock();
	WANT(ex_rundown_wait_timeout_cache_aware(ref, 7) == 7);
	WANT(!ex_rundown_wait_killable_cache_aware(ref));
	WANT(!ex_rundown_wait_interruptible_cache_aware(ref));
	ex_rundown_start_cache_aware(ref);
	ex_rundown_completed_cache_aware(ref);
	ex_rundown_start_async_cache_aware(ref, &work, note_call);
	ex_rundown_async_barrier();
	WANT(called);
	return 0;
}

/* Freed with what it is for. */
static int freed_beyond(void)
{
	struct device *device = root_device_register("outside");
	struct ex_rundown_ref_cache_aware *ref;

	WANT(!IS_ERR(device));
	ref = devm_ex_rundown_allocate_cache_aware(device);
	if (ref && ex_acquire_rundown_protection_cache_aware(ref))
		ex_release_rundown_protection_cache_aware(ref);
	root_device_unregister(device);
	WANT(ref);

	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	WANT(ref);
	ex_wait_for_rundown_protection_release_cache_aware(ref);
	ex_rundown_free_rcu_cache_aware(ref);
	return 0;
}

int outside_beyond(void)
{
	int error = basic_beyond();

	error = error ?: cache_aware_beyond();
	return error ?: freed_beyond();
}
