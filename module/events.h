/* SPDX-License-Identifier: GPL-2.0 */
/* What happens is counted, for debugfs, and traced. */
#ifndef _RUNDOWN_EVENTS_H
#define _RUNDOWN_EVENTS_H

#include <linux/ktime.h>
#include <linux/percpu.h>

#include "misuse.h"
#include "trace.h"

enum ex_count {
	EX_COUNT_RUNDOWNS,	/* begun */
	EX_COUNT_WAITS,		/* begun, also on a ref that is run down */
	EX_COUNT_SLEPT,		/* of these */
	EX_COUNT_TIMED_OUT,
	EX_COUNT_INTERRUPTED,
	EX_COUNT_REFUSED,	/* in slow paths */
	EX_COUNT_IPIS,		/* asked for: CPUs other than the one that makes the tour */
	EX_COUNT_DEFERRED_WAKES,
	EX_COUNTS
};

/* Waits that slept, by the power of two of their microseconds; the last takes what is longer. */
#define EX_LATENCIES	28

struct ex_stats {
	unsigned long counts[EX_COUNTS];
	unsigned long misuses[EX_MISUSE_KINDS];
	unsigned long latencies[EX_LATENCIES];
};

/* Where an NMI may tear this_cpu operations, it may lose a count. */
DECLARE_PER_CPU(struct ex_stats, ex_stats);

static inline void ex_count(enum ex_count what, unsigned long n)
{
	this_cpu_add(ex_stats.counts[what], n);
}

bool ex_trace_begin(void);
void ex_trace_end(void);

/*
 * Trace an event, unless it happens in a probe of one of ours: see ex_trace_begin(). True if it was
 * traced; only then are the arguments evaluated. If the event is disabled, this is a no-op.
 */
#define ex_trace(event, ...)							\
({										\
	bool __traced = trace_rundown_##event##_enabled() && ex_trace_begin();	\
										\
	if (__traced) {								\
		trace_rundown_##event(__VA_ARGS__);				\
		ex_trace_end();							\
	}									\
	__traced;								\
})

static inline bool ex_refused(const void *ref, unsigned long caller)
{
	ex_count(EX_COUNT_REFUSED, 1);
	ex_trace(refused, ref, caller);
	return false;
}

/* When a traced wait began; else 0. */
static inline u64 ex_trace_wait_begin(const void *ref, unsigned long caller)
{
	return ex_trace(wait_begin, ref, caller) ? ktime_get_ns() : 0;
}

static inline void ex_trace_wait_end(const void *ref, unsigned long caller, u64 begun, long left)
{
	ex_trace(wait_end, ref, caller, begun ? ktime_get_ns() - begun : 0, left);
}

void ex_count_latency(u64 ns);
void ex_stats_sum(struct ex_stats *sum);

#endif /* _RUNDOWN_EVENTS_H */
