// SPDX-License-Identifier: GPL-2.0
/*
 * Who did what wrong: the warnings.
 *
 * Each kind of misuse has its own rate limit, so that a caller who floods the log with one does not
 * hide another. A warning may come from any context: __ratelimit() only tries its lock, and WARN()
 * is safe in NMI.
 */
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/ratelimit.h>

#include "events.h"
#include "misuse.h"
#include "track.h"

const char * const ex_rundown_misuses[EX_MISUSE_KINDS] = {
	[EX_MISUSE_ACQUIRE_COUNT] = "acquires a count of 0 or over EX_RUNDOWN_MAX_COUNT; refused",
	[EX_MISUSE_ACQUIRE_OVERFLOW] = "acquires more than the count can hold; refused",
	[EX_MISUSE_RELEASE_COUNT] = "releases a count of 0 or over EX_RUNDOWN_MAX_COUNT; refused",
	[EX_MISUSE_RELEASE_TOO_MANY] = "releases more than is held; refused",
	[EX_MISUSE_WAIT_SUM_NEGATIVE] = "waits on a ref of which more was released than acquired",
	[EX_MISUSE_WAIT_OVERFLOW] = "waits on a ref of which more is held than can be counted",
	[EX_MISUSE_COMPLETED_HELD] = "declares a ref run down that is still held",
	[EX_MISUSE_REINITIALIZE] = "reinitializes a ref that is not run down; refused",
	[EX_MISUSE_FREE_HELD] = "frees a ref that is still held; leaked instead",
	[EX_MISUSE_FREE_FOREIGN] = "frees a ref that was not allocated; refused",
	[EX_MISUSE_RELEASE_UNTRACKED] = "releases what nobody who is tracked has acquired",
	[EX_MISUSE_UNINITIALIZED] = "uses a cache-aware ref that was never initialized; refused",
};

static struct ratelimit_state limits[EX_MISUSE_KINDS] = {
	[0 ... EX_MISUSE_KINDS - 1] = RATELIMIT_STATE_INIT(limits, DEFAULT_RATELIMIT_INTERVAL,
							   DEFAULT_RATELIMIT_BURST),
};

/* Of these, the log lists the holders that are known. */
#define EX_MISUSES_OF_HELD	\
	(BIT(EX_MISUSE_COMPLETED_HELD) | BIT(EX_MISUSE_REINITIALIZE) | BIT(EX_MISUSE_FREE_HELD))

/**
 * ex_rundown_report() - warn of a misuse, unless there were too many of its kind lately
 * @misuse: the kind
 * @ref:    the ref it was done to
 * @caller: an address in the function that did it
 *
 * Context: Any.
 */
void ex_rundown_report(enum ex_rundown_misuse misuse, const void *ref, unsigned long caller)
{
	const char *what = ex_rundown_misuses[misuse];

	this_cpu_inc(ex_stats.misuses[misuse]);
	ex_trace(misuse, ref, caller, what);
	if (!__ratelimit(&limits[misuse]))
		return;
	WARN(true, "rundown: %pS %s (ref %p)\n", (void *)caller, what, ref);
	if (BIT(misuse) & EX_MISUSES_OF_HELD)
		ex_track_print(ref);
}
