// SPDX-License-Identifier: GPL-2.0
/* What debugfs and the log say of waits, and what is counted. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kmsg_dump.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "fixture.h"

/* The line of the file that begins with @format; NULL if there is none. */
static __printf(3, 4) char *line_of(struct kunit *test, const char *file, const char *format, ...)
{
	char *text = debugfs_read(test, file), *line, begin[64];
	va_list args;

	va_start(args, format);
	vsnprintf(begin, sizeof(begin), format, args);
	va_end(args);
	while ((line = strsep(&text, "\n")))
		if (strstarts(line, begin))
			return line;
	return NULL;
}

static void rundown_watch_test_shows_waits(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct thread *waiter;
	char *line, who[64];

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 3));
	KUNIT_EXPECT_NULL(test, line_of(test, "waiters", "%p", subject->ref));
	waiter = waiter_start_blocked(test, subject);
	line = line_of(test, "waiters", "%p 3 ", subject->ref);
	KUNIT_EXPECT_NOT_NULL(test, line);
	snprintf(who, sizeof(who), " %d %s ", waiter->task->pid, waiter->task->comm);
	if (line)
		KUNIT_EXPECT_NOT_NULL(test, strstr(line, who));
	subject_release_ex(subject, 2);
	KUNIT_EXPECT_NOT_NULL(test, line_of(test, "waiters", "%p 1 ", subject->ref));
	subject_release(subject);
	thread_join(test, waiter);
	KUNIT_EXPECT_NULL(test, line_of(test, "waiters", "%p", subject->ref));
}

static unsigned long count_of(struct kunit *test, const char *what)
{
	const char *line = line_of(test, "stats", "%s: ", what);
	unsigned long count = 0;

	KUNIT_ASSERT_NOT_NULL(test, line);
	if (sscanf(line + strlen(what), ": %lu", &count) != 1)
		KUNIT_FAIL(test, "no number in '%s'", line);
	return count;
}

static void do_nothing(struct kunit *test, struct subject *subject)
{
}

static void wait_and_reinitialize(struct kunit *test, struct subject *subject)
{
	subject_wait(subject);
	subject_reinitialize(subject);
}

static void hold_for_a_tick(struct kunit *test, struct subject *subject)
{
	KUNIT_EXPECT_TRUE(test, subject_acquire(subject));
	KUNIT_EXPECT_EQ(test, 0, subject->ops->wait_timeout(subject->ref, 1));
	subject_release(subject);
	wait_and_reinitialize(test, subject);
}

static void hold_and_poll(struct kunit *test, struct subject *subject)
{
	KUNIT_EXPECT_TRUE(test, subject_acquire(subject));
	KUNIT_EXPECT_EQ(test, 0, subject->ops->wait_timeout(subject->ref, 0));
	subject_release(subject);
	wait_and_reinitialize(test, subject);
}

static void hold_while_signalled(struct kunit *test, struct subject *subject)
{
	KUNIT_EXPECT_TRUE(test, subject_acquire(subject));
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS,
			subject->ops->wait_interruptible(subject->ref));
	flush_signals(current);
	disallow_signal(SIGUSR1);
	subject_release(subject);
	wait_and_reinitialize(test, subject);
}

static void reinitialize_live(struct kunit *test, struct subject *subject)
{
	EXPECT_MISUSE(test, EX_MISUSE_REINITIALIZE, subject_reinitialize(subject));
}

/* What is done, and how often that is counted under each name. */
static const struct {
	void (*fn)(struct kunit *test, struct subject *subject);
	unsigned int rundowns, waits, slept, timed_out, interrupted, misuses;
} counted[] = {
	{ do_nothing },
	{ wait_and_reinitialize, .rundowns = 1, .waits = 1 },
	{ hold_for_a_tick, .rundowns = 1, .waits = 2, .slept = 1, .timed_out = 1 },
	{ hold_and_poll, .rundowns = 1, .waits = 2, .timed_out = 1 },
	{ hold_while_signalled, .rundowns = 1, .waits = 2, .slept = 1, .interrupted = 1 },
	{ reinitialize_live, .misuses = 1 },
};

