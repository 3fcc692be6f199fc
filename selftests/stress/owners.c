// SPDX-License-Identifier: GPL-2.0
/* Threads that run objects down, and make new ones. */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kcsan-checks.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "stress.h"

#define STRESS_MAX_OWNERS	8U

static struct stress_object *object_create(struct stress_run *run)
{
	struct stress_object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (object)
		object->stamp = 2 * (unsigned long)atomic_long_inc_return(&run->stamps) + 1;
	return object;
}

/* Holders of a broken ref go on to look at it: it is kept until they have ended. */
static void object_destroy(struct stress_run *run, struct stress_object *object,
			   struct stress_object **graveyard)
{
	if (run->settings.ops->kind == STRESS_BROKEN) {
		object->next = *graveyard;
		*graveyard = object;
		return;
	}
	/* Not only poisoned: nobody looks at it at all, says KCSAN. And KASAN when it is freed. */
	ASSERT_EXCLUSIVE_ACCESS(object->stamp);
	kfree(object);
}

static void graveyard_clear(struct stress_object *graveyard)
{
	while (graveyard) {
		struct stress_object *next = graveyard->next;

		kfree(graveyard);
		graveyard = next;
	}
}

/* While nobody holds protection, or it is broken: the grant and the release order this. */
static void ref_set_object(struct stress_run *run, struct stress_ref *ref,
			   struct stress_object *object)
{
	if (run->settings.ops->kind == STRESS_BROKEN)
		WRITE_ONCE(ref->object, object);
	else
		ref->object = object;
}

/* Live, with an object. */
static struct stress_ref *ref_create(struct stress_run *run, unsigned int index)
{
	struct stress_ref *ref = kzalloc(sizeof(*ref), GFP_KERNEL);

	if (!ref)
		return NULL;
	ref->index = index;
	ref->object = object_create(run);
	if (ref->object && !run->settings.ops->create(ref))
		return ref;
	kfree(ref->object);
	kfree(ref);
	return NULL;
}

static struct stress_ref *place_ref(struct stress_place *place)
{
	/* The owner alone changes it. */
	return rcu_dereference_protected(place->ref, true);
}

/* A ref that lies in what is freed: unpublished, run down, freed after a grace period. */
static bool replace_ref(struct stress_run *run, struct stress_place *place,
			struct stress_ref *ref)
{
	struct stress_ref *fresh = ref_create(run, ref->index);

	if (!fresh)
		return false;
	rcu_assign_pointer(place->ref, NULL);
	synchronize_rcu();
	run->settings.ops->destroy(ref);
	kfree(ref->object);
	kfree(ref);
	rcu_assign_pointer(place->ref, fresh);
	stress_count(run, replaced);
	return true;
}

static void reopen(struct stress_run *run, struct stress_owner *owner, struct stress_ref *ref)
{
	struct stress_object *old = ref->object, *fresh = object_create(run);

	if (!fresh) {
		/* The old one once more; a little odd for a stress test, but live. */
		WRITE_ONCE(old->stamp,
			   2 * (unsigned long)atomic_long_inc_return(&run->stamps) + 1);
	} else {
		ref_set_object(run, ref, fresh);
		object_destroy(run, old, &owner->graveyard);
	}
	run->settings.ops->reinitialize(ref);
	stress_count(run, reinitialized);
}

/* One life's end, and the next one's beginning. */
static void owner_cycle(struct stress_owner *owner, struct stress_place *place)
{
	struct stress_run *run = owner->run;
	const struct stress_ops *ops = run->settings.ops;
	u32 random = prandom_u32_state(&owner->random);
	struct stress_ref *ref = place_ref(place);
	bool locked = random & 1;
	unsigned int i;
	u64 start_ns;

	if (locked)
		mutex_lock(&place->mutex);
	for (i = 0; i + 1 < run->settings.waiters; i++) {
		owner->waiters[i].place = place;
		owner->waiters[i].ref = ref;
		complete(&owner->waiters[i].go);
	}
	start_ns = ktime_get_ns();
	ops->wait(ref);
	stress_add_latency(run, ktime_get_ns() - start_ns);
	stress_check_run_down(run, place, ref);
	stress_count(run, rundowns);
	/* Freeing and reinitializing is for after all waits have returned. */
	for (i = 0; i + 1 < run->settings.waiters; i++)
		wait_for_completion(&owner->waiters[i].done);
	if (locked) {
		stress_count(run, mutex_waits);
		mutex_unlock(&place->mutex);
	}

	/* No effect, on what is run down. */
	if (random & 2)
		ops->wait(ref);
	if (random & 4 && ops->completed)
		ops->completed(ref);
	/* Refuse for a while. */
	if (random & 8)
		usleep_range(20, 20 + random % 200);

	if (!ops->replaceable || random & 0xf0 || !replace_ref(run, place, ref))
		reopen(run, owner, ref);
}

static void live_for(struct stress_run *run, u32 random)
{
	unsigned long us = 1 + random % run->settings.live_us;

	/* A sleep that can be cut short by the end of the run. */
	if (us < 20 * USEC_PER_MSEC)
		usleep_range(us, us + 50);
	else
		schedule_timeout_interruptible(usecs_to_jiffies(us));
}

