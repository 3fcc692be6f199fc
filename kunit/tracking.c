// SPDX-License-Identifier: GPL-2.0
/* Compiled with EX_RUNDOWN_TRACK: who holds protection is known, and who releases none. */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/hw_breakpoint.h>
#include <linux/kmsg_dump.h>
#include <linux/ktime.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/timer.h>

#include "fixture.h"

/* Both kinds, tracked, and in functions that can be told by their names. */
struct tracked_ops {
	const struct ref_ops *untracked;
	bool (*first_acquire)(void *ref);
	bool (*second_acquire)(void *ref, u32 count);
	void (*release)(void *ref);
	void (*release_ex)(void *ref, u32 count);
};

static noinline bool first_basic_holder(void *ref)
{
	return ex_acquire_rundown_protection(ref);
}

static noinline bool second_basic_holder(void *ref, u32 count)
{
	return ex_acquire_rundown_protection_ex(ref, count);
}

static noinline bool first_cache_aware_holder(void *ref)
{
	return ex_acquire_rundown_protection_cache_aware(ref);
}

static noinline bool second_cache_aware_holder(void *ref, u32 count)
{
	return ex_acquire_rundown_protection_cache_aware_ex(ref, count);
}

static void basic_release(void *ref)
{
	ex_release_rundown_protection(ref);
}

static void basic_release_ex(void *ref, u32 count)
{
	ex_release_rundown_protection_ex(ref, count);
}

static void cache_aware_release(void *ref)
{
	ex_release_rundown_protection_cache_aware(ref);
}

static void cache_aware_release_ex(void *ref, u32 count)
{
	ex_release_rundown_protection_cache_aware_ex(ref, count);
}