/* How many are counted as having slept less than some bound between these, in us. */
static unsigned long sleeps_between(struct kunit *test, unsigned long least, unsigned long most)
{
	char *text = debugfs_read(test, "stats"), *line;
	unsigned long sum = 0, count, us = 0;

	while ((line = strsep(&text, "\n"))) {
		if (sscanf(line, "slept longer: %lu", &count) == 1)
			us = ULONG_MAX;
		else if (sscanf(line, "slept less than %lu us: %lu", &us, &count) != 2)
			continue;
		if (us >= least && us <= most)
			sum += count;
	}
	return sum;
}

static unsigned long slept_at_all(struct kunit *test)
{
	return sleeps_between(test, 0, ULONG_MAX);
}

static void rundown_watch_test_counts(struct kunit *test)
{
	static const char misuse[] =
		"misuse, reinitializes a ref that is not run down; refused";
	struct subject *subject = test_subject(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(counted); i++) {
		unsigned long rundowns = count_of(test, "run-downs");
		unsigned long waits = count_of(test, "waits");
		unsigned long sleepers = count_of(test, "waits that slept");
		unsigned long timed_out = count_of(test, "waits that timed out");
		unsigned long interrupted = count_of(test, "waits that were interrupted");
		unsigned long misuses = count_of(test, misuse), sleeps = slept_at_all(test);

		counted[i].fn(test, subject);
		KUNIT_EXPECT_EQ(test, count_of(test, "run-downs") - rundowns, counted[i].rundowns);
		KUNIT_EXPECT_EQ(test, count_of(test, "waits") - waits, counted[i].waits);
		KUNIT_EXPECT_EQ(test, count_of(test, "waits that slept") - sleepers,
				counted[i].slept);
		KUNIT_EXPECT_EQ(test, slept_at_all(test) - sleeps, counted[i].slept);
		KUNIT_EXPECT_EQ(test, count_of(test, "waits that timed out") - timed_out,
				counted[i].timed_out);
		KUNIT_EXPECT_EQ(test, count_of(test, "waits that were interrupted") - interrupted,
				counted[i].interrupted);
		KUNIT_EXPECT_EQ(test, count_of(test, misuse) - misuses, counted[i].misuses);
	}
}

/* Half a second, on a machine whose jiffies may be late, but not for a minute. */
#define LEAST_US	BIT(17)
#define MOST_US		BIT(26)

static void rundown_watch_test_counts_by_time(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	unsigned long before = sleeps_between(test, LEAST_US, MOST_US), all = slept_at_all(test);

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	KUNIT_EXPECT_EQ(test, 0, subject->ops->wait_timeout(subject->ref, HZ / 2));
	KUNIT_EXPECT_EQ(test, sleeps_between(test, LEAST_US, MOST_US), before + 1);
	KUNIT_EXPECT_EQ(test, slept_at_all(test), all + 1);
	subject_release(subject);
}

#define PARAMETERS	"/sys/module/rundown/parameters/"

static int set_parameter(struct kunit *test, const char *path, const char *value)
{
	struct file *file = open_as_init(path, O_WRONLY);
	ssize_t written;
	loff_t at = 0;

	if (IS_ERR(file))
		kunit_skip(test, "%s can't be written (%ld)", path, PTR_ERR(file));
	written = kernel_write(file, value, strlen(value), &at);
	filp_close(file, NULL);
	return min(written, 0L);
}

static int set_warn_secs(struct kunit *test, const char *value)
{
	return set_parameter(test, PARAMETERS "hung_warn_secs", value);
}

static int set_warnings(struct kunit *test, const char *value)
{
	return set_parameter(test, PARAMETERS "hung_warnings", value);
}

static int warnings_left(struct kunit *test)
{
	struct file *file = open_as_init(PARAMETERS "hung_warnings", O_RDONLY);
	char text[16] = "";
	loff_t at = 0;
	int left;

	if (IS_ERR(file))
		kunit_skip(test, "no parameters in sysfs (%ld)", PTR_ERR(file));
	kernel_read(file, text, sizeof(text) - 1, &at);
	filp_close(file, NULL);
	KUNIT_ASSERT_EQ(test, 0, kstrtoint(strim(text), 10, &left));
	return left;
}

#define LOG_MARK	"rundown_watch: a test begins to read the log"

/* Refs of other tests may have had the same address. */
static void log_mark(void)
{
	pr_info(LOG_MARK "\n");
}

/* What the log says of waits on a ref since log_mark(). */
struct wait_reports {
	unsigned int lines;
	unsigned int stacks;
	unsigned int more;		/* waits beside the one that is named, the last time */
	unsigned int closings;		/* lines that say that there will be no more, of any ref */
};

