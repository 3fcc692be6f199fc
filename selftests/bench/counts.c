// SPDX-License-Identifier: GPL-2.0
/*
 * Peers that count on the object, or on a line or a slot a CPU; and the limit. The schemes that the
 * kernel or Windows has no function for are spelled out, without what is off the fast path.
 */
#include <linux/atomic.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "subject.h"

/*
 * The limit: a plain addition and a plain subtraction on a line that is the CPU's own, and no
 * question asked.
 */
static int limit_create(struct bench_object *object)
{
	object->percpu = alloc_percpu(struct bench_line);
	return object->percpu ? 0 : -ENOMEM;
}

static void limit_destroy(struct bench_object *object)
{
	free_percpu(object->percpu);
}

/* Where the GS base is what leads from a per-CPU address to the CPU's own. */
#if defined(CONFIG_X86_64) && defined(CONFIG_SMP) && !defined(CONFIG_UML)
#define LIMIT_IN_ASSEMBLER
#endif

static __always_inline bool limit_add(struct bench_line __percpu *line)
{
#ifdef LIMIT_IN_ASSEMBLER
	asm volatile("addq $1, %%gs:(%0)" : : "r" (line) : "cc", "memory");
#else
	this_cpu_add(line->plain, 1);
#endif
	return true;
}

static __always_inline void limit_subtract(struct bench_line __percpu *line)
{
#ifdef LIMIT_IN_ASSEMBLER
	asm volatile("subq $1, %%gs:(%0)" : : "r" (line) : "cc", "memory");
#else
	this_cpu_sub(line->plain, 1);
#endif
}

BENCH_PAIRS(limit, struct bench_line __percpu *, object->percpu, limit_add(ref),
	    limit_subtract(ref))

const struct bench_subject bench_limit = {
	.name = "limit",
	BENCH_OWN(limit),
	.pairs = limit_pairs,
	.title = "limit: add and subtract",
	.kind = BENCH_LIMIT,
	.bytes = sizeof(void *),
	.bytes_percpu = sizeof(long),
};

/* As near as a ref gets to that which does not know at compile time where its slots are. */
static __always_inline bool limit_loaded_add(struct bench_object *ref)
{
	return limit_add(READ_ONCE(ref->percpu));
}

static __always_inline void limit_loaded_subtract(struct bench_object *ref)
{
	limit_subtract(READ_ONCE(ref->percpu));
}

BENCH_PAIRS(limit_loaded, struct bench_object *, object, limit_loaded_add(ref),
	    limit_loaded_subtract(ref))

const struct bench_subject bench_limit_loaded = {
	.name = "limit_loaded",
	.create = limit_create,
	.destroy = limit_destroy,
	.pairs = limit_loaded_pairs,
	.title = "limit, address loaded",
	.kind = BENCH_LIMIT,
	.bytes = sizeof(void *),
	.bytes_percpu = sizeof(long),
};

/* percpu_ref */
static void percpu_ref_zero(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct bench_object, percpu_ref)->zero);
}

static int percpu_ref_create(struct bench_object *object)
{
	init_completion(&object->zero);
	return percpu_ref_init(&object->percpu_ref, percpu_ref_zero, PERCPU_REF_ALLOW_REINIT,
			       GFP_KERNEL);
}

static void percpu_ref_destroy(struct bench_object *object)
{
	percpu_ref_exit(&object->percpu_ref);
}

/* What percpu_ref_kill() has done when all is over. */
static void percpu_ref_refuse(struct bench_object *object)
{
	object->percpu_ref.percpu_count_ptr |= __PERCPU_REF_ATOMIC_DEAD;
}

static void percpu_ref_admit(struct bench_object *object)
{
	object->percpu_ref.percpu_count_ptr &= ~(unsigned long)__PERCPU_REF_ATOMIC_DEAD;
}

static void percpu_ref_down(struct bench_object *object)
{
	percpu_ref_kill(&object->percpu_ref);
	wait_for_completion(&object->zero);
}

static void percpu_ref_up(struct bench_object *object)
{
	reinit_completion(&object->zero);
	percpu_ref_reinit(&object->percpu_ref);
}

static __always_inline bool peer_percpu_ref_get(struct percpu_ref *ref)
{
	/* Against percpu_ref_resurrect(). */
	return data_race(percpu_ref_tryget_live(ref));
}

static __always_inline void peer_percpu_ref_put(struct percpu_ref *ref)
{
	/* Against percpu_ref_kill(). */
	data_race((percpu_ref_put(ref), 0));
}

BENCH_PAIRS(percpu_ref, struct percpu_ref *, &object->percpu_ref, peer_percpu_ref_get(ref),
	    peer_percpu_ref_put(ref))
BENCH_REFUSED(percpu_ref, struct percpu_ref *, &object->percpu_ref, percpu_ref_tryget_live(ref))

const struct bench_subject bench_percpu_ref = {
	.name = "percpu_ref",
	BENCH_OWN(percpu_ref),
	.pairs = percpu_ref_pairs,
	BENCH_REFUSABLE(percpu_ref),
	.title = "percpu_ref",
	.kind = BENCH_PEER,
	.bytes = sizeof(struct percpu_ref) + sizeof(struct percpu_ref_data),
	.bytes_percpu = sizeof(unsigned long),
	.down = percpu_ref_down,
	.up = percpu_ref_up,
};

/* refcount_t */
static int refcount_create(struct bench_object *object)
{
	refcount_set(&object->refcount, 1);
	return 0;
}

static void refcount_refuse(struct bench_object *object)
{
	refcount_set(&object->refcount, 0);
}

static void refcount_admit(struct bench_object *object)
{
	refcount_set(&object->refcount, 1);
}

