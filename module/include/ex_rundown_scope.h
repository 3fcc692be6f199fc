/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Protection for as long as a scope: leaving it in whatever way, by return or goto, too, releases.
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
 * bring them), the same are the classes ex_rundown and ex_rundown_cache_aware:
 *
 *	CLASS(ex_rundown, protection)(&device->ref);
 *
 *	scoped_cond_guard(ex_rundown, return -ENODEV, &device->ref) {	from 6.8 on
 *		...
 *	}
 *
 * and who holds protection already can have it released at the end of the block:
 *
 *	guard(ex_rundown_held)(&device->ref);
 *
 * guard() and scoped_guard() make no sense with the first two: nothing tells whether protection was
 * granted.
 *
 * A scope is entered and left by one task, interrupt or NMI, and so lockdep knows it: it warns of
 * somebody who takes in it a lock that is held across a wait for an object that this scope was
 * entered on before. The lock class is the place in the code where one of these macros stands: let
 * objects that have nothing to do with each other have their own, rather than one in a function
 * that all of them share. What a ref was in is forgotten at the end of its run-down: if there may
 * be none before its memory is used for another, that one wants an ex_initialize_... Plain acquires
 * and releases may go from hand to hand, and lockdep does not hear of them.
 *
 * A wait is checked against 16 places of its ref at most, and fewer if very many live refs have
 * been in scopes: there is room for some 2,000 places in all. The first time that there is none for
 * a scope, the log says so.
 */
#ifndef _EX_RUNDOWN_SCOPE_H
#define _EX_RUNDOWN_SCOPE_H

#include <linux/compiler.h>
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
 * struct ex_rundown_scope - a scope on a basic ref
 * @ref: the ref, or NULL if protection was refused
 */
struct ex_rundown_scope {
	struct ex_rundown_ref *ref;
	/* private: */
	struct ex_rundown_place *place;
};

/**
 * struct ex_rundown_scope_cache_aware - a scope on a cache-aware ref
 * @ref: the ref, or NULL if protection was refused
 */
struct ex_rundown_scope_cache_aware {
	struct ex_rundown_ref_cache_aware *ref;
	/* private: */
	struct ex_rundown_place *place;
};

typedef struct ex_rundown_scope class_ex_rundown_t;
typedef struct ex_rundown_scope_cache_aware class_ex_rundown_cache_aware_t;

static __always_inline class_ex_rundown_t
__ex_rundown_scope_acquire(struct ex_rundown_ref *ref, struct ex_rundown_place *place)
{
	if (!ex_acquire_rundown_protection(ref))
		return (class_ex_rundown_t){};
	__ex_rundown_scope_begin(ref, place, _THIS_IP_);
	return (class_ex_rundown_t){ ref, place };
}

static __always_inline class_ex_rundown_cache_aware_t
__ex_rundown_scope_acquire_cache_aware(struct ex_rundown_ref_cache_aware *ref,
				       struct ex_rundown_place *place)
{
	if (!ex_acquire_rundown_protection_cache_aware(ref))
		return (class_ex_rundown_cache_aware_t){};
	__ex_rundown_scope_begin(ref, place, _THIS_IP_);
	return (class_ex_rundown_cache_aware_t){ ref, place };
}

#define class_ex_rundown_constructor(ref)	\
	__ex_rundown_scope_acquire(ref, __EX_RUNDOWN_PLACE(ref))
#define class_ex_rundown_cache_aware_constructor(ref)	\
	__ex_rundown_scope_acquire_cache_aware(ref, __EX_RUNDOWN_PLACE(ref))

static __always_inline void class_ex_rundown_destructor(class_ex_rundown_t *scope)
{
	if (!scope->ref)
		return;
	__ex_rundown_scope_end(scope->place, _THIS_IP_);
	ex_release_rundown_protection(scope->ref);
}

static __always_inline void
class_ex_rundown_cache_aware_destructor(class_ex_rundown_cache_aware_t *scope)
{
	if (!scope->ref)
		return;
	__ex_rundown_scope_end(scope->place, _THIS_IP_);
	ex_release_rundown_protection_cache_aware(scope->ref);
}

/* What scoped_cond_guard() asks of a class. */
static __always_inline void *class_ex_rundown_lock_ptr(class_ex_rundown_t *scope)
{
	return scope->ref;
}

static __always_inline void *
class_ex_rundown_cache_aware_lock_ptr(class_ex_rundown_cache_aware_t *scope)
{
	return scope->ref;
}

static __maybe_unused const bool class_ex_rundown_is_conditional = true;
static __maybe_unused const bool class_ex_rundown_cache_aware_is_conditional = true;

#ifdef DEFINE_GUARD
DEFINE_GUARD(ex_rundown_held, struct ex_rundown_ref *, (void)0, ex_release_rundown_protection(_T))
DEFINE_GUARD(ex_rundown_cache_aware_held, struct ex_rundown_ref_cache_aware *, (void)0,
	     ex_release_rundown_protection_cache_aware(_T))
#endif

#define __EX_RUNDOWN_SCOPE(class, name, ref)						\
	class_##class##_t name __attribute__((__cleanup__(class_##class##_destructor))) =	\
		class_##class##_constructor(ref)

#define __ex_with(class, scope, end, object, fail)		\
	for (__EX_RUNDOWN_SCOPE(class, scope, object);; ({ goto end; }))	\
		if (!scope.ref) {				\
			fail;					\
end:								\
			break;					\
		} else

/**
 * EX_RUNDOWN_PROTECTION - protection until the end of the block
 * @name: a variable that is defined by it; @name.ref is @ref, or NULL if protection is refused
 * @ref:  the ref of the object to be used
 *
 * Context: as ex_acquire_rundown_protection(); the block is left where it was entered.
 */
#define EX_RUNDOWN_PROTECTION(name, ref)	__EX_RUNDOWN_SCOPE(ex_rundown, name, ref)

/**
 * EX_RUNDOWN_PROTECTION_CACHE_AWARE - protection until the end of the block
 * @name: a variable that is defined by it; @name.ref is @ref, or NULL if protection is refused
 * @ref:  the ref of the object to be used
 *
 * Context: as ex_acquire_rundown_protection_cache_aware(); the block is left where it was entered.
 */
#define EX_RUNDOWN_PROTECTION_CACHE_AWARE(name, ref)	\
	__EX_RUNDOWN_SCOPE(ex_rundown_cache_aware, name, ref)

/**
 * ex_with_rundown_protection - the statement that follows is run with protection
 * @ref:  the ref of the object to be used
 * @fail: a statement that is run instead if protection is refused
 *
 * In the statement, break and continue leave it, as do return and goto; all release. In @fail, too,
 * break and continue go on behind the statement, not in a loop around it.
 *
 * Context: as ex_acquire_rundown_protection(); the statement is left where it was entered.
 */
#define ex_with_rundown_protection(ref, fail)					\
	__ex_with(ex_rundown, __UNIQUE_ID(ex_scope), __UNIQUE_ID(ex_end), ref, fail)

/**
 * ex_with_rundown_protection_cache_aware - the statement that follows is run with protection
 * @ref:  the ref of the object to be used
 * @fail: a statement that is run instead if protection is refused
 *
 * As ex_with_rundown_protection().
 *
 * Context: as ex_acquire_rundown_protection_cache_aware(); the statement is left where it was
 * entered.
 */
#define ex_with_rundown_protection_cache_aware(ref, fail)			\
	__ex_with(ex_rundown_cache_aware, __UNIQUE_ID(ex_scope), __UNIQUE_ID(ex_end), ref, fail)

#endif /* _EX_RUNDOWN_SCOPE_H */
