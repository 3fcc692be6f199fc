/* SPDX-License-Identifier: GPL-2.0 */
/* For the files with the subjects: an object of each kind, and the loops around it. */
#ifndef _RUNDOWN_BENCH_SUBJECT_H
#define _RUNDOWN_BENCH_SUBJECT_H

#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/percpu-refcount.h>
#include <linux/percpu-rwsem.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/srcu.h>

#include "bench.h"
#include "ex_rundown.h"

/* One for each CPU, on a line of its own. */
struct bench_line {
	union {
		atomic_long_t count;
		unsigned long plain;
	} ____cacheline_aligned_in_smp;
};

struct bench_object {
	union {
		struct ex_rundown_ref basic;
		struct {
			struct ex_rundown_ref_cache_aware *cache_aware;
			struct ex_rundown_ref_cache_aware embedded;
		};
		struct {
			struct percpu_ref percpu_ref;
			struct completion zero;
		};
		refcount_t refcount;
		atomic_t active;
		atomic_long_t word;
		struct bench_line *lines;
		struct bench_line __percpu *percpu;
		struct srcu_struct srcu;
		struct rw_semaphore rwsem;
		struct percpu_rw_semaphore percpu_rwsem;
	};
} ____cacheline_aligned;

/*
 * The loops of a subject. A user has his ref at hand, so @ref, of @type, is set up before the loop;
 * what @acquire and @release load of it, they load each time.
 */
#define BENCH_PAIRS(subject, type, setup, acquire, release)			\
static bool subject##_pairs(struct bench_object *object, unsigned long n)	\
{										\
	type ref = setup;							\
										\
	do {									\
		if (unlikely(!(acquire)))					\
			return false;						\
		release;							\
	} while (--n);								\
	return true;								\
}

#define BENCH_REFUSED(subject, type, setup, acquire)				\
static bool subject##_refused(struct bench_object *object, unsigned long n)	\
{										\
	type ref = setup;							\
										\
	do {									\
		if (unlikely(acquire))						\
			return false;						\
	} while (--n);								\
	return true;								\
}

#define BENCH_OWN(subject)							\
	.create = subject##_create,						\
	.destroy = subject##_destroy

#define BENCH_REFUSABLE(subject)						\
	.refuse = subject##_refuse,						\
	.refused = subject##_refused,						\
	.admit = subject##_admit

extern const struct bench_subject bench_limit, bench_limit_loaded;

extern const struct bench_subject bench_basic, bench_percpu, bench_static, bench_in_place,
	bench_no_ipi;
extern const struct bench_subject bench_basic_exported, bench_percpu_exported,
	bench_static_exported, bench_in_place_exported, bench_no_ipi_exported;

extern const struct bench_subject bench_percpu_ref, bench_refcount, bench_kernfs, bench_windows,
	bench_windows_percpu;

extern const struct bench_subject bench_rcu, bench_rcu_sched, bench_rcu_expedited, bench_srcu,
	bench_srcu_fast, bench_srcu_fast_updown, bench_srcu_fast_expedited, bench_rwsem,
	bench_percpu_rwsem;

#endif /* _RUNDOWN_BENCH_SUBJECT_H */
