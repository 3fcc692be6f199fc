// SPDX-License-Identifier: GPL-2.0
/*
 * Scopes, as lockdep sees them: who holds protection in a scope is a reader that did not wait (an
 * acquire is refused instead), and a wait is a writer. So holding protection while taking a mutex
 * that somebody holds across the wait is a circle, and lockdep says so before anybody is caught in
 * it.
 *
 * Lockdep's part of a scope belongs to its place in the code, not to the ref, which has no room for
 * it. What is kept here is which places a ref has been in, from the first scope to the end of the
 * run-down: a wait is a writer to all of them. If there is no room for one more, waits for that ref
 * do not know of that place.
 *
 * Everything is lock-free: scopes may be entered in any context.
 */
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/preempt.h>

#include "ex_rundown_scope.h"
#include "scope.h"

#ifdef CONFIG_DEBUG_LOCK_ALLOC

#define EX_SCOPE_SHIFT	11
#define EX_SCOPE_NEAR	16

/* In ref: that the entry is being made. */
#define EX_SCOPE_BUSY	1L

struct ex_scope_entry {
	atomic_long_t ref;
	struct lockdep_map *place;
};

/* A ref's entries are among the EX_SCOPE_NEAR from where its hash is. */
static struct ex_scope_entry entries[(1 << EX_SCOPE_SHIFT) + EX_SCOPE_NEAR];

static struct ex_scope_entry *ex_scope_near(const void *ref, unsigned int i)
{
	return &entries[hash_ptr(ref, EX_SCOPE_SHIFT) + i];
}

static bool ex_scope_is_of(struct ex_scope_entry *entry, const void *ref)
{
	return atomic_long_read_acquire(&entry->ref) == (long)ref;
}

/* Two who enter at once may both add it, which does no harm. */
static void ex_scope_remember(const void *ref, struct lockdep_map *place)
{
	struct ex_scope_entry *entry;
	unsigned int i;

	for (i = 0; i < EX_SCOPE_NEAR; i++) {
		entry = ex_scope_near(ref, i);
		if (ex_scope_is_of(entry, ref) && READ_ONCE(entry->place) == place)
			return;
	}
	for (i = 0; i < EX_SCOPE_NEAR; i++) {
		entry = ex_scope_near(ref, i);
		if (atomic_long_cmpxchg(&entry->ref, 0, EX_SCOPE_BUSY))
			continue;
		WRITE_ONCE(entry->place, place);
		atomic_long_set_release(&entry->ref, (long)ref);
		return;
	}
}

/* Protection was granted, and will be released at the end of the scope. */
void __ex_rundown_scope_begin(const void *ref, struct lockdep_map *place, unsigned long caller)
{
	ex_scope_remember(ref, place);
	lock_acquire(place, 0, 1, 2, 1, NULL, caller);
}
EXPORT_SYMBOL_GPL(__ex_rundown_scope_begin);

/* Before the release, which may be the ref's end. */
void __ex_rundown_scope_end(struct lockdep_map *place, unsigned long caller)
{
	lock_release(place, caller);
}
EXPORT_SYMBOL_GPL(__ex_rundown_scope_end);

/**
 * ex_scope_waits() - somebody is going to wait until nobody holds the ref
 * @ref:    the ref
 * @caller: who
 *
 * One who is in a scope of the same place may well wait: for a child of the object, say. That it is
 * for the very same object is left to the report of long waits.
 *
 * Context: Task.
 */
void ex_scope_waits(const void *ref, unsigned long caller)
{
	unsigned int i;

	/* With preemption off: no module that the place is in goes away meanwhile. */
	preempt_disable();
	for (i = 0; i < EX_SCOPE_NEAR; i++) {
		struct ex_scope_entry *entry = ex_scope_near(ref, i);
		struct lockdep_map *place;

		if (!ex_scope_is_of(entry, ref))
			continue;
		place = READ_ONCE(entry->place);
		/* Unless it became another ref's between the two. */
		smp_rmb();
		if (atomic_long_read(&entry->ref) != (long)ref || lock_is_held(place))
			continue;
		lock_acquire(place, 0, 0, 0, 1, NULL, caller);
		lock_release(place, caller);
	}
	preempt_enable();
}

/**
 * ex_scope_forget() - nobody is in a scope on the ref, and it may be gone soon
 * @ref: the ref
 *
 * Context: Any.
 */
void ex_scope_forget(const void *ref)
{
	unsigned int i;

	for (i = 0; i < EX_SCOPE_NEAR; i++) {
		struct ex_scope_entry *entry = ex_scope_near(ref, i);

		if (ex_scope_is_of(entry, ref))
			atomic_long_cmpxchg(&entry->ref, (long)ref, 0);
	}
}

/* A place is in the memory of the module that has the scope, and nobody is in that any more. */
static int ex_scope_module(struct notifier_block *block, unsigned long state, void *data)
{
	struct module *module = data;
	int i;

	if (state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		long ref = atomic_long_read_acquire(&entries[i].ref);

		if (ref & ~EX_SCOPE_BUSY &&
		    within_module((unsigned long)READ_ONCE(entries[i].place), module))
			atomic_long_cmpxchg(&entries[i].ref, ref, 0);
	}
	/* Before its memory goes, there is a grace period for waits that have found a place. */
	return NOTIFY_OK;
}

static struct notifier_block ex_scope_modules = { .notifier_call = ex_scope_module };

int ex_scope_init(void)
{
	return register_module_notifier(&ex_scope_modules);
}

void ex_scope_exit(void)
{
	unregister_module_notifier(&ex_scope_modules);
}

#endif /* CONFIG_DEBUG_LOCK_ALLOC */