static struct wait_reports reports_of(struct kunit *test, struct subject *subject)
{
	char *line = kunit_kzalloc(test, 1024, GFP_KERNEL), what[64], *more;
	struct wait_reports reports = {};
	struct kmsg_dump_iter log;
	bool wait = false;
	size_t length;

	KUNIT_ASSERT_NOT_NULL(test, line);
	snprintf(what, sizeof(what), "release of protection on ref %p: 1 held", subject->ref);
	kmsg_dump_rewind(&log);
	while (kmsg_dump_get_line(&log, false, line, 1023, &length)) {
		line[length] = '\0';
		more = strstr(line, "rundown: and ");
		if (strstr(line, LOG_MARK)) {
			reports = (struct wait_reports){};
		} else if (strstr(line, "rundown: no more long waits")) {
			reports.closings++;
		} else if (strstr(line, what)) {
			wait = true;
			reports.lines++;
			reports.more = 0;
		} else if (wait && more) {
			if (sscanf(more, "rundown: and %u more wait for it", &reports.more) != 1)
				KUNIT_FAIL(test, "no number in '%s'", more);
		} else if (wait && strstr(line, "Call")) {
			wait = false;
			reports.stacks++;
		}
	}
	kunit_kfree(test, line);
	return reports;
}

/* Of each of these refs, within a time that is enough for any. */
static void expect_reports(struct kunit *test, struct subject **subjects, unsigned int n,
			   unsigned int times)
{
	unsigned long end = jiffies + msecs_to_jiffies(STUCK_MS);
	unsigned int i;

	for (i = 0; i < n; i++) {
		while (reports_of(test, subjects[i]).lines < times && time_before(jiffies, end))
			msleep(50);
		KUNIT_EXPECT_GE(test, reports_of(test, subjects[i]).lines, times);
	}
}

/* With stacks: after one second, and after two more. */
static void expect_stacks(struct kunit *test, struct subject *subject, unsigned int times)
{
	unsigned long end = jiffies + msecs_to_jiffies(STUCK_MS);

	while (reports_of(test, subject).stacks < times && time_before(jiffies, end))
		msleep(50);
	KUNIT_EXPECT_GE(test, reports_of(test, subject).stacks, times);
	/* The rest of the stack. */
	msleep(200);
}

static void reports_long_waits(struct kunit *test, const struct ref_ops *ops)
{
	struct subject *subject = subject_create(test, ops);
	struct thread *waiter;
	unsigned long begin;

	KUNIT_EXPECT_EQ(test, set_warnings(test, "10"), 0);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	begin = jiffies;
	waiter = waiter_start_blocked(test, subject);
	/* It waits already. */
	log_mark();
	splat_begin("Call");
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "1"), 0);
	expect_stacks(test, subject, 2);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, begin + 3 * HZ));
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "1"), 0);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "0"), 0);
	/* The time of a report that is no longer wanted. */
	msleep(1500);
	splat_end();
	subject_release(subject);
	thread_join(test, waiter);

	/* It begins to wait afterwards. */
	subject_reinitialize(subject);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "1"), 0);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	log_mark();
	splat_begin("Call");
	waiter = waiter_start_blocked(test, subject);
	expect_stacks(test, subject, 1);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "60"), 0);
	/* One more may be under way. */
	msleep(200);
	splat_end();
	subject_release(subject);
	thread_join(test, waiter);
}

static void rundown_watch_test_reports_long_basic_waits(struct kunit *test)
{
	reports_long_waits(test, &basic_ops);
}

static void rundown_watch_test_reports_long_cache_aware_waits(struct kunit *test)
{
	reports_long_waits(test, &allocated_ops);
}

struct async {
	struct ex_rundown_work work;
	struct completion called;
};

static void called(struct ex_rundown_work *work)
{
	complete(&container_of(work, struct async, work)->called);
}

/* A run-down that nobody sleeps for, of a ref that is held. */
static struct async *async_start(struct kunit *test, struct subject *subject)
{
	struct async *async = share_zalloc(test, sizeof(*async));

	init_completion(&async->called);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	subject->ops->start_async(subject->ref, &async->work, called);
	return async;
}

static void async_end(struct kunit *test, struct subject *subject, struct async *async)
{
	subject_release(subject);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&async->called,
							  msecs_to_jiffies(STUCK_MS)), 0);
}