#define TRACKED(kind, ops)						\
	{ ops, first_##kind##_holder, second_##kind##_holder, kind##_release, kind##_release_ex }

static const struct tracked_ops kinds[] = {
	TRACKED(basic, &basic_ops),
	TRACKED(cache_aware, &allocated_ops),
	TRACKED(cache_aware, &in_place_ops),
};

static void describe_tracked(const struct tracked_ops *ops, char *desc)
{
	strscpy(desc, ops->untracked->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(each_tracked, kinds, describe_tracked);

/* What the log says of holders since the last splat was announced: callers and counts, in order. */
struct listing {
	unsigned int holders;
	char callers[4][64];
	unsigned int counts[4];
	bool of_this_task;
	char context[16];
	/* The function that holds is in the stack of the first. */
	unsigned int frames;
};

static void listing_add(struct listing *listing, const char *line)
{
	const char *caller = strrchr(line, ':'), *times = strstr(line, " is held ");
	char self[TASK_COMM_LEN + 24];
	const char *from;
	unsigned int n = listing->holders++;

	if (n >= ARRAY_SIZE(listing->callers) || !caller || !times)
		return;
	strscpy(listing->callers[n], caller + 2, sizeof(listing->callers[n]));
	*strchrnul(listing->callers[n], '+') = '\0';
	if (sscanf(times, " is held %u times for ", &listing->counts[n]) != 1)
		listing->counts[n] = 0;
	snprintf(self, sizeof(self), " s by %s:%d, ", current->comm, current->pid);
	listing->of_this_task = strstr(times, self);
	from = strstr(times, ", from ");
	if (!from || sscanf(from, ", from %15s context", listing->context) != 1)
		listing->context[0] = '\0';
}

static struct listing *listing_read(struct kunit *test)
{
	struct listing *listing = kunit_kzalloc(test, sizeof(*listing), GFP_KERNEL);
	char *line = kunit_kzalloc(test, 1024, GFP_KERNEL);
	struct kmsg_dump_iter log;
	size_t length;

	KUNIT_ASSERT_NOT_NULL(test, listing);
	KUNIT_ASSERT_NOT_NULL(test, line);
	kmsg_dump_rewind(&log);
	while (kmsg_dump_get_line(&log, false, line, 1023, &length)) {
		line[length] = '\0';
		strim(line);
		if (strstr(line, "expect-splat begin"))
			memset(listing, 0, sizeof(*listing));
		else if (strstr(line, " is held "))
			listing_add(listing, line);
		else if (listing->holders == 1 && strstr(line, listing->callers[0]))
			listing->frames++;
	}
	return listing;
}

/* The misuse that lists the holders, and what it lists. */
static struct listing *list(struct kunit *test, struct subject *subject)
{
	EXPECT_MISUSE(test, EX_MISUSE_COMPLETED_HELD, subject_completed(subject));
	return listing_read(test);
}

static struct subject *tracked_subject(struct kunit *test, const struct tracked_ops **ops)
{
	*ops = test->param_value;
	return subject_create(test, (*ops)->untracked);
}

/* User-Mode Linux has the function, and without frame pointers no frame ever. */
static bool stacks_can_be_saved(void)
{
#ifdef CONFIG_STACKTRACE
	unsigned long frame;

	return stack_trace_save(&frame, 1, 0);
#else
	return false;
#endif
}

static void rundown_tracking_test_lists_holders(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);
	struct listing *listing;

	KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	KUNIT_ASSERT_TRUE(test, ops->second_acquire(subject->ref, 5));
	ops->release_ex(subject->ref, 2);
	listing = list(test, subject);
	KUNIT_EXPECT_EQ(test, listing->holders, 2);
	/* Oldest first. */
	KUNIT_EXPECT_NOT_NULL(test, strstr(listing->callers[0], "first_"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(listing->callers[1], "second_"));
	KUNIT_EXPECT_EQ(test, listing->counts[0], 1);
	KUNIT_EXPECT_EQ(test, listing->counts[1], 3);
	KUNIT_EXPECT_TRUE(test, listing->of_this_task);
	KUNIT_EXPECT_STREQ(test, listing->context, "task");
	KUNIT_EXPECT_EQ(test, listing->frames, stacks_can_be_saved());
	/* Of two of its own, a task releases the newer. */
	ops->release_ex(subject->ref, 3);
	ops->release(subject->ref);
	subject_wait(subject);
}

/* A reinitialize that is refused lists them, too. */
static void rundown_tracking_test_reinitialize_lists_holders(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);

	KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	EXPECT_MISUSE(test, EX_MISUSE_REINITIALIZE, subject_reinitialize(subject));
	KUNIT_EXPECT_EQ(test, listing_read(test)->holders, 1);
	ops->release(subject->ref);
}

static void rundown_tracking_test_free_lists_holders(struct kunit *test)
{
	struct ex_rundown_ref_cache_aware *ref;

	ref = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ref);
	KUNIT_ASSERT_TRUE(test, first_cache_aware_holder(ref));
	EXPECT_MISUSE(test, EX_MISUSE_FREE_HELD, ex_free_cache_aware_rundown_protection(ref));
	KUNIT_EXPECT_EQ(test, listing_read(test)->holders, 1);
	ex_release_rundown_protection_cache_aware(ref);
	ex_free_cache_aware_rundown_protection(ref);
}

/* On a live cache-aware ref nothing else could tell. */
static void rundown_tracking_test_release_of_nothing(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);

	KUNIT_ASSERT_TRUE(test, ops->second_acquire(subject->ref, 2));
	ops->release(subject->ref);
	ops->release(subject->ref);
	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 3));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, ops->release(subject->ref));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, ops->release_ex(subject->ref, 2));
	subject_completed(subject);
}

static void release_tracked(void *arg)
{
	struct subject *subject = arg;

	if (subject->ops == &basic_ops)
		basic_release(subject->ref);
	else
		cache_aware_release(subject->ref);
}

/* Handed over, and released by another task, of whom there is no record. */
static void rundown_tracking_test_handed_over(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);
	struct listing *listing;

	KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	KUNIT_ASSERT_TRUE(test, ops->second_acquire(subject->ref, 1));
	thread_join(test, thread_run(test, release_tracked, subject, ANY_CPU));
	listing = list(test, subject);
	/* What somebody forgets stays: the oldest. */
	KUNIT_EXPECT_EQ(test, listing->holders, 1);
	KUNIT_EXPECT_NOT_NULL(test, strstr(listing->callers[0], "first_"));
	ops->release(subject->ref);
}

