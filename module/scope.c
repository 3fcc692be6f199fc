// SPDX-License-Identifier: GPL-2.0
/*
 * Scopes, as lockdep sees them: who holds protection in a scope is a reader that did not wait (an
 * acquire is refused instead), and a wait is a writer. So holding protection while taking a mutex
 * that somebody holds across the wait is a circle, and lockdep says so before anybody is caught in
 * it.
 *
 * A ref has no room for lockdep's part. It is kept here, from the first scope on a ref to the end
 * of its run-down, under the ref's address; its class is the place in the code of that scope. If
 * there is no room for one more, the scope goes unseen.
 *
 * Everything is lock-free: scopes may be entered in any context.
 */
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/notifier.h>

#include "ex_rundown_scope.h"
#include "scope.h"

#ifdef CONFIG_DEBUG_LOCK_ALLOC

#define EX_SCOPE_HOMES_SHIFT	6
#define EX_SCOPE_WAYS		8

/* In ref: that the entry is being made. */
#define EX_SCOPE_BUSY		1L

struct ex_scope_entry {
	atomic_long_t ref;
	struct lockdep_map map;
};

static struct ex_scope_entry entries[1 << EX_SCOPE_HOMES_SHIFT][EX_SCOPE_WAYS];

/* Two who enter at once may both have made one: @at is where to begin. */
static struct ex_scope_entry *ex_scope_find(const void *ref, unsigned int *at)
{
	struct ex_scope_entry *home = entries[hash_ptr(ref, EX_SCOPE_HOMES_SHIFT)];

	while (*at < EX_SCOPE_WAYS) {
		struct ex_scope_entry *entry = &home[(*at)++];

		if (atomic_long_read_acquire(&entry->ref) == (long)ref)
			return entry;
	}
	return NULL;
}

static struct ex_scope_entry *ex_scope_make(const void *ref, struct lock_class_key *kind)
{
	struct ex_scope_entry *home = entries[hash_ptr(ref, EX_SCOPE_HOMES_SHIFT)];
	unsigned int i;

	for (i = 0; i < EX_SCOPE_WAYS; i++) {
		if (atomic_long_cmpxchg(&home[i].ref, 0, EX_SCOPE_BUSY))
			continue;
		lockdep_init_map(&home[i].map, "ex_rundown", kind, 0);
		atomic_long_set_release(&home[i].ref, (long)ref);
		return &home[i];
	}
	return NULL;
}

/* Protection was granted, and will be released at the end of the scope. */
void __ex_rundown_scope_begin(const void *ref, struct lock_class_key *kind, unsigned long caller)
{
	unsigned int at = 0;
	struct ex_scope_entry *entry = ex_scope_find(ref, &at);

	if (!entry)
		entry = ex_scope_make(ref, kind);
	if (entry)
		lock_acquire(&entry->map, 0, 1, 2, 1, NULL, caller);
}
EXPORT_SYMBOL_GPL(__ex_rundown_scope_begin);

/* Before the release, which may be the ref's end. */
void __ex_rundown_scope_end(const void *ref, unsigned long caller)
{
	struct ex_scope_entry *entry;
	unsigned int at = 0;

	while ((entry = ex_scope_find(ref, &at))) {
		if (lock_is_held(&entry->map)) {
			lock_release(&entry->map, caller);
			return;
		}
	}
}
EXPORT_SYMBOL_GPL(__ex_rundown_scope_end);

/**
 * ex_scope_waits() - somebody is going to wait until nobody holds the ref
 * @ref:    the ref
 * @caller: who
 *
 * Context: Task.
 */
void ex_scope_waits(const void *ref, unsigned long caller)
{
	struct ex_scope_entry *entry;
	unsigned int at = 0;

	while ((entry = ex_scope_find(ref, &at))) {
		lock_acquire(&entry->map, 0, 0, 0, 1, NULL, caller);
		lock_release(&entry->map, caller);
	}
}

/**
 * ex_scope_forget() - nobody is in a scope on the ref, and it may be gone soon
 * @ref: the ref
 *
 * Context: Any.
 */
void ex_scope_forget(const void *ref)
{
	struct ex_scope_entry *entry;
	unsigned int at = 0;

	while ((entry = ex_scope_find(ref, &at)))
		atomic_long_cmpxchg(&entry->ref, (long)ref, 0);
}

/* A kind is in the memory of the module that has the scope. */
static int ex_scope_module(struct notifier_block *block, unsigned long state, void *data)
{
	struct ex_scope_entry *entry = &entries[0][0];
	struct module *module = data;

	if (state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	for (; entry < &entries[0][0] + sizeof(entries) / sizeof(*entry); entry++) {
		long ref = atomic_long_read_acquire(&entry->ref);

		if (ref & ~EX_SCOPE_BUSY && within_module((unsigned long)entry->map.key, module))
			atomic_long_cmpxchg(&entry->ref, ref, 0);
	}
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
