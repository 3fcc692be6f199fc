// SPDX-License-Identifier: GPL-2.0
/* What happens, counted; and where the tracepoints are. */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>

#define CREATE_TRACE_POINTS
#include "events.h"

DEFINE_PER_CPU(struct ex_stats, ex_stats);

/* A wait slept, and this is how long it took. */
void ex_count_latency(u64 ns)
{
	u64 us = div_u64(ns, NSEC_PER_USEC);

	this_cpu_inc(ex_stats.latencies[min(us ? ilog2(us) + 1 : 0, EX_LATENCIES - 1)]);
}

/* Of all CPUs, while they go on counting. */
void ex_stats_sum(struct ex_stats *sum)
{
	unsigned long *total = (unsigned long *)sum;
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const unsigned long *counts = (const unsigned long *)per_cpu_ptr(&ex_stats, cpu);

		for (i = 0; i < sizeof(*sum) / sizeof(*total); i++)
			/* Plain increments of its CPU: what is missed now is there next time. */
			total[i] += data_race(READ_ONCE(counts[i]));
	}
}
