// SPDX-License-Identifier: GPL-2.0
/* By the names that serve both kinds of ref: the same text for each. */
#include <linux/cpu.h>
#include <linux/module.h>

#include <ex_rundown.h>

#include "outside.h"

static DEFINE_EX_RUNDOWN_REF(basic);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(cache_aware);
static struct ex_rundown_work work;
static int calls;

static void count_call(struct ex_rundown_work *done)
{
	calls++;
}

#define USE(type, name)								\
static int use_##name(void)							\
{										\
	struct type *ref = &(name), *refs[] = { ref, ref };			\
	const struct type *seen = ref;						\
										\
	WANT(ex_rundown_acquire(ref));						\
	WANT(ex_rundown_acquire_n(ref, 2));					\
	ex_rundown_release_n(ref, 2);						\
	WANT(!ex_rundown_is_active(ref) && !ex_rundown_is_complete(ref));	\
	WANT(ex_rundown_wait_timeout(ref, 1) == 0);				\
	WANT(ex_rundown_is_active(seen) && !ex_rundown_is_complete(seen));	\
	WANT(!ex_rundown_acquire(ref));						\
	ex_rundown_release(ref);						\
	WANT(ex_rundown_is_complete(seen));					\
	ex_rundown_wait(ref);							\
	WANT(!ex_rundown_wait_killable(ref));					\
	WANT(!ex_rundown_wait_interruptible(ref));				\
	ex_rundown_reinitialize(ref);						\
	WANT(!ex_rundown_is_active(ref));					\
	cpus_read_lock();							\
	ex_rundown_wait_cpuslocked(ref);					\
	ex_rundown_reinitialize_cpuslocked(ref);				\
	cpus_read_unlock();							\
	ex_rundown_wait_many(refs, 2);						\
	WANT(ex_rundown_is_complete(ref));					\
	ex_rundown_reinitialize(ref);						\
	ex_rundown_start(ref);							\
	WANT(ex_rundown_is_complete(ref));					\
	ex_rundown_completed(ref);						\
	ex_rundown_reinitialize(ref);						\
	ex_rundown_start_async(ref, &work, count_call);				\
	ex_rundown_async_barrier();						\
	WANT(ex_rundown_is_complete(ref));					\
	return 0;								\
}

USE(ex_rundown_ref, basic)
USE(ex_rundown_ref_cache_aware, cache_aware)

int outside_generic(void)
{
	int error = use_basic();

	error = error ?: use_cache_aware();
	WANT(error || calls == 2);
	return error;
}