struct hold {
	const struct tracked_ops *ops;
	struct subject *subject;
	struct completion held;
	struct completion release;
	bool granted;
};

static void hold_and_release(void *arg)
{
	struct hold *hold = arg;

	hold->granted = hold->ops->first_acquire(hold->subject->ref);
	complete(&hold->held);
	wait_for_completion_timeout(&hold->release, msecs_to_jiffies(STUCK_MS));
	if (hold->granted)
		hold->ops->release(hold->subject->ref);
}

/* A task releases its own, be another's newer; and the list goes by age, not by place. */
static void rundown_tracking_test_own_before_newer(struct kunit *test)
{
	struct hold *hold = share_zalloc(test, sizeof(*hold));
	struct listing *listing;
	struct thread *thread;

	init_completion(&hold->held);
	init_completion(&hold->release);
	hold->subject = tracked_subject(test, &hold->ops);
	thread = thread_run(test, hold_and_release, hold, ANY_CPU);
	wait_for_completion_timeout(&hold->held, msecs_to_jiffies(STUCK_MS));
	KUNIT_ASSERT_TRUE(test, hold->ops->second_acquire(hold->subject->ref, 5));
	complete(&hold->release);
	if (!thread_join(test, thread))
		return;
	/* In the place that has become free, before that of the other. */
	KUNIT_ASSERT_TRUE(test, hold->ops->first_acquire(hold->subject->ref));
	listing = list(test, hold->subject);
	KUNIT_EXPECT_EQ(test, listing->holders, 2);
	KUNIT_EXPECT_NOT_NULL(test, strstr(listing->callers[0], "second_"));
	KUNIT_EXPECT_EQ(test, listing->counts[0], 5);
	KUNIT_EXPECT_NOT_NULL(test, strstr(listing->callers[1], "first_"));
	hold->ops->release_ex(hold->subject->ref, 6);
}

/* A count that is refused takes nothing away. */
static void rundown_tracking_test_release_count_too_big(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);

	KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_COUNT,
		      ops->release_ex(subject->ref, EX_RUNDOWN_MAX_COUNT + 1));
	KUNIT_EXPECT_EQ(test, list(test, subject)->holders, 1);
	ops->release(subject->ref);
}

static void rundown_tracking_test_refused_is_not_recorded(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);

	KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	subject->ops->start(subject->ref);
	KUNIT_EXPECT_FALSE(test, ops->first_acquire(subject->ref));
	KUNIT_EXPECT_FALSE(test, ops->second_acquire(subject->ref, 2));
	KUNIT_EXPECT_EQ(test, list(test, subject)->holders, 1);
	ops->release(subject->ref);
}

/* A wait that ends early does not make anybody release. */
static void rundown_tracking_test_timeout_remembers(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);

	KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	KUNIT_EXPECT_EQ(test, subject->ops->wait_timeout(subject->ref, 1), 0);
	KUNIT_EXPECT_EQ(test, list(test, subject)->holders, 1);
	ops->release(subject->ref);
}

/* As many as the log can bear. */
#define MOST_LISTED	16

static void rundown_tracking_test_lists_some_of_many(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);
	int i;

	for (i = 0; i < MOST_LISTED + 4; i++)
		KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	KUNIT_EXPECT_EQ(test, list(test, subject)->holders, MOST_LISTED);
	ops->release_ex(subject->ref, MOST_LISTED + 4);
}

struct tracked_access {
	const struct tracked_ops *ops;
	struct subject *subject;
	bool granted;
};

static void first_acquire_here(void *arg)
{
	struct tracked_access *access = arg;

	access->granted = access->ops->first_acquire(access->subject->ref);
}

