/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of rundown_bench.ko. */
#ifndef _RUNDOWN_BENCH_MEASURE_H
#define _RUNDOWN_BENCH_MEASURE_H

#include "bench.h"

/**
 * struct bench_result - what a measurement found
 * @count:   how many samples
 * @samples: each a time in ns
 */
struct bench_result {
	unsigned int count;
	u64 *samples;
};

/**
 * struct bench_loop - a measurement of acquires
 * @subject: of what
 * @refused: measure refusals, not pairs
 * @own:     each thread has an object of its own
 * @threads: each on a CPU of its own
 * @n:       how many pairs, or refusals, each thread makes
 */
struct bench_loop {
	const struct bench_subject *subject;
	bool refused, own;
	unsigned int threads;
	unsigned long n;
};

/**
 * struct bench_down - a measurement of run-downs
 * @subject: of what
 * @refs:    how many are run down, one after the other, and opened again, for a sample
 * @holders: threads that acquire and release all the time, each on a CPU of its own
 * @samples: how many
 */
struct bench_down {
	const struct bench_subject *subject;
	unsigned int refs, holders, samples;
};

int bench_measure_loop(const struct bench_loop *what, struct bench_result *result);
int bench_measure_down(const struct bench_down *what, struct bench_result *result);

#endif /* _RUNDOWN_BENCH_MEASURE_H */
