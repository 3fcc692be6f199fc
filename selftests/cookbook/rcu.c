// SPDX-License-Identifier: GPL-2.0
/*
 * Replacing an object under RCU lookup.
 *
 * Readers find the current settings under RCU, and use them for longer than an RCU read-side
 * critical section may last: they sleep. So RCU keeps the memory in which they ask for protection,
 * and protection, once granted, keeps the settings.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "ex_rundown.h"
#include "exercise.h"

struct settings {
	struct ex_rundown_ref_cache_aware *ref;
	struct rcu_head rcu;
	unsigned int low, high;		/* high is low + 1 */
};

static struct settings __rcu *current_settings;
static DEFINE_MUTEX(replacing);		/* who changes the pointer */

static atomic_long_t uses, wrong, none;

static struct settings *settings_get(void)
{
	struct settings *settings;

	rcu_read_lock();
	/* Refused: these were unpublished before their run-down began. Look again. */
	do {
		settings = rcu_dereference(current_settings);
	} while (settings && !ex_rundown_acquire(settings->ref));
	rcu_read_unlock();
	return settings;
}

static void settings_put(struct settings *settings)
{
	ex_rundown_release(settings->ref);
}

static struct settings *settings_new(unsigned int low)
{
	struct settings *settings = kzalloc(sizeof(*settings), GFP_KERNEL);

	if (!settings)
		return NULL;
	settings->ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	if (!settings->ref) {
		kfree(settings);
		return NULL;
	}
	settings->low = low;
	settings->high = low + 1;
	return settings;
}

/* Nobody uses the old ones when this returns. NULL: there are none from now on. */
static void settings_replace(struct settings *settings)
{
	struct settings *old;

	mutex_lock(&replacing);
	old = rcu_replace_pointer(current_settings, settings, lockdep_is_held(&replacing));
	mutex_unlock(&replacing);
	if (!old)
		return;
	ex_rundown_wait(old->ref);
	/* Not used any more: whatever they own may go at once. */
	old->high = 0;
	/* But found, by who looked before: those still ask the ref, and are refused. */
	ex_rundown_free_rcu_cache_aware(old->ref);
	kfree_rcu(old, rcu);
}

static int settings_renew(unsigned int low)
{
	struct settings *settings = settings_new(low);

	if (!settings)
		return -ENOMEM;
	settings_replace(settings);
	return 0;
}

static void use(void *unused)
{
	struct settings *settings = settings_get();

	if (!settings) {
		atomic_long_inc(&none);
		return;
	}
	if (settings->high != settings->low + 1)
		atomic_long_inc(&wrong);
	usleep_range(50, 100);
	if (READ_ONCE(settings->high) != settings->low + 1)
		atomic_long_inc(&wrong);
	settings_put(settings);
	atomic_long_inc(&uses);
}

static int __init replace_init(void)
{
	struct exercise readers = { .fn = use };
	unsigned int i;
	int error;

	error = settings_renew(0) ?: exercise_start(&readers);
	for (i = 1; !error && i <= 100; i++)
		error = settings_renew(i) ?: exercise_more(&uses, 5);
	/* Readers found some at all times, though the old ones refused them. */
	if (!error)
		error = expect(!atomic_long_read(&none));
	settings_replace(NULL);
	if (!error)
		error = exercise_more(&none, 1);
	exercise_stop(&readers);
	error = error ?: expect(!atomic_long_read(&wrong));
	if (error)
		return error;
	pr_info("%s: %ld uses over 100 replacements, none refused, none of old settings\n",
		KBUILD_MODNAME, atomic_long_read(&uses));
	return 0;
}

static void __exit replace_exit(void)
{
}

module_init(replace_init);
module_exit(replace_exit);
MODULE_DESCRIPTION("Run-down protection cookbook: replacing an object under RCU lookup");
MODULE_LICENSE("GPL");