static void expect_held_from(struct kunit *test, struct tracked_access *access, const char *context)
{
	struct listing *listing;

	KUNIT_ASSERT_TRUE(test, access->granted);
	listing = list(test, access->subject);
	KUNIT_EXPECT_EQ(test, listing->holders, 1);
	KUNIT_EXPECT_STREQ(test, listing->context, context);
	access->ops->release(access->subject->ref);
}

struct tracked_hrtimer {
	struct hrtimer timer;
	struct tracked_access access;
	struct completion fired;
};

static enum hrtimer_restart first_acquire_on_hrtimer(struct hrtimer *timer)
{
	struct tracked_hrtimer *tracked = container_of(timer, struct tracked_hrtimer, timer);

	first_acquire_here(&tracked->access);
	complete(&tracked->fired);
	return HRTIMER_NORESTART;
}

/* What another CPU is sent to call, it may call from its idle task. */
static void rundown_tracking_test_from_hardirq(struct kunit *test)
{
	struct tracked_hrtimer *tracked = share_zalloc(test, sizeof(*tracked));
	bool fired;

	tracked->access.subject = tracked_subject(test, &tracked->access.ops);
	init_completion(&tracked->fired);
	hrtimer_setup(&tracked->timer, first_acquire_on_hrtimer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	hrtimer_start(&tracked->timer, ns_to_ktime(50 * NSEC_PER_USEC), HRTIMER_MODE_REL_HARD);
	fired = wait_for_completion_timeout(&tracked->fired, msecs_to_jiffies(STUCK_MS));
	hrtimer_cancel(&tracked->timer);
	KUNIT_ASSERT_TRUE(test, fired);
	expect_held_from(test, &tracked->access, "hardirq");
}

struct tracked_timer {
	struct timer_list timer;
	struct tracked_access access;
	struct completion fired;
};

static void first_acquire_on_timer(struct timer_list *timer)
{
	struct tracked_timer *tracked = timer_container_of(tracked, timer, timer);

	first_acquire_here(&tracked->access);
	complete(&tracked->fired);
}

static void rundown_tracking_test_from_softirq(struct kunit *test)
{
	struct tracked_timer *tracked = share_zalloc(test, sizeof(*tracked));
	bool fired;

	tracked->access.subject = tracked_subject(test, &tracked->access.ops);
	init_completion(&tracked->fired);
	timer_setup(&tracked->timer, first_acquire_on_timer, 0);
	mod_timer(&tracked->timer, jiffies + 1);
	fired = wait_for_completion_timeout(&tracked->fired, msecs_to_jiffies(STUCK_MS));
	timer_delete_sync(&tracked->timer);
	KUNIT_ASSERT_TRUE(test, fired);
	expect_held_from(test, &tracked->access, "softirq");
}

#if defined(CONFIG_HAVE_HW_BREAKPOINT) && defined(CONFIG_X86)
static unsigned long changed;

static void first_acquire_on_change(struct perf_event *breakpoint, struct perf_sample_data *sample,
				    struct pt_regs *regs)
{
	struct tracked_access *access = breakpoint->overflow_handler_context;

	/* Emulators stop for its neighbours, too. */
	if (READ_ONCE(changed) && !access->granted)
		first_acquire_here(access);
}

/* On x86, what comes at a data breakpoint is an NMI to the kernel. */
static void rundown_tracking_test_from_nmi(struct kunit *test)
{
	struct tracked_access access = {};
	struct perf_event_attr attr;
	struct perf_event *breakpoint;

	access.subject = tracked_subject(test, &access.ops);
	WRITE_ONCE(changed, 0);
	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)&changed;
	attr.bp_len = sizeof(changed);
	attr.bp_type = HW_BREAKPOINT_W;
	breakpoint = register_user_hw_breakpoint(&attr, first_acquire_on_change, &access, current);
	if (IS_ERR(breakpoint))
		kunit_skip(test, "no data breakpoint (%ld)", PTR_ERR(breakpoint));
	WRITE_ONCE(changed, 1);
	unregister_hw_breakpoint(breakpoint);
	expect_held_from(test, &access, "NMI");
}
#endif

