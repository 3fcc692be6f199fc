// SPDX-License-Identifier: GPL-2.0
/*
 * Tearing down a thousand objects.
 *
 * A wait on a cache-aware ref interrupts every CPU. Of a thousand, one after the other, that is a
 * thousand rounds; ex_rundown_wait_many() does one for them all.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "ex_rundown_scope.h"
#include "exercise.h"

#define SESSIONS	1000

struct session {
	atomic_long_t requests;
};

/*
 * The refs in an array of their own, as the wait takes them: to tear down must not need memory. And
 * they outlive the sessions: who is refused has asked them.
 */
static struct ex_rundown_ref_cache_aware *refs[SESSIONS];
static struct session *sessions[SESSIONS];

static atomic_long_t requests, refused;

static int session_request(unsigned int id)
{
	ex_with_rundown_protection(refs[id], return -ESHUTDOWN) {
		atomic_long_inc(&sessions[id]->requests);
	}
	return 0;
}

/* Refuse requests to any of them, let those in progress end, and free them all. */
static long sessions_close(void)
{
	long served = 0;
	unsigned int id;

	ex_rundown_wait_many(refs, SESSIONS);
	for (id = 0; id < SESSIONS; id++) {
		served += atomic_long_read(&sessions[id]->requests);
		kfree(sessions[id]);
		sessions[id] = NULL;
	}
	return served;
}

/* When nobody asks any more. What is not there is no matter. */
static void sessions_free(void)
{
	unsigned int id;

	for (id = 0; id < SESSIONS; id++) {
		kfree(sessions[id]);
		ex_free_cache_aware_rundown_protection(refs[id]);
	}
}

static int sessions_open(void)
{
	unsigned int id;

	for (id = 0; id < SESSIONS; id++) {
		sessions[id] = kzalloc(sizeof(*sessions[id]), GFP_KERNEL);
		refs[id] = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
		if (!sessions[id] || !refs[id]) {
			sessions_free();
			return -ENOMEM;
		}
	}
	return 0;
}

static void request_some(void *unused)
{
	unsigned int id;

	for (id = 0; id < SESSIONS; id += 10) {
		if (session_request(id))
			atomic_long_inc(&refused);
		else
			atomic_long_inc(&requests);
	}
}

static int __init thousand_init(void)
{
	struct exercise clients = { .fn = request_some };
	ktime_t begun, ended;
	long served;
	int error;

	error = sessions_open();
	if (error)
		return error;
	error = exercise_start(&clients) ?: exercise_more(&requests, 10000);
	begun = ktime_get();
	served = sessions_close();
	ended = ktime_get();
	if (!error)
		error = exercise_more(&refused, SESSIONS);
	exercise_stop(&clients);
	sessions_free();
	/* All that was granted came before the wait's return. */
	error = error ?: expect(served == atomic_long_read(&requests));
	if (error)
		return error;
	pr_info("%s: %ld requests served, then %d sessions closed in %lld us\n", KBUILD_MODNAME,
		served, SESSIONS, ktime_us_delta(ended, begun));
	return 0;
}

static void __exit thousand_exit(void)
{
}

module_init(thousand_init);
module_exit(thousand_exit);
MODULE_DESCRIPTION("Run-down protection cookbook: tearing down a thousand objects");
MODULE_LICENSE("GPL");
