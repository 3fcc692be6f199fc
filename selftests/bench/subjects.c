// SPDX-License-Identifier: GPL-2.0
/* The table. */
#include "subject.h"

const struct bench_subject *const bench_subjects[] = {
	&bench_limit,
	&bench_limit_loaded,

	&bench_percpu,
	&bench_static,
	&bench_basic,
	&bench_no_ipi,
	&bench_in_place,

	&bench_percpu_exported,
	&bench_static_exported,
	&bench_basic_exported,
	&bench_no_ipi_exported,
	&bench_in_place_exported,

	&bench_percpu_ref,
	&bench_refcount,
	&bench_kernfs,
	&bench_windows,
	&bench_windows_percpu,

	&bench_rcu,
	&bench_rcu_sched,
	&bench_rcu_expedited,
	&bench_srcu,
#ifdef SRCU_READ_FLAVOR_FAST_UPDOWN
	&bench_srcu_fast,
	&bench_srcu_fast_updown,
	&bench_srcu_fast_expedited,
#endif
	&bench_rwsem,
	&bench_percpu_rwsem,
	NULL
};

const unsigned long bench_object_size = sizeof(struct bench_object);