/* Released by somebody who does not track: with the end of the run-down it is known to be gone. */
static void rundown_tracking_test_mixed(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);

	KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	subject_release(subject);
	subject_wait(subject);
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	KUNIT_EXPECT_EQ(test, list(test, subject)->holders, 0);
	subject_release(subject);
	/* Nor by a wait, but by looking. */
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	subject->ops->start(subject->ref);
	subject_release(subject);
	KUNIT_ASSERT_TRUE(test, subject->ops->is_complete(subject->ref));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, ops->release(subject->ref));
}

/* Memory that another ref lay in. */
static void rundown_tracking_test_initialize_forgets(struct kunit *test)
{
	struct subject *subject = subject_create(test, &in_place_ops);
	size_t size = ex_size_of_rundown_protection_cache_aware();
	struct ex_rundown_ref ref;

	ex_initialize_rundown_protection(&ref);
	KUNIT_ASSERT_TRUE(test, first_basic_holder(&ref));
	ex_initialize_rundown_protection(&ref);
	KUNIT_ASSERT_TRUE(test, basic_ops.acquire(&ref));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, basic_release(&ref));

	KUNIT_ASSERT_TRUE(test, first_cache_aware_holder(subject->ref));
	KUNIT_ASSERT_EQ(test, 0, ex_initialize_rundown_protection_cache_aware(subject->ref, size));
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, cache_aware_release(subject->ref));
}

/* Live again in a way that nobody is told of: zero-filled memory is a live ref. */
static void expect_forgotten(struct kunit *test, struct ex_rundown_ref *ref)
{
	memset(ref, 0, sizeof(*ref));
	KUNIT_ASSERT_TRUE(test, basic_ops.acquire(ref));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, basic_release(ref));
}

static void rundown_tracking_test_wait_forgets(struct kunit *test)
{
	struct ex_rundown_ref ref = EX_RUNDOWN_REF_INIT;

	KUNIT_ASSERT_TRUE(test, first_basic_holder(&ref));
	basic_ops.release(&ref);
	basic_ops.wait(&ref);
	expect_forgotten(test, &ref);
}

struct tracked_async {
	struct ex_rundown_ref ref;
	struct ex_rundown_work work;
	struct completion called;
};

static void called(struct ex_rundown_work *work)
{
	complete(&container_of(work, struct tracked_async, work)->called);
}

static void rundown_tracking_test_asynchronous_run_down_forgets(struct kunit *test)
{
	struct tracked_async *async = share_zalloc(test, sizeof(*async));

	init_completion(&async->called);
	KUNIT_ASSERT_TRUE(test, first_basic_holder(&async->ref));
	basic_ops.start_async(&async->ref, &async->work, called);
	basic_ops.release(&async->ref);
	KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&async->called,
							  msecs_to_jiffies(STUCK_MS)), 0);
	expect_forgotten(test, &async->ref);
}

static void rundown_tracking_test_cleanup_forgets(struct kunit *test)
{
	struct ex_rundown_ref_cache_aware ref;

	KUNIT_ASSERT_EQ(test, 0, ex_initialize_rundown_protection_cache_aware_ex(&ref, 0));
	KUNIT_ASSERT_TRUE(test, first_cache_aware_holder(&ref));
	allocated_ops.release(&ref);
	ex_cleanup_rundown_protection_cache_aware(&ref);
	/* Not only when another of the kind is made there. */
	expect_forgotten(test, (void *)&ref);
}

/* The table that is there at first is small; who comes later than the large one is recorded. */
#define GROWS_MS	1000
#define NOT_SO_MANY	200

static void rundown_tracking_test_table_grows(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	int i;

	KUNIT_ASSERT_TRUE(test, first_basic_holder(subject->ref));
	basic_release(subject->ref);
	msleep(GROWS_MS);
	for (i = 0; i < NOT_SO_MANY; i++)
		KUNIT_ASSERT_TRUE(test, first_basic_holder(subject->ref));
	/* By somebody who does not track: had there been no records, they would be counted on. */
	subject_release_ex(subject, NOT_SO_MANY);
	subject_wait(subject);
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, basic_release(subject->ref));
}