static void rundown_watch_test_shows_asynchronous_run_downs(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct async *async = async_start(test, subject);
	const char *line = line_of(test, "waiters", "%p 1 ", subject->ref);

	KUNIT_EXPECT_NOT_NULL(test, line);
	if (line)
		KUNIT_EXPECT_NOT_NULL(test, strstr(line, " 0 asynchronous "));
	/* Who asked for it. */
	if (line && IS_ENABLED(CONFIG_KALLSYMS))
		KUNIT_EXPECT_NOT_NULL(test, strstr(line, "[rundown_kunit]"));
	async_end(test, subject, async);
	KUNIT_EXPECT_NULL(test, line_of(test, "waiters", "%p", subject->ref));
}

/* There is no stack. */
static void rundown_watch_test_reports_long_asynchronous_run_downs(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	struct async *async;

	log_mark();
	KUNIT_EXPECT_EQ(test, set_warnings(test, "10"), 0);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "1"), 0);
	async = async_start(test, subject);
	expect_reports(test, &subject, 1, 1);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "60"), 0);
	async_end(test, subject, async);
}

/* A ref that is held, and a thread that waits for it. */
static struct subject *hung_subject(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	waiter_start_blocked(test, subject);
	return subject;
}

static void wait_for_signal(void *arg)
{
	struct subject *subject = arg;

	allow_signal(SIGUSR1);
	subject->ops->wait_interruptible(subject->ref);
}

/*
 * They have waited for longer than the first two pauses. After the first report the oldest, which
 * was named, gives up, and others come.
 */
static void rundown_watch_test_reports_ref_once_a_period(struct kunit *test)
{
	enum { EARLY = 20, LATE = 5 };
	struct subject *subject = subject_create(test, &basic_ops);
	struct async *async = async_start(test, subject);
	unsigned long end, begin, least;
	struct wait_reports reports;
	struct thread *oldest;
	int i;

	KUNIT_EXPECT_EQ(test, set_warnings(test, "-1"), 0);
	oldest = thread_run(test, wait_for_signal, subject, ANY_CPU);
	waiter_expect_blocked(test, subject, oldest);
	for (i = 0; i < EARLY - 1; i++)
		waiter_start_blocked(test, subject);
	msleep(3500);
	log_mark();
	splat_begin("Call");
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "1"), 0);
	expect_stacks(test, subject, 1);
	/* The others, and the asynchronous one. */
	KUNIT_EXPECT_EQ(test, reports_of(test, subject).more, EARLY);
	send_sig(SIGUSR1, oldest->task, 1);
	thread_join(test, oldest);
	for (i = 0; i < LATE; i++)
		waiter_start_blocked(test, subject);
	end = jiffies + msecs_to_jiffies(STUCK_MS);
	do {
		msleep(50);
		reports = reports_of(test, subject);
	} while (reports.more != EARLY - 1 + LATE && time_before(jiffies, end));
	KUNIT_EXPECT_EQ(test, reports.more, EARLY - 1 + LATE);
	/* One at once, one after two seconds, one after four more, ... */
	KUNIT_EXPECT_LE(test, reports.lines, 10);
	least = ((2UL << min(reports.lines - 1, 9U)) - 2) * HZ;
	KUNIT_EXPECT_GE(test, jiffies - begin, least);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "60"), 0);
	/* One more may be under way. */
	msleep(200);
	splat_end();
	KUNIT_EXPECT_EQ(test, set_warnings(test, "10"), 0);
	async_end(test, subject, async);
}

static void rundown_watch_test_reports_as_many_as_it_may(struct kunit *test)
{
	enum { REFS = 5, MOST = 3 };
	struct subject *subjects[REFS];
	unsigned long end = jiffies + msecs_to_jiffies(STUCK_MS);
	unsigned int i, lines = 0;

	for (i = 0; i < REFS; i++)
		subjects[i] = hung_subject(test);
	/* So that all of them are overdue at once. */
	msleep(1500);
	log_mark();
	splat_begin("Call");
	KUNIT_EXPECT_EQ(test, set_warnings(test, "3"), 0);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "1"), 0);
	while (!reports_of(test, subjects[0]).closings && time_before(jiffies, end))
		msleep(50);
	KUNIT_EXPECT_EQ(test, warnings_left(test), 0);
	/* The time of more reports. */
	msleep(1500);
	for (i = 0; i < REFS; i++)
		lines += reports_of(test, subjects[i]).lines;
	KUNIT_EXPECT_EQ(test, lines, MOST);
	KUNIT_EXPECT_EQ(test, reports_of(test, subjects[0]).closings, 1);
	/* For those that wait already. */
	KUNIT_EXPECT_EQ(test, set_warnings(test, "20"), 0);
	expect_reports(test, subjects, REFS, 1);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "60"), 0);
	/* One more may be under way. */
	msleep(200);
	splat_end();
	KUNIT_EXPECT_EQ(test, set_warnings(test, "10"), 0);
	for (i = 0; i < REFS; i++)
		subject_release(subjects[i]);
}

