// SPDX-License-Identifier: GPL-2.0
/*
 * Guarding calls into a module that is going away.
 *
 * A registry, which stays, calls a provider, which may be unloaded at any time. Only the registry
 * acquires and releases, around the call and with a ref of its own: so when unregister returns,
 * nobody executes the provider's code, not even its last instruction, and nobody will.
 *
 * The two would be two modules; the registry's part is what they would include and export.
 */
#include <linux/module.h>
#include <linux/mutex.h>

#include "ex_rundown_scope.h"
#include "exercise.h"

/* The registry */

struct provider_ops {
	int (*answer)(int question);
};

/* Here, not in the provider: refused calls, too, write to the ref. */
DEFINE_STATIC_EX_RUNDOWN_REF_RUN_DOWN(provider_ref);
static const struct provider_ops *provider;	/* to be used under protection only */
static DEFINE_MUTEX(registering);

static int registry_ask(int question, int *answer)
{
	ex_with_rundown_protection(&provider_ref, return -ENOENT) {
		*answer = provider->answer(question);
	}
	/* Released here, in the registry's code, after the provider's has returned. */
	return 0;
}

static int registry_register(const struct provider_ops *ops)
{
	int error = -EBUSY;

	mutex_lock(&registering);
	if (!provider) {
		provider = ops;
		ex_rundown_reinitialize(&provider_ref);
		error = 0;
	}
	mutex_unlock(&registering);
	return error;
}

/* Not from within answer(), which it waits for. */
static void registry_unregister(const struct provider_ops *ops)
{
	mutex_lock(&registering);
	if (provider == ops) {
		ex_rundown_wait(&provider_ref);
		provider = NULL;
	}
	mutex_unlock(&registering);
}

/* The provider: its init registers; its exit unregisters, and then its code goes. */

static bool loaded;
static atomic_long_t calls, calls_after_unload;

static int provider_answer(int question)
{
	atomic_long_inc(&calls);
	if (!READ_ONCE(loaded))
		atomic_long_inc(&calls_after_unload);
	usleep_range(20, 40);
	if (!READ_ONCE(loaded))
		atomic_long_inc(&calls_after_unload);
	return question + 1;
}

static const struct provider_ops ops = { .answer = provider_answer };

static int provider_load(void)
{
	WRITE_ONCE(loaded, true);
	return registry_register(&ops);
}

static void provider_unload(void)
{
	registry_unregister(&ops);
	WRITE_ONCE(loaded, false);
}

static atomic_long_t answered, refused;

static void ask(void *unused)
{
	int answer = 0;

	if (registry_ask(41, &answer))
		atomic_long_inc(&refused);
	else if (answer == 42)
		atomic_long_inc(&answered);
}

static int __init registry_init(void)
{
	struct exercise callers = { .fn = ask };
	int error, i;

	error = exercise_start(&callers);
	for (i = 0; !error && i < 50; i++) {
		error = provider_load() ?: exercise_more(&answered, 10);
		provider_unload();
		if (!error)
			error = exercise_more(&refused, 2);
	}
	exercise_stop(&callers);
	error = error ?: expect(atomic_long_read(&answered) == atomic_long_read(&calls)) ?:
		expect(!atomic_long_read(&calls_after_unload));
	if (error)
		return error;
	pr_info("%s: %ld calls, %ld refused, none into a provider that was unloaded\n",
		KBUILD_MODNAME, atomic_long_read(&answered), atomic_long_read(&refused));
	return 0;
}

static void __exit registry_exit(void)
{
}

module_init(registry_init);
module_exit(registry_exit);
MODULE_DESCRIPTION("Run-down protection cookbook: calls into a module that is going away");
MODULE_LICENSE("GPL");