/* More than there are records. What could not be recorded is not held against who releases it. */
#define TOO_MANY	4500

static void rundown_tracking_test_more_than_records(struct kunit *test)
{
	const struct tracked_ops *ops = &kinds[0];
	struct subject *subject = subject_create(test, ops->untracked);
	int i;

	for (i = 0; i < TOO_MANY; i++) {
		KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
		cond_resched();
	}
	for (i = 0; i < TOO_MANY; i++) {
		ops->release(subject->ref);
		cond_resched();
	}
	/* All of these have been released; one more is one too many again. */
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, ops->release(subject->ref));
	subject_completed(subject);
}

/* So many refs that some have one hash. What one holds is not taken from another. */
#define MANY_REFS	3000

static unsigned int records_shown(struct kunit *test)
{
	char *all = debugfs_read(test, "tracked"), *text = all, *line;
	unsigned int records = 0;

	while ((line = strsep(&text, "\n")))
		records += *line && *line != ' ' && *line != '#';
	kunit_kfree(test, all);
	return records;
}

static void rundown_tracking_test_completed_forgets(struct kunit *test)
{
	const struct tracked_ops *ops;
	struct subject *subject = tracked_subject(test, &ops);
	unsigned int before = records_shown(test);

	KUNIT_ASSERT_TRUE(test, ops->first_acquire(subject->ref));
	subject_release(subject);
	KUNIT_EXPECT_EQ(test, records_shown(test), before + 1);
	subject_completed(subject);
	KUNIT_EXPECT_EQ(test, records_shown(test), before);
}

static void rundown_tracking_test_many_refs(struct kunit *test)
{
	struct ex_rundown_ref *refs = share_zalloc(test, MANY_REFS * sizeof(*refs));
	unsigned int before = records_shown(test), i;

	for (i = 0; i < MANY_REFS; i++) {
		KUNIT_ASSERT_TRUE(test, first_basic_holder(&refs[i]));
		cond_resched();
	}
	for (i = 0; i < MANY_REFS; i++) {
		basic_release(&refs[i]);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, records_shown(test), before);
}

#define HAMMER_MS	200

struct hammer {
	const struct tracked_ops *ops;
	void *ref;
	bool end;
	atomic_t handed;	/* held, for whoever comes to release it */
};

static void hammer(void *arg)
{
	struct hammer *run = arg;
	void *ref = run->ref;

	while (!READ_ONCE(run->end)) {
		if (run->ops->second_acquire(ref, 3)) {
			run->ops->release_ex(ref, 2);
			atomic_inc_return(&run->handed);
		}
		if (run->ops->first_acquire(ref))
			run->ops->release(ref);
		if (atomic_add_unless(&run->handed, -1, 0))
			run->ops->release(ref);
		cond_resched();
	}
}

static void hammer_for_a_while(struct kunit *test, struct hammer *runs, unsigned int nr_runs,
			       unsigned int threads_each)
{
	struct thread *threads[4];
	unsigned int i;

	for (i = 0; i < nr_runs * threads_each; i++)
		threads[i] = thread_run(test, hammer, &runs[i % nr_runs], ANY_CPU);
	msleep(HAMMER_MS);
	for (i = 0; i < nr_runs; i++)
		WRITE_ONCE(runs[i].end, true);
	for (i = 0; i < nr_runs * threads_each; i++)
		thread_join(test, threads[i]);
	for (i = 0; i < nr_runs; i++)
		while (atomic_add_unless(&runs[i].handed, -1, 0))
			runs[i].ops->release(runs[i].ref);
}

/* All at one record's heels, and none is blamed. */
static void rundown_tracking_test_many_at_once(struct kunit *test)
{
	struct hammer *run = share_zalloc(test, sizeof(*run));
	struct subject *subject = tracked_subject(test, &run->ops);

	run->ref = subject->ref;
	hammer_for_a_while(test, run, 1, 4);
	subject_completed(subject);
}

