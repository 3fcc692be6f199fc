/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Protection for as long as a scope, on a ref of either kind: leaving it in whatever way, by return
 * or goto, too, releases.
 *
 *	ex_with_rundown_protection(&device->ref, return -ENODEV) {
 *		if (!device->ready)
 *			return -EAGAIN;
 *		...
 *	}
 *
 * or, to the end of the block, with @protection.ref NULL if it is refused:
 *
 *	EX_RUNDOWN_PROTECTION(protection, &device->ref);
 *	if (!protection.ref)
 *		return -ENODEV;
 *
 * Where the kernel has CLASS() and guard() (from 6.5 on, and late versions of 6.1; our includes
 * bring them), the same is the class ex_rundown:
 *
 *	CLASS(ex_rundown, protection)(&device->ref);
 *
 *	ACQUIRE(ex_rundown, protection)(&device->ref);		from 6.17 on
 *	error = ACQUIRE_ERR(ex_rundown, &protection);		0 or -ENODEV
 *
 *	scoped_cond_guard(ex_rundown, return -ENODEV, &device->ref) {	from 6.8 on
 *		...
 *	}
 *
 * and protection that is held already can be released at the end of the block:
 *
 *	guard(ex_rundown_held)(&device->ref);
 *
 * scoped_guard(ex_rundown, ...) skips its statement if protection is refused, but not before 6.8.
 * Do not use guard(ex_rundown): the code behind it would go on without protection.
 *
 * A scope is entered and left by one task, interrupt or NMI, so lockdep can check it: a scope in
 * which a lock is taken, and a wait for the same object with that lock held, can deadlock. Lockdep
 * reports it when both have happened once. The lock class is the place in the code where one of
 * these macros stands: let objects that have nothing to do with each other have their own, rather
 * than one in a function that all of them share. Where a ref was held is forgotten at the end of
 * its run-down. If its memory may be used for another ref without one, that ref must be
 * initialized. Plain acquires and releases may go from hand to hand, so lockdep is not told of
 * them.
 *
 * A wait is checked against 16 places of its ref at most, and fewer if very many live refs have
 * been in scopes: there is room for some 2,000 places in all. The log says once that there was none
 * for a scope, and again after a module was unloaded, which makes room.
 */
#ifndef _EX_RUNDOWN_SCOPE_H
#define _EX_RUNDOWN_SCOPE_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/lockdep.h>

#include "ex_rundown.h"

#ifdef CONFIG_DEBUG_LOCK_ALLOC
/* A place in the code where a scope stands, which is its own lock class. */
struct ex_rundown_place {
	struct lockdep_map map;
	const struct module *owner;
};

void __ex_rundown_scope_begin(const void *ref, struct ex_rundown_place *place,
			      unsigned long caller);
void __ex_rundown_scope_end(struct ex_rundown_place *place, unsigned long caller);

#define __EX_RUNDOWN_PLACE(ref) ({						\
	static struct ex_rundown_place __ex_place = {				\
		STATIC_LOCKDEP_MAP_INIT("ex_rundown(" #ref ")", &__ex_place),	\
		THIS_MODULE							\
	};									\
	&__ex_place;								\
})
#else
struct ex_rundown_place;

static inline void __ex_rundown_scope_begin(const void *ref, struct ex_rundown_place *place,
					    unsigned long caller)
{
}

static inline void __ex_rundown_scope_end(struct ex_rundown_place *place, unsigned long caller)
{
}

static inline struct ex_rundown_place *__ex_rundown_no_place(const char *name)
{
	return NULL;
}

#define __EX_RUNDOWN_PLACE(ref)	__ex_rundown_no_place(#ref)
#endif

/**
 * struct ex_rundown_scope - a scope on a ref of either kind
 * @ref: the ref, or NULL if protection was refused
 */
struct ex_rundown_scope {
	void *ref;
	/* private: */
	struct ex_rundown_place *place;
	bool cache_aware;
};

static __always_inline struct ex_rundown_scope
__ex_rundown_scope_acquire(struct ex_rundown_ref *ref, struct ex_rundown_place *place)
{
	if (!ex_acquire_rundown_protection(ref))
		return (struct ex_rundown_scope){};
	__ex_rundown_scope_begin(ref, place, _THIS_IP_);
	return (struct ex_rundown_scope){ ref, place, false };
}

