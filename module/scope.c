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
 * do not know of that place, and the log says so once.
 *
 * Everything is lock-free: scopes may be entered in any context.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/preempt.h>
#include <linux/printk.h>

#include "ex_rundown_scope.h"
#include "scope.h"

#ifdef CONFIG_DEBUG_LOCK_ALLOC

#define EX_SCOPE_SHIFT	11
#define EX_SCOPE_NEAR	16

/* In ref: that the entry is being made. */
#define EX_SCOPE_BUSY	1L

struct ex_scope_entry {
	atomic_long_t ref;
	struct ex_rundown_place *place;
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

/*
 * Is the place in one of the first @before entries where the ref's may be? If not, @unused gets the
 * first of them that is unused, @before if none is.
 */
static bool ex_scope_is_known(const void *ref, struct ex_rundown_place *place, unsigned int before,
			      unsigned int *unused)
{
	unsigned int i;

	*unused = before;
	for (i = 0; i < before; i++) {
		struct ex_scope_entry *entry = ex_scope_near(ref, i);
		long user = atomic_long_read_acquire(&entry->ref);

		if (user == (long)ref && READ_ONCE(entry->place) == place)
			return true;
		if (!user && *unused == before)
			*unused = i;
	}
	return false;
}

/* Reported, and no module has gone since, which would have made room. */
static atomic_t no_room_reported;

/* Scopes may be entered with the run queue's lock held, say, where printing may deadlock. */
static struct irq_work no_room_work;
static const void *no_room_ref;
static unsigned long no_room_caller;

static void ex_scope_print_no_room(struct irq_work *work)
{
	pr_warn("rundown: lockdep: no room to remember that ref %p is held at %pS: deadlocks may go unreported from now on\n",
		no_room_ref, (void *)no_room_caller);
}

static void ex_scope_no_room(const void *ref, unsigned long caller)
{
	/* A CPU that is not online does not run irq_work: then the next one reports it. */
	if (atomic_read(&no_room_reported) || !cpu_online(raw_smp_processor_id()) ||
	    atomic_xchg(&no_room_reported, 1))
		return;
	no_room_ref = ref;
	no_room_caller = caller;
	irq_work_queue(&no_room_work);
}

static void ex_scope_remember(const void *ref, struct ex_rundown_place *place,
			      unsigned long caller)
{
	struct ex_scope_entry *entry;
	unsigned int i, unused;

	if (ex_scope_is_known(ref, place, EX_SCOPE_NEAR, &i))
		return;
	/* Read first: an exchange that fails costs as much as one that succeeds. */
	for (; i < EX_SCOPE_NEAR; i++) {
		entry = ex_scope_near(ref, i);
		if (!atomic_long_read(&entry->ref) &&
		    !atomic_long_cmpxchg(&entry->ref, 0, EX_SCOPE_BUSY))
			break;
	}
	if (i == EX_SCOPE_NEAR) {
		ex_scope_no_room(ref, caller);
		return;
	}
	WRITE_ONCE(entry->place, place);
	atomic_long_set_release(&entry->ref, (long)ref);
	/*
	 * Pairs with ex_scope_module(): either that finds the entry, or its module is seen going
	 * here, or, as its parameters are freed, gone. And of two who add the same at once, one
	 * mostly sees the other; it is no harm if it is there twice.
	 */
	smp_mb();
	if ((place->owner && READ_ONCE(place->owner->state) >= MODULE_STATE_GOING) ||
	    ex_scope_is_known(ref, place, i, &unused))
		atomic_long_cmpxchg(&entry->ref, (long)ref, 0);
}

/* Protection was granted, and will be released at the end of the scope. */
void __ex_rundown_scope_begin(const void *ref, struct ex_rundown_place *place, unsigned long caller)
{
	ex_scope_remember(ref, place, caller);
	lock_acquire(&place->map, 0, 1, 2, 1, NULL, caller);
}
EXPORT_SYMBOL_GPL(__ex_rundown_scope_begin);

/* Before the release, which may be the ref's end. */
void __ex_rundown_scope_end(struct ex_rundown_place *place, unsigned long caller)
{
	lock_release(&place->map, caller);
}
EXPORT_SYMBOL_GPL(__ex_rundown_scope_end);

static unsigned int ex_scope_places(const void *ref, struct ex_rundown_place **places)
{
	unsigned int i, count = 0;

	for (i = 0; i < EX_SCOPE_NEAR; i++) {
		struct ex_scope_entry *entry = ex_scope_near(ref, i);

		if (!ex_scope_is_of(entry, ref))
			continue;
		places[count] = READ_ONCE(entry->place);
		/* Unless it became another ref's between the two. */
		smp_rmb();
		if (atomic_long_read(&entry->ref) == (long)ref)
			count++;
	}
	return count;
}

/**
 * ex_scope_waits() - somebody is going to wait until nobody holds the ref
 * @ref:    the ref
 * @caller: who
 *
 * A task inside a scope may wait for another object of the same class, such as a child: then
 * lockdep is not told of the wait. If it is for the very same object, the report of long waits says
 * so.
 *
 * Context: Task.
 */
void ex_scope_waits(const void *ref, unsigned long caller)
{
	struct ex_rundown_place *places[EX_SCOPE_NEAR];
	unsigned int i, count;

	/* With preemption off: no module that a place is in goes away meanwhile. */
	preempt_disable();
	count = ex_scope_places(ref, places);
	for (i = 0; i < count; i++)
		if (lock_is_held(&places[i]->map))
			goto out;
	for (i = 0; i < count; i++) {
		lock_acquire(&places[i]->map, 0, 0, 0, 1, NULL, caller);
		lock_release(&places[i]->map, caller);
	}
out:
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

/*
 * A place is in the memory of the module that has the scope. Its parameters, say, may still be
 * read, so scopes may be entered yet, but none is remembered.
 */
static int ex_scope_module(struct notifier_block *block, unsigned long state, void *data)
{
	struct module *module = data;
	int i;

	if (state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	/* The state of the module, then the entries: see ex_scope_remember(). */
	smp_mb();
	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		long ref = atomic_long_read_acquire(&entries[i].ref);

		if (ref & ~EX_SCOPE_BUSY &&
		    within_module((unsigned long)READ_ONCE(entries[i].place), module))
			atomic_long_cmpxchg(&entries[i].ref, ref, 0);
	}
	/* There may be room again: report it if that runs out, too. */
	atomic_set(&no_room_reported, 0);
	/* Before its memory goes, there is a grace period for waits that have found a place. */
	return NOTIFY_OK;
}

static struct notifier_block ex_scope_modules = { .notifier_call = ex_scope_module };

int ex_scope_init(void)
{
	no_room_work = IRQ_WORK_INIT_HARD(ex_scope_print_no_room);
	return register_module_notifier(&ex_scope_modules);
}

void ex_scope_exit(void)
{
	unregister_module_notifier(&ex_scope_modules);
	irq_work_sync(&no_room_work);
}

#endif /* CONFIG_DEBUG_LOCK_ALLOC */