/* As the larger of the tables: so many hashes are there. Equal ones are in the smaller, too. */
#define TRACK_SHIFT	12
#define NEIGHBOURS	(BIT(TRACK_SHIFT) + 1)

struct neighbours {
	struct hammer runs[2];
	struct ex_rundown_ref *of_hash[BIT(TRACK_SHIFT)];
	struct ex_rundown_ref refs[NEIGHBOURS];
};

/* The same with two refs whose records are looked for in the same place. */
static void rundown_tracking_test_neighbours_at_once(struct kunit *test)
{
	struct neighbours *here = share_zalloc(test, sizeof(*here));
	unsigned int i;

	for (i = 0; i < NEIGHBOURS && !here->runs[0].ref; i++) {
		unsigned int hash = hash_ptr(&here->refs[i], TRACK_SHIFT);

		if (here->of_hash[hash]) {
			here->runs[0].ref = here->of_hash[hash];
			here->runs[1].ref = &here->refs[i];
		}
		here->of_hash[hash] = &here->refs[i];
	}
	KUNIT_ASSERT_NOT_NULL(test, here->runs[0].ref);
	for (i = 0; i < ARRAY_SIZE(here->runs); i++)
		here->runs[i].ops = &kinds[0];
	hammer_for_a_while(test, here->runs, ARRAY_SIZE(here->runs), 2);
	for (i = 0; i < ARRAY_SIZE(here->runs); i++)
		ex_wait_for_rundown_protection_release(here->runs[i].ref);
}

/* So often, unless that takes too long on an emulator. */
#define TOGETHER	500
#define TOGETHER_MS	1500

struct both {
	const struct tracked_ops *ops;
	struct subject *subject;
	bool end;
	atomic_t round;
	atomic_t released;
};

static void release_too(void *arg)
{
	struct both *both = arg;
	int round = 0;

	while (!READ_ONCE(both->end)) {
		if (atomic_read_acquire(&both->round) != round) {
			round++;
			both->ops->release(both->subject->ref);
			atomic_inc_return(&both->released);
		}
		cond_resched();
	}
}

/* From one record, which is all that there is: who finds the other at it comes again. */
static void rundown_tracking_test_two_release_at_once(struct kunit *test)
{
	struct both *both = share_zalloc(test, sizeof(*both));
	unsigned long end;
	struct thread *thread;
	int round;

	if (num_online_cpus() < 2)
		kunit_skip(test, "no CPU beside this one");
	both->subject = tracked_subject(test, &both->ops);
	thread = thread_run(test, release_too, both, other_cpu(raw_smp_processor_id()));
	end = jiffies + msecs_to_jiffies(TOGETHER_MS);
	for (round = 1; round <= TOGETHER && time_before(jiffies, end); round++) {
		if (!both->ops->second_acquire(both->subject->ref, 2))
			break;
		atomic_set_release(&both->round, round);
		ndelay(round % 16 * 100);
		both->ops->release(both->subject->ref);
		while (atomic_read(&both->released) != round && !thread_ended(thread))
			cond_resched();
	}
	WRITE_ONCE(both->end, true);
	thread_join(test, thread);
	kunit_info(test, "%d times", round);
	subject_completed(both->subject);
}

