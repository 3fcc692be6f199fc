// SPDX-License-Identifier: GPL-2.0
/*
 * Stopping and restarting a data path.
 *
 * Packets are sent from any context on any CPU, at any time; the ring that they go to is there only
 * while the path is up, and another one each time. The path starts run down, is opened by
 * reinitialize, and stops by a wait.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "ex_rundown_scope.h"
#include "exercise.h"

struct ring {
	atomic_t head;
	unsigned int size;
	u32 packets[];
};

/* Cache-aware: all CPUs send. */
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE_RUN_DOWN(path);
static struct ring *ring;		/* to be used under protection of path only */
static DEFINE_MUTEX(control);		/* starts and stops; no sender takes it */

static atomic_long_t sent, refused;

/* Any context. */
static int path_send(u32 packet)
{
	ex_with_rundown_protection(&path, return -ENETDOWN) {
		unsigned int at = atomic_inc_return(&ring->head);

		WRITE_ONCE(ring->packets[at % ring->size], packet);
	}
	return 0;
}

static int path_start(unsigned int size)
{
	struct ring *fresh = kvzalloc(struct_size(fresh, packets, size), GFP_KERNEL);

	if (!fresh)
		return -ENOMEM;
	fresh->size = size;

	mutex_lock(&control);
	if (ring) {
		mutex_unlock(&control);
		kvfree(fresh);
		return -EBUSY;
	}
	ring = fresh;
	/* Senders that are granted protection from here on see the ring. */
	ex_rundown_reinitialize(&path);
	mutex_unlock(&control);
	return 0;
}

/* Return how many packets went to the ring: nobody adds to it after the wait. */
static long path_stop(void)
{
	struct ring *stopped;
	long packets = 0;

	mutex_lock(&control);
	ex_rundown_wait(&path);
	stopped = ring;
	ring = NULL;
	mutex_unlock(&control);

	if (stopped)
		packets = atomic_read(&stopped->head);
	kvfree(stopped);
	return packets;
}

static void send(void *unused)
{
	if (path_send(0x7061636b))
		atomic_long_inc(&refused);
	else
		atomic_long_inc(&sent);
}

static int __init datapath_init(void)
{
	struct exercise senders = { .fn = send };
	long in_rings = 0;
	int error, i;

	error = expect(path_send(0) == -ENETDOWN) ?: exercise_start(&senders);
	for (i = 1; !error && i <= 50; i++) {
		error = path_start(16 * i) ?: exercise_more(&sent, 20);
		in_rings += path_stop();
		if (!error)
			error = exercise_more(&refused, 1);
	}
	exercise_stop(&senders);
	/* No packet went to a ring that had been stopped, or was not there yet. */
	error = error ?: expect(in_rings == atomic_long_read(&sent));
	if (error)
		return error;
	pr_info("%s: %ld packets sent over 50 restarts, %ld met a path that was down\n",
		KBUILD_MODNAME, atomic_long_read(&sent), atomic_long_read(&refused));
	return 0;
}

static void __exit datapath_exit(void)
{
	path_stop();
}

module_init(datapath_init);
module_exit(datapath_exit);
MODULE_DESCRIPTION("Run-down protection cookbook: stopping and restarting a data path");
MODULE_LICENSE("GPL");