static int owner_thread(void *arg)
{
	struct stress_owner *owner = arg;
	struct stress_run *run = owner->run;
	unsigned int i = owner->first;

	while (!kthread_should_stop()) {
		if (stress_stopped(run)) {
			schedule_timeout_interruptible(1);
			continue;
		}
		live_for(run, prandom_u32_state(&owner->random));
		owner_cycle(owner, &run->places[i]);
		i += run->nr_owners;
		if (i >= run->settings.refs)
			i = owner->first;
	}
	return 0;
}

static int waiter_thread(void *arg)
{
	struct stress_waiter *waiter = arg;
	struct stress_run *run = waiter->run;

	while (!kthread_should_stop()) {
		if (wait_for_completion_interruptible(&waiter->go))
			continue;
		if (!waiter->place) {
			schedule_timeout_interruptible(1);
			continue;
		}
		run->settings.ops->wait(waiter->ref);
		stress_check_run_down(run, waiter->place, waiter->ref);
		complete(&waiter->done);
	}
	return 0;
}

static int waiters_create(struct stress_owner *owner)
{
	struct stress_run *run = owner->run;
	unsigned int i, n = run->settings.waiters - 1;
	struct task_struct *thread;

	if (!n)
		return 0;
	owner->waiters = kcalloc(n, sizeof(*owner->waiters), GFP_KERNEL);
	if (!owner->waiters)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct stress_waiter *waiter = &owner->waiters[i];

		waiter->run = run;
		init_completion(&waiter->go);
		init_completion(&waiter->done);
		thread = kthread_create(waiter_thread, waiter, "stress/waiter%u.%u", owner->first,
					i);
		if (IS_ERR(thread))
			return PTR_ERR(thread);
		waiter->thread = thread;
	}
	return 0;
}

int stress_owners_create(struct stress_run *run)
{
	struct task_struct *thread;
	unsigned int i;
	int error;

	run->nr_owners = min(run->settings.refs, STRESS_MAX_OWNERS);
	run->owners = kcalloc(run->nr_owners, sizeof(*run->owners), GFP_KERNEL);
	if (!run->owners)
		return -ENOMEM;
	for (i = 0; i < run->nr_owners; i++) {
		struct stress_owner *owner = &run->owners[i];

		owner->run = run;
		owner->first = i;
		prandom_seed_state(&owner->random, ~run->settings.seed - i);
		error = waiters_create(owner);
		if (error)
			return error;
		thread = kthread_create(owner_thread, owner, "stress/owner%u", i);
		if (IS_ERR(thread))
			return PTR_ERR(thread);
		owner->thread = thread;
	}
	return 0;
}

void stress_owners_wake(struct stress_run *run)
{
	unsigned int i, j;

	for (i = 0; i < run->nr_owners; i++) {
		for (j = 0; j + 1 < run->settings.waiters; j++)
			wake_up_process(run->owners[i].waiters[j].thread);
		wake_up_process(run->owners[i].thread);
	}
}

static void waiters_destroy(struct stress_owner *owner)
{
	unsigned int i;

	if (!owner->waiters)
		return;
	for (i = 0; i + 1 < owner->run->settings.waiters; i++) {
		struct stress_waiter *waiter = &owner->waiters[i];

		if (!waiter->thread)
			continue;
		waiter->place = NULL;
		complete_all(&waiter->go);
		kthread_stop(waiter->thread);
	}
	kfree(owner->waiters);
}

/* No holder is left, so no wait lasts. */
void stress_owners_destroy(struct stress_run *run)
{
	unsigned int i;

	if (!run->owners)
		return;
	for (i = 0; i < run->nr_owners; i++) {
		struct stress_owner *owner = &run->owners[i];

		if (owner->thread)
			kthread_stop(owner->thread);
		if (owner->run)
			waiters_destroy(owner);
		graveyard_clear(owner->graveyard);
	}
	kfree(run->owners);
	run->owners = NULL;
}

int stress_places_create(struct stress_run *run)
{
	unsigned int i;

	run->places = kvcalloc(run->settings.refs, sizeof(*run->places), GFP_KERNEL);
	if (!run->places)
		return -ENOMEM;
	for (i = 0; i < run->settings.refs; i++) {
		struct stress_place *place = &run->places[i];
		struct stress_ref *ref;

		mutex_init(&place->mutex);
		place->held = alloc_percpu(long);
		if (!place->held)
			return -ENOMEM;
		ref = ref_create(run, i);
		if (!ref)
			return -ENOMEM;
		rcu_assign_pointer(place->ref, ref);
	}
	return 0;
}

/* Everybody has ended. One last time. */
void stress_places_finish(struct stress_run *run)
{
	unsigned int i;

	for (i = 0; i < run->settings.refs; i++) {
		struct stress_place *place = &run->places[i];
		struct stress_ref *ref = place_ref(place);

		run->settings.ops->wait(ref);
		stress_check_run_down(run, place, ref);
	}
}

/* The refs are run down, or nobody ever used them. */
void stress_places_destroy(struct stress_run *run)
{
	unsigned int i;

	if (!run->places)
		return;
	for (i = 0; i < run->settings.refs; i++) {
		struct stress_place *place = &run->places[i];
		struct stress_ref *ref = place_ref(place);

		if (ref) {
			run->settings.ops->wait(ref);
			run->settings.ops->destroy(ref);
			kfree(ref->object);
			kfree(ref);
		}
		free_percpu(place->held);
	}
	kvfree(run->places);
	run->places = NULL;
}
