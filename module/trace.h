/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: events/rundown/ in tracefs. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM rundown

#if !defined(_RUNDOWN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _RUNDOWN_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

/* Room for the longest text; see misuse.c. */
#define EX_RUNDOWN_MISUSE_LENGTH	80

/* @caller is going to wait until nobody holds @ref. */
TRACE_EVENT(rundown_wait_begin,
	    TP_PROTO(const void *ref, unsigned long caller),
	    TP_ARGS(ref, caller),
	    TP_STRUCT__entry(
		    __field(const void *, ref)
		    __field(unsigned long, caller)
	    ),
	    TP_fast_assign(
		    __entry->ref = ref;
		    __entry->caller = caller;
	    ),
	    TP_printk("ref=%p caller=%pS", __entry->ref, (void *)__entry->caller)
);

/*
 * The wait is over, after @ns; 0 if wait_begin was not traced. @left: the jiffies left of a
 * time-out, or at least 1; 0 if the time was up, a negative error after a signal.
 */
TRACE_EVENT(rundown_wait_end,
	    TP_PROTO(const void *ref, unsigned long caller, u64 ns, long left),
	    TP_ARGS(ref, caller, ns, left),
	    TP_STRUCT__entry(
		    __field(const void *, ref)
		    __field(unsigned long, caller)
		    __field(u64, ns)
		    __field(long, left)
		    __field(unsigned int, end)
	    ),
	    TP_fast_assign(
		    __entry->ref = ref;
		    __entry->caller = caller;
		    __entry->ns = ns;
		    __entry->left = left;
		    __entry->end = left > 0 ? 0 : left < 0 ? 2 : 1;
	    ),
	    /* Of nested conditions trace-cmd and perf make something else. */
	    TP_printk("ref=%p caller=%pS ns=%llu %s", __entry->ref, (void *)__entry->caller,
		      __entry->ns, __print_symbolic(__entry->end, { 0, "run down" },
						    { 1, "timed out" }, { 2, "interrupted" }))
);

/* A run-down found so many held: in the slot of @cpu, or, of a basic ref (-1), in all. */
TRACE_EVENT(rundown_harvest,
	    TP_PROTO(const void *ref, int cpu, long held),
	    TP_ARGS(ref, cpu, held),
	    TP_STRUCT__entry(
		    __field(const void *, ref)
		    __field(int, cpu)
		    __field(long, held)
	    ),
	    TP_fast_assign(
		    __entry->ref = ref;
		    __entry->cpu = cpu;
		    __entry->held = held;
	    ),
	    TP_printk("ref=%p cpu=%d held=%ld", __entry->ref, __entry->cpu, __entry->held)
);

/* In the slow path; most acquires of a cache-aware ref are refused in line, and not seen here. */
TRACE_EVENT(rundown_refused,
	    TP_PROTO(const void *ref, unsigned long caller),
	    TP_ARGS(ref, caller),
	    TP_STRUCT__entry(
		    __field(const void *, ref)
		    __field(unsigned long, caller)
	    ),
	    TP_fast_assign(
		    __entry->ref = ref;
		    __entry->caller = caller;
	    ),
	    TP_printk("ref=%p caller=%pS", __entry->ref, (void *)__entry->caller)
);

/* Also what the log's rate limit leaves out. */
TRACE_EVENT(rundown_misuse,
	    TP_PROTO(const void *ref, unsigned long caller, const char *what),
	    TP_ARGS(ref, caller, what),
	    TP_STRUCT__entry(
		    __field(const void *, ref)
		    __field(unsigned long, caller)
		    /* Not a pointer, which trace-cmd and perf could not follow. */
		    __array(char, what, EX_RUNDOWN_MISUSE_LENGTH)
	    ),
	    TP_fast_assign(
		    __entry->ref = ref;
		    __entry->caller = caller;
		    strscpy(__entry->what, what, EX_RUNDOWN_MISUSE_LENGTH);
	    ),
	    TP_printk("ref=%p caller=%pS %s", __entry->ref, (void *)__entry->caller, __entry->what)
);

#endif /* _RUNDOWN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