static noinline void refcount_last(refcount_t *ref)
{
	WARN_ON_ONCE(1);
}

static __always_inline void refcount_release(refcount_t *ref)
{
	if (unlikely(refcount_dec_and_test(ref)))
		refcount_last(ref);
}

BENCH_PAIRS(refcount, refcount_t *, &object->refcount, refcount_inc_not_zero(ref),
	    refcount_release(ref))
BENCH_REFUSED(refcount, refcount_t *, &object->refcount, refcount_inc_not_zero(ref))

const struct bench_subject bench_refcount = {
	.name = "refcount",
	.create = refcount_create,
	.pairs = refcount_pairs,
	BENCH_REFUSABLE(refcount),
	.title = "refcount_t",
	.kind = BENCH_PEER,
	.bytes = sizeof(refcount_t),
};

/* An active reference as of kernfs: a bias in the count says that it is being deactivated. */
#define KERNFS_BIAS	(INT_MIN + 1)

static int kernfs_create(struct bench_object *object)
{
	atomic_set(&object->active, 0);
	return 0;
}

static void kernfs_refuse(struct bench_object *object)
{
	atomic_add(KERNFS_BIAS, &object->active);
}

static void kernfs_admit(struct bench_object *object)
{
	atomic_sub(KERNFS_BIAS, &object->active);
}

static noinline void kernfs_last(atomic_t *ref)
{
	WARN_ON_ONCE(1);
}

static __always_inline void kernfs_release(atomic_t *ref)
{
	if (unlikely(atomic_dec_return(ref) == KERNFS_BIAS))
		kernfs_last(ref);
}

BENCH_PAIRS(kernfs, atomic_t *, &object->active, atomic_inc_unless_negative(ref),
	    kernfs_release(ref))
BENCH_REFUSED(kernfs, atomic_t *, &object->active, atomic_inc_unless_negative(ref))

const struct bench_subject bench_kernfs = {
	.name = "kernfs",
	.create = kernfs_create,
	.pairs = kernfs_pairs,
	BENCH_REFUSABLE(kernfs),
	.title = "active reference, kernfs",
	.kind = BENCH_PEER,
	.bytes = sizeof(atomic_t),
};

/* Windows': compare-and-swap; bit 0 says that the word is not a count any more, but the waiter. */
#define WINDOWS_ACTIVE	1L
#define WINDOWS_ONE	2L

static __always_inline bool windows_acquire(atomic_long_t *word)
{
	long old = atomic_long_read(word);

	do {
		if (unlikely(old & WINDOWS_ACTIVE))
			return false;
	} while (unlikely(!atomic_long_try_cmpxchg(word, &old, old + WINDOWS_ONE)));
	return true;
}

static noinline void windows_last(atomic_long_t *word)
{
	WARN_ON_ONCE(1);
}

static __always_inline void windows_release(atomic_long_t *word)
{
	long old = atomic_long_read(word);

	do {
		if (unlikely(old & WINDOWS_ACTIVE)) {
			windows_last(word);
			return;
		}
	} while (unlikely(!atomic_long_try_cmpxchg(word, &old, old - WINDOWS_ONE)));
}

static int windows_create(struct bench_object *object)
{
	atomic_long_set(&object->word, 0);
	return 0;
}

static void windows_refuse(struct bench_object *object)
{
	atomic_long_set(&object->word, WINDOWS_ACTIVE);
}

static void windows_admit(struct bench_object *object)
{
	atomic_long_set(&object->word, 0);
}

BENCH_PAIRS(windows, atomic_long_t *, &object->word, windows_acquire(ref), windows_release(ref))
BENCH_REFUSED(windows, atomic_long_t *, &object->word, windows_acquire(ref))

const struct bench_subject bench_windows = {
	.name = "windows",
	.create = windows_create,
	.pairs = windows_pairs,
	BENCH_REFUSABLE(windows),
	.title = "compare-and-swap, as Windows'",
	.kind = BENCH_PEER,
	.bytes = sizeof(atomic_long_t),
};

/* The same on a line for each CPU: Windows' cache-aware kind. */
static __always_inline atomic_long_t *windows_percpu_word(struct bench_line *lines)
{
	return &lines[raw_smp_processor_id()].count;
}

static int windows_percpu_create(struct bench_object *object)
{
	object->lines = kcalloc(nr_cpu_ids, sizeof(*object->lines), GFP_KERNEL);
	return object->lines ? 0 : -ENOMEM;
}

static void windows_percpu_destroy(struct bench_object *object)
{
	kfree(object->lines);
}

static void windows_percpu_set(struct bench_object *object, long to)
{
	unsigned int cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		atomic_long_set(&object->lines[cpu].count, to);
}

static void windows_percpu_refuse(struct bench_object *object)
{
	windows_percpu_set(object, WINDOWS_ACTIVE);
}

static void windows_percpu_admit(struct bench_object *object)
{
	windows_percpu_set(object, 0);
}

BENCH_PAIRS(windows_percpu, struct bench_line *, object->lines,
	    windows_acquire(windows_percpu_word(ref)), windows_release(windows_percpu_word(ref)))
BENCH_REFUSED(windows_percpu, struct bench_line *, object->lines,
	      windows_acquire(windows_percpu_word(ref)))

const struct bench_subject bench_windows_percpu = {
	.name = "windows_percpu",
	BENCH_OWN(windows_percpu),
	.pairs = windows_percpu_pairs,
	BENCH_REFUSABLE(windows_percpu),
	.title = "compare-and-swap a CPU, as Windows'",
	.kind = BENCH_PEER,
	.bytes = sizeof(void *),
	.bytes_percpu = SMP_CACHE_BYTES,
};
