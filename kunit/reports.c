// SPDX-License-Identifier: GPL-2.0
/*
 * What the module under test reports, and who calls what.
 *
 * A probe on ex_rundown_report() sees each report of a misuse, also those that the module's rate
 * limit does not print, and in a race that is misuse by nature it keeps them out of the log. Around
 * an expected warning the log gets a line before and a line after, so that a checker of the log can
 * tell it from the others.
 */
#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/ratelimit_types.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>

#include "fixture.h"
#include "reports.h"

/* A part of each warning. */
static const char * const texts[EX_MISUSE_KINDS] = {
	[EX_MISUSE_ACQUIRE_COUNT] = "acquires a count of 0 or over",
	[EX_MISUSE_ACQUIRE_OVERFLOW] = "acquires more than the count can hold",
	[EX_MISUSE_RELEASE_COUNT] = "releases a count of 0 or over",
	[EX_MISUSE_RELEASE_TOO_MANY] = "releases more than is held",
	[EX_MISUSE_WAIT_SUM_NEGATIVE] = "of which more was released than acquired",
	[EX_MISUSE_WAIT_OVERFLOW] = "of which more is held than can be counted",
	[EX_MISUSE_COMPLETED_HELD] = "declares a ref run down that is still held",
	[EX_MISUSE_REINITIALIZE] = "reinitializes a ref that is not run down",
	[EX_MISUSE_FREE_HELD] = "frees a ref that is still held",
	[EX_MISUSE_FREE_FOREIGN] = "frees a ref that was not allocated",
	[EX_MISUSE_RELEASE_UNTRACKED] = "releases what nobody who is tracked has acquired",
	[EX_MISUSE_UNINITIALIZED] = "uses a cache-aware ref that was never initialized",
};

static atomic_t seen[EX_MISUSE_KINDS];
static unsigned int expected[EX_MISUSE_KINDS];
static unsigned long last_caller;
static bool quiet;
static bool region_open;
static int locks_were_checked;

/* The one that is being waited for. */
static struct {
	struct kunit *test;
	enum ex_rundown_misuse misuse;
	unsigned int n;
	unsigned int before;
} awaited;

/* As the module's; with something for the time from here to the print. */
#define RATE_LIMIT	(DEFAULT_RATELIMIT_INTERVAL + HZ)

/* When the last ones were printed, a ring. */
static struct {
	unsigned long at[DEFAULT_RATELIMIT_BURST];
	unsigned int next;
} printed[EX_MISUSE_KINDS];

void splat_begin(const char *text)
{
	region_open = true;
	pr_info("expect-splat begin: %s\n", text);
}

void splat_end(void)
{
	region_open = false;
	pr_info("expect-splat end\n");
}

void locks_allow_report(void)
{
	locks_were_checked = debug_locks;
}

/* One more of this kind will be printed: wait until the rate limit lets it through. */
static void wait_for_rate_limit(enum ex_rundown_misuse misuse)
{
	unsigned long *last = &printed[misuse].at[printed[misuse].next];

	while (*last && time_before(jiffies, *last + RATE_LIMIT))
		msleep(100);
	*last = jiffies;
	printed[misuse].next = (printed[misuse].next + 1) % DEFAULT_RATELIMIT_BURST;
}

void misuse_begin(struct kunit *test, enum ex_rundown_misuse misuse, unsigned int n)
{
	unsigned int i;

	/* What the rate limit swallows would be missing from the log. */
	for (i = 0; i < min(n, DEFAULT_RATELIMIT_BURST); i++)
		wait_for_rate_limit(misuse);
	awaited.test = test;
	awaited.misuse = misuse;
	awaited.n = n;
	awaited.before = atomic_read(&seen[misuse]);
	splat_begin(texts[misuse]);
}

void misuse_end(void)
{
	unsigned int reported = atomic_read(&seen[awaited.misuse]) - awaited.before;
	unsigned int next = printed[awaited.misuse].next, i;

	splat_end();
	/* None was printed later than now. */
	for (i = 0; i < min(awaited.n, DEFAULT_RATELIMIT_BURST); i++) {
		next = (next ?: DEFAULT_RATELIMIT_BURST) - 1;
		printed[awaited.misuse].at[next] = jiffies;
	}
	expected[awaited.misuse] += reported;
	if (IS_ENABLED(CONFIG_KPROBES))
		KUNIT_EXPECT_EQ_MSG(awaited.test, reported, awaited.n, "reports that somebody %s",
				    texts[awaited.misuse]);
}

void misuse_quiet_begin(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_KPROBES))
		kunit_skip(test, "no CONFIG_KPROBES: can't keep expected warnings out of the log");
	WRITE_ONCE(quiet, true);
}

void misuse_quiet_end(struct kunit *test)
{
	WRITE_ONCE(quiet, false);
}

unsigned int misuse_count(enum ex_rundown_misuse misuse)
{
	return atomic_read(&seen[misuse]);
}

