// SPDX-License-Identifier: GPL-2.0
/* What happens, counted; and where the tracepoints are. */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <linux/time64.h>

#define CREATE_TRACE_POINTS
#include "events.h"

DEFINE_PER_CPU(struct ex_stats, ex_stats);

/* Is a probe running on this CPU, by interrupt_context_level(): task, softirq, hardirq, NMI? */
static DEFINE_PER_CPU(bool [4], ex_probing);

/**
 * ex_trace_begin() - may an event be traced here?
 *
 * A probe may use refs, and so cause events. Traced, they would call the probe again, and so on
 * until the stack overflows. So while a probe of any of our events runs, further events are not
 * traced on that CPU in that context: task, softirq, hardirq or NMI. Events in an interrupt that
 * comes while a probe runs are traced.
 *
 * Context: Any. If true, preemption is off until ex_trace_end(), so that the events of another task
 * do not come between; a tracepoint turns it off later, or, in newer kernels, not at all.
 * Return: true if it may.
 */
bool ex_trace_begin(void)
{
	bool *probing;

	preempt_disable_notrace();
	probing = this_cpu_ptr(&ex_probing[interrupt_context_level()]);
	if (*probing) {
		preempt_enable_notrace();
		return false;
	}
	*probing = true;
	return true;
}

/**
 * ex_trace_end() - the probes have returned
 *
 * Context: That of ex_trace_begin().
 */
void ex_trace_end(void)
{
	*this_cpu_ptr(&ex_probing[interrupt_context_level()]) = false;
	preempt_enable_notrace();
}

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