static __always_inline struct ex_rundown_scope
__ex_rundown_scope_acquire_cache_aware(struct ex_rundown_ref_cache_aware *ref,
				       struct ex_rundown_place *place)
{
	if (!ex_acquire_rundown_protection_cache_aware(ref))
		return (struct ex_rundown_scope){};
	__ex_rundown_scope_begin(ref, place, _THIS_IP_);
	return (struct ex_rundown_scope){ ref, place, true };
}

/* Lockdep does not hear of protection that was acquired elsewhere. */
static __always_inline struct ex_rundown_scope __ex_rundown_scope_held(struct ex_rundown_ref *ref)
{
	return (struct ex_rundown_scope){ ref, NULL, false };
}

static __always_inline struct ex_rundown_scope
__ex_rundown_scope_held_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	return (struct ex_rundown_scope){ ref, NULL, true };
}

static __always_inline void __ex_rundown_scope_release(struct ex_rundown_scope *scope)
{
	if (!scope->ref)
		return;
	if (scope->place)
		__ex_rundown_scope_end(scope->place, _THIS_IP_);
	if (scope->cache_aware)
		ex_release_rundown_protection_cache_aware(scope->ref);
	else
		ex_release_rundown_protection(scope->ref);
}

/*
 * What CLASS(), guard(), scoped_cond_guard() and ACQUIRE_ERR() of linux/cleanup.h ask of a class. A
 * refused acquire is -ENODEV there.
 */
typedef struct ex_rundown_scope class_ex_rundown_t;
typedef struct ex_rundown_scope class_ex_rundown_held_t;

#define class_ex_rundown_constructor(ref)						\
	_Generic((ref),									\
		 struct ex_rundown_ref *: __ex_rundown_scope_acquire,			\
		 struct ex_rundown_ref_cache_aware *:					\
			__ex_rundown_scope_acquire_cache_aware)(ref, __EX_RUNDOWN_PLACE(ref))
#define class_ex_rundown_held_constructor(ref)						\
	_Generic((ref),									\
		 struct ex_rundown_ref *: __ex_rundown_scope_held,			\
		 struct ex_rundown_ref_cache_aware *: __ex_rundown_scope_held_cache_aware)(ref)
#define class_ex_rundown_destructor		__ex_rundown_scope_release
#define class_ex_rundown_held_destructor	__ex_rundown_scope_release

static __always_inline void *class_ex_rundown_lock_ptr(class_ex_rundown_t *scope)
{
	return scope->ref;
}

static __always_inline int class_ex_rundown_lock_err(class_ex_rundown_t *scope)
{
	return scope->ref ? 0 : -ENODEV;
}

static __always_inline void *class_ex_rundown_held_lock_ptr(class_ex_rundown_held_t *scope)
{
	return scope->ref;
}

static __maybe_unused const bool class_ex_rundown_is_conditional = true;
static __maybe_unused const bool class_ex_rundown_held_is_conditional;

/**
 * EX_RUNDOWN_PROTECTION - protection until the end of the block
 * @name: a variable that is defined by it; @name.ref is @ref, or NULL if protection is refused
 * @ref:  the ref of the object to be used, of either kind
 *
 * Context: As ex_rundown_acquire(); the block is left where it was entered.
 */
#define EX_RUNDOWN_PROTECTION(name, ref)						\
	struct ex_rundown_scope name __attribute__((__cleanup__(__ex_rundown_scope_release))) =	\
		class_ex_rundown_constructor(ref)

#define __ex_with(scope, end, object, fail)			\
	for (EX_RUNDOWN_PROTECTION(scope, object);; ({ goto end; }))	\
		if (!scope.ref) {				\
			fail;					\
end:								\
			break;					\
		} else

/**
 * ex_with_rundown_protection - the statement that follows is run with protection
 * @ref:  the ref of the object to be used, of either kind
 * @fail: a statement that is run instead if protection is refused
 *
 * In the statement, break and continue leave it, as do return and goto; all release. In @fail, too,
 * break and continue go on behind the statement, not in a loop around it.
 *
 * Context: As ex_rundown_acquire(); the statement is left where it was entered.
 */
#define ex_with_rundown_protection(ref, fail)					\
	__ex_with(__UNIQUE_ID(ex_scope), __UNIQUE_ID(ex_end), ref, fail)

#endif /* _EX_RUNDOWN_SCOPE_H */