/* In debugfs, and none that somebody is at. */
static void rundown_tracking_test_shows_whole_records(struct kunit *test)
{
	struct hammer *run = share_zalloc(test, sizeof(*run));
	struct subject *subject;
	char *text, *line, ref[32], *all;
	unsigned int records = 0, of_others = 0;
	struct thread *threads[2];
	unsigned long end;
	int i;

	run->ops = &kinds[0];
	subject = subject_create(test, run->ops->untracked);
	run->ref = subject->ref;
	snprintf(ref, sizeof(ref), "%p ", run->ref);
	/* It is there all the time. Skipped before anybody runs. */
	KUNIT_ASSERT_TRUE(test, first_basic_holder(run->ref));
	kunit_kfree(test, debugfs_read(test, "tracked"));
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = thread_run(test, hammer, run, ANY_CPU);
	end = jiffies + msecs_to_jiffies(HAMMER_MS);
	while (time_before(jiffies, end)) {
		text = debugfs_read(test, "tracked");
		for (all = text; (line = strsep(&text, "\n"));) {
			if (!*line || *line == ' ' || *line == '#')
				continue;
			records++;
			of_others += !strstarts(line, ref) || !strstr(line, "_basic_holder+");
		}
		kunit_kfree(test, all);
		cond_resched();
	}
	WRITE_ONCE(run->end, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		thread_join(test, threads[i]);
	while (atomic_add_unless(&run->handed, -1, 0))
		run->ops->release(run->ref);
	basic_release(run->ref);
	KUNIT_EXPECT_GT(test, records, 0);
	KUNIT_EXPECT_EQ(test, of_others, 0);
}

static struct kunit_case rundown_tracking_cases[] = {
	KUNIT_CASE_PARAM(rundown_tracking_test_lists_holders, each_tracked_gen_params),
	KUNIT_CASE_PARAM(rundown_tracking_test_reinitialize_lists_holders, each_tracked_gen_params),
	KUNIT_CASE(rundown_tracking_test_free_lists_holders),
	KUNIT_CASE_PARAM(rundown_tracking_test_release_of_nothing, each_tracked_gen_params),
	KUNIT_CASE_PARAM(rundown_tracking_test_handed_over, each_tracked_gen_params),
	KUNIT_CASE_PARAM(rundown_tracking_test_own_before_newer, each_tracked_gen_params),
	KUNIT_CASE_PARAM(rundown_tracking_test_release_count_too_big, each_tracked_gen_params),
	KUNIT_CASE_PARAM(rundown_tracking_test_refused_is_not_recorded, each_tracked_gen_params),
	KUNIT_CASE_PARAM(rundown_tracking_test_timeout_remembers, each_tracked_gen_params),
	KUNIT_CASE_PARAM(rundown_tracking_test_lists_some_of_many, each_tracked_gen_params),
	KUNIT_CASE_PARAM(rundown_tracking_test_from_hardirq, each_tracked_gen_params),
	KUNIT_CASE_PARAM(rundown_tracking_test_from_softirq, each_tracked_gen_params),
#if defined(CONFIG_HAVE_HW_BREAKPOINT) && defined(CONFIG_X86)
	KUNIT_CASE_PARAM(rundown_tracking_test_from_nmi, each_tracked_gen_params),
#endif
	KUNIT_CASE_PARAM(rundown_tracking_test_mixed, each_tracked_gen_params),
	KUNIT_CASE(rundown_tracking_test_initialize_forgets),
	KUNIT_CASE(rundown_tracking_test_wait_forgets),
	KUNIT_CASE_PARAM(rundown_tracking_test_completed_forgets, each_tracked_gen_params),
	KUNIT_CASE(rundown_tracking_test_asynchronous_run_down_forgets),
	KUNIT_CASE(rundown_tracking_test_cleanup_forgets),
	KUNIT_CASE(rundown_tracking_test_table_grows),
	KUNIT_CASE(rundown_tracking_test_more_than_records),
	KUNIT_CASE(rundown_tracking_test_many_refs),
	KUNIT_CASE_PARAM(rundown_tracking_test_many_at_once, each_tracked_gen_params),
	KUNIT_CASE(rundown_tracking_test_neighbours_at_once),
	KUNIT_CASE_PARAM(rundown_tracking_test_two_release_at_once, each_tracked_gen_params),
	KUNIT_CASE(rundown_tracking_test_shows_whole_records),
	{}
};

static struct kunit_suite rundown_tracking_suite = {
	.name = "rundown_tracking",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_tracking_cases,
};

kunit_test_suite(rundown_tracking_suite);