void misuse_allow(enum ex_rundown_misuse misuse)
{
	expected[misuse] = atomic_read(&seen[misuse]);
}

unsigned long misuse_caller(void)
{
	return READ_ONCE(last_caller);
}

void reports_begin(void)
{
	int misuse;

	for (misuse = 0; misuse < EX_MISUSE_KINDS; misuse++) {
		atomic_set(&seen[misuse], 0);
		expected[misuse] = 0;
	}
	WRITE_ONCE(last_caller, 0);
	locks_were_checked = debug_locks;
}

void reports_end(struct kunit *test)
{
	int misuse;

	WRITE_ONCE(quiet, false);
	if (region_open)
		splat_end();
	/* Lockdep reports once, and turns itself off. */
	KUNIT_EXPECT_EQ_MSG(test, debug_locks, locks_were_checked, "lockdep has found something");
	for (misuse = 0; misuse < EX_MISUSE_KINDS; misuse++)
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&seen[misuse]), expected[misuse],
				    "unexpected: somebody %s", texts[misuse]);
}

/* As read() would have it written, but to the test's memory. */
char *debugfs_read(struct kunit *test, const char *name)
{
	struct seq_file *file, copy = { .size = SZ_128K };
	struct file *opened;
	char path[64];

	copy.buf = kunit_kzalloc(test, copy.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy.buf);
	snprintf(path, sizeof(path), "/sys/kernel/debug/rundown/%s", name);
	opened = open_as_init(path, O_RDONLY);
	if (IS_ERR(opened))
		kunit_skip(test, "%s can't be read (%ld)", path, PTR_ERR(opened));
	file = opened->private_data;
	KUNIT_EXPECT_EQ(test, 0, file->op->show(&copy, NULL));
	filp_close(opened, NULL);
	KUNIT_EXPECT_LT(test, copy.count, copy.size);
	copy.buf[min(copy.count, copy.size - 1)] = '\0';
	return copy.buf;
}

#ifdef CONFIG_KPROBES

/* Where a probed function goes that is not to run. */
static noinline notrace void return_at_once(void)
{
}

/* Only what runs from a breakpoint can be sent elsewhere; this keeps it from being optimized. */
static void keep_breakpoint(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

static int see_report(struct kprobe *kp, struct pt_regs *regs)
{
	unsigned long misuse = regs_get_kernel_argument(regs, 0);

	if (misuse < EX_MISUSE_KINDS)
		atomic_inc(&seen[misuse]);
	WRITE_ONCE(last_caller, regs_get_kernel_argument(regs, 2));
	if (!READ_ONCE(quiet))
		return 0;
	instruction_pointer_set(regs, (unsigned long)return_at_once);
	return 1;
}

NOKPROBE_SYMBOL(see_report);

static struct kprobe report_probe = {
	.symbol_name = "ex_rundown_report",
	.pre_handler = see_report,
	.post_handler = keep_breakpoint,
};

int reports_init(void)
{
	return register_kprobe(&report_probe);
}

void reports_exit(void)
{
	unregister_kprobe(&report_probe);
}

static int see_call(struct kprobe *kp, struct pt_regs *regs)
{
	struct call_probe *probe = container_of(kp, struct call_probe, kp);

	/* Not what an interrupt does on top of it. */
	if (!probe->any_task && (current != probe->task || in_serving_softirq()))
		return 0;
	if (probe->first_arg && (void *)regs_get_kernel_argument(regs, 0) != probe->first_arg)
		return 0;
	atomic_inc(&probe->calls);
	if (probe->hook)
		probe->hook(probe->arg);
	if (!probe->override)
		return 0;
	regs_set_return_value(regs, probe->value);
	instruction_pointer_set(regs, (unsigned long)return_at_once);
	return 1;
}

NOKPROBE_SYMBOL(see_call);

void call_probe_begin(struct kunit *test, struct call_probe *probe)
{
	int err;

	probe->task = current;
	probe->kp.pre_handler = see_call;
	probe->kp.post_handler = keep_breakpoint;
	err = register_kprobe(&probe->kp);
	if (err)
		kunit_skip(test, "%s can't be probed (%d)", probe->kp.symbol_name, err);
	/* Registering makes calls of its own, and so does unregistering. */
	atomic_set(&probe->calls, 0);
}

int call_probe_end(struct call_probe *probe)
{
	int calls = atomic_read(&probe->calls);

	unregister_kprobe(&probe->kp);
	return calls;
}

#else

int reports_init(void)
{
	return 0;
}

void reports_exit(void)
{
}

void call_probe_begin(struct kunit *test, struct call_probe *probe)
{
	kunit_skip(test, "no CONFIG_KPROBES: %s can't be probed", probe->kp.symbol_name);
}

int call_probe_end(struct call_probe *probe)
{
	return atomic_read(&probe->calls);
}

#endif