static void rundown_watch_test_reports_without_limit(struct kunit *test)
{
	/* More than are reported at a time. */
	enum { REFS = 13 };
	struct subject *subjects[REFS];
	unsigned int i;

	for (i = 0; i < REFS; i++)
		subjects[i] = hung_subject(test);
	log_mark();
	splat_begin("Call");
	KUNIT_EXPECT_EQ(test, set_warnings(test, "-1"), 0);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "1"), 0);
	expect_reports(test, subjects, REFS, 1);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "60"), 0);
	KUNIT_EXPECT_EQ(test, warnings_left(test), -1);
	KUNIT_EXPECT_EQ(test, reports_of(test, subjects[0]).closings, 0);
	/* One more may be under way. */
	msleep(200);
	splat_end();
	KUNIT_EXPECT_EQ(test, set_warnings(test, "10"), 0);
	for (i = 0; i < REFS; i++)
		subject_release(subjects[i]);
}

/* Nor does the work run that looks for overdue waits. */
static void rundown_watch_test_reports_none(struct kunit *test)
{
	struct call_probe works = { .kp.symbol_name = "ex_watch", .any_task = true };
	struct subject *subject;
	int before;

	call_probe_begin(test, &works);
	KUNIT_EXPECT_EQ(test, set_warnings(test, "0"), 0);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "1"), 0);
	before = atomic_read(&works.calls);
	log_mark();
	subject = hung_subject(test);
	msleep(1500);
	KUNIT_EXPECT_EQ(test, call_probe_end(&works), before);
	KUNIT_EXPECT_EQ(test, reports_of(test, subject).lines, 0);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "60"), 0);
	KUNIT_EXPECT_EQ(test, set_warnings(test, "10"), 0);
	subject_release(subject);
}

static void rundown_watch_test_refuses_bad_numbers_of_warnings(struct kunit *test)
{
	static const char * const good[] = { "-1", "0", "2147483647", "10" };
	int i, value;

	KUNIT_EXPECT_EQ(test, set_warnings(test, "7"), 0);
	KUNIT_EXPECT_EQ(test, set_warnings(test, "many"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_warnings(test, "1.5"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_warnings(test, "-2"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_warnings(test, "2147483648"), -ERANGE);
	KUNIT_EXPECT_EQ(test, warnings_left(test), 7);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		KUNIT_EXPECT_EQ(test, set_warnings(test, good[i]), 0);
		KUNIT_EXPECT_EQ(test, kstrtoint(good[i], 10, &value), 0);
		KUNIT_EXPECT_EQ(test, warnings_left(test), value);
	}
}

static void rundown_watch_test_refuses_bad_times(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "never"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "4294967296"), -ERANGE);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "4294967295"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "2001"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "2000"), 0);
	KUNIT_EXPECT_EQ(test, set_warn_secs(test, "60"), 0);
}

#ifdef CONFIG_TRACEPOINTS
/* The tracepoints of waits, and what came by. */
struct traced {
	const void *ref;
	struct tracepoint *begin;
	struct tracepoint *end;
	unsigned int begun;
	unsigned int ended;
	u64 ns;
	long left;
};

static struct traced traced;

static void see_begin(void *data, const void *ref, unsigned long caller)
{
	if (ref == traced.ref)
		traced.begun++;
}

static void see_end(void *data, const void *ref, unsigned long caller, u64 ns, long left)
{
	if (ref != traced.ref)
		return;
	traced.ended++;
	traced.ns = ns;
	traced.left = left;
}

/* Registering it shows all modules that have tracepoints. */
static int find_tracepoints(struct notifier_block *block, unsigned long state, void *data)
{
	struct tp_module *tracing = data;
	int i;

	if (strcmp(tracing->mod->name, "rundown"))
		return NOTIFY_DONE;
	for (i = 0; i < tracing->mod->num_tracepoints; i++) {
		struct tracepoint *one = tracepoint_ptr_deref(&tracing->mod->tracepoints_ptrs[i]);

		if (!strcmp(one->name, "rundown_wait_begin"))
			traced.begin = one;
		if (!strcmp(one->name, "rundown_wait_end"))
			traced.end = one;
	}
	return NOTIFY_OK;
}

static struct notifier_block tracepoints = { .notifier_call = find_tracepoints };

static void expect_traced(struct kunit *test, unsigned int waits, long left)
{
	KUNIT_EXPECT_EQ(test, traced.begun, waits);
	KUNIT_EXPECT_EQ(test, traced.ended, waits);
	KUNIT_EXPECT_EQ(test, traced.left, left);
}

static void rundown_watch_test_traces_waits(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	memset(&traced, 0, sizeof(traced));
	traced.ref = subject->ref;
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	register_tracepoint_module_notifier(&tracepoints);
	unregister_tracepoint_module_notifier(&tracepoints);
	KUNIT_ASSERT_NOT_NULL(test, traced.begin);
	KUNIT_ASSERT_NOT_NULL(test, traced.end);
	tracepoint_probe_register(traced.end, see_end, NULL);
	/* One whose begin was not traced. */
	KUNIT_EXPECT_EQ(test, subject->ops->wait_timeout(subject->ref, 1), 0);
	KUNIT_EXPECT_EQ(test, traced.ended, 1);
	KUNIT_EXPECT_EQ(test, traced.ns, 0);
	traced.ended = 0;
	tracepoint_probe_register(traced.begin, see_begin, NULL);
	KUNIT_EXPECT_EQ(test, subject->ops->wait_timeout(subject->ref, HZ / 4), 0);
	expect_traced(test, 1, 0);
	/* Jiffies may have been late when the wait began. */
	KUNIT_EXPECT_GT(test, traced.ns, NSEC_PER_SEC / 10);
	subject_release(subject);
	KUNIT_EXPECT_EQ(test, subject->ops->wait_timeout(subject->ref, 7), 7);
	expect_traced(test, 2, 7);
	tracepoint_probe_unregister(traced.begin, see_begin, NULL);
	tracepoint_probe_unregister(traced.end, see_end, NULL);
	tracepoint_synchronize_unregister();
}
#endif

/* A file that can't be read must not be met by a test that holds protection. */
static int watch_init(struct kunit *test)
{
	int err = fixture_init(test);

	if (!err) {
		kunit_kfree(test, debugfs_read(test, "stats"));
		warnings_left(test);
	}
	return err;
}

static struct kunit_case rundown_watch_cases[] = {
	KUNIT_CASE_PARAM(rundown_watch_test_shows_waits, each_main_kind),
	KUNIT_CASE_PARAM(rundown_watch_test_counts, each_main_kind),
	KUNIT_CASE_PARAM(rundown_watch_test_counts_by_time, each_main_kind),
	KUNIT_CASE_PARAM(rundown_watch_test_shows_asynchronous_run_downs, each_main_kind),
	KUNIT_CASE(rundown_watch_test_reports_long_basic_waits),
	KUNIT_CASE(rundown_watch_test_reports_long_cache_aware_waits),
	KUNIT_CASE_PARAM(rundown_watch_test_reports_long_asynchronous_run_downs,
			 each_main_kind),
	KUNIT_CASE(rundown_watch_test_reports_ref_once_a_period),
	KUNIT_CASE(rundown_watch_test_reports_as_many_as_it_may),
	KUNIT_CASE(rundown_watch_test_reports_without_limit),
	KUNIT_CASE(rundown_watch_test_reports_none),
	KUNIT_CASE(rundown_watch_test_refuses_bad_times),
	KUNIT_CASE(rundown_watch_test_refuses_bad_numbers_of_warnings),
#ifdef CONFIG_TRACEPOINTS
	KUNIT_CASE_PARAM(rundown_watch_test_traces_waits, each_main_kind),
#endif
	{}
};

static struct kunit_suite rundown_watch_suite = {
	.name = "rundown_watch",
	.init = watch_init,
	.exit = fixture_exit,
	.test_cases = rundown_watch_cases,
};

kunit_test_suite(rundown_watch_suite);
