// SPDX-License-Identifier: GPL-2.0
/*
 * Two that meet: one does something while the other is in the midst of what it does. In the first
 * tests that is arranged; in the last it is left to chance, and chance is helped.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "fixture.h"

/*
 * Somebody is held up in the middle of a run-down or a reinitialize, at a function that it calls,
 * until another thread has come upon that and sleeps, or has done what it does.
 */
#define HALF_WAY_MS	300

struct half_way {
	struct subject *subject;
	struct thread *other;
	const atomic_long_t *word;
	long before;
	int accesses;
	int nth;
	bool granted;
	void (*what)(struct subject *subject);
	bool here;
	bool go;
	bool held_up;
	bool ended;
};

/* A probe's hook: interrupts may be off, and no lock is to be taken. */
static void hold_up(void *arg)
{
	struct half_way *half_way = arg;
	int us;

	if (half_way->held_up)
		return;
	half_way->held_up = true;
	WRITE_ONCE(half_way->go, true);
	for (us = 0; us < HALF_WAY_MS * 1000; us += 5) {
		if (READ_ONCE(half_way->ended) ||
		    READ_ONCE(half_way->other->task->__state) & TASK_UNINTERRUPTIBLE)
			break;
		udelay(5);
	}
}

static void go_half_way(struct half_way *half_way)
{
	while (!READ_ONCE(half_way->go))
		cond_resched();
}

static void wait_half_way(void *arg)
{
	struct half_way *half_way = arg;

	go_half_way(half_way);
	subject_wait(half_way->subject);
	WRITE_ONCE(half_way->ended, true);
}

static void reinitialize_half_way(void *arg)
{
	struct half_way *half_way = arg;

	go_half_way(half_way);
	subject_reinitialize(half_way->subject);
	WRITE_ONCE(half_way->ended, true);
}

/* Skips the test before it holds anything. */
static struct subject *meeting_create(struct kunit *test, const struct ref_ops *ops)
{
	if (num_online_cpus() < 2)
		kunit_skip(test, "no CPU beside this one");
	return subject_create(test, ops);
}

/* This thread calls @fn, and is held up in the first call of @function; @other runs meanwhile. */
static void meet_half_way(struct kunit *test, struct subject *subject,
			  void (*fn)(struct subject *subject), const char *function,
			  const void *first_arg, void (*other)(void *arg))
{
	struct half_way *half_way = share_zalloc(test, sizeof(*half_way));
	struct call_probe probe = {
		.kp.symbol_name = function,
		.first_arg = first_arg,
		.hook = hold_up,
		.arg = half_way,
	};

	half_way->subject = subject;
	/* Registering calls some of the functions, too. */
	half_way->held_up = true;
	call_probe_begin(test, &probe);
	half_way->other = thread_run(test, other, half_way, ANY_CPU);
	WRITE_ONCE(half_way->held_up, false);
	fn(subject);
	WRITE_ONCE(half_way->held_up, true);
	/* Else the other is stuck. */
	WRITE_ONCE(half_way->go, true);
	KUNIT_EXPECT_GE(test, call_probe_end(&probe), 1);
	thread_join(test, half_way->other);
}

/* And that it can be opened again. */
static void expect_run_down(struct kunit *test, struct subject *subject)
{
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

/* The function in which all CPUs are interrupted, by those that are. */
static const char *tour(struct kunit *test)
{
	if (!EX_RUNDOWN_PLAIN_SLOTS)
		kunit_skip(test, "this architecture's slots are all LOCKed ones");
	return "on_each_cpu_cond_mask";
}

static void rundown_meetings_test_wait_meets_tour(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &allocated_ops);

	meet_half_way(test, subject, subject_wait, tour(test), NULL, wait_half_way);
	expect_run_down(test, subject);
}

/* It runs the ref down, which that has made live. */
static void rundown_meetings_test_wait_meets_reinitialize(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &allocated_ops);

	subject_wait(subject);
	meet_half_way(test, subject, subject_reinitialize, tour(test), NULL, wait_half_way);
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
	KUNIT_EXPECT_FALSE(test, subject_acquire_on(subject, other_cpu(raw_smp_processor_id())));
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

/* Set by who holds the ref, before the release. */
static bool holder_is_through;
static bool ended_before_holder;

static void complete_and_release(struct subject *subject)
{
	subject_completed(subject);
	WRITE_ONCE(holder_is_through, true);
	subject_release(subject);
}

static void wait_for_holder(void *arg)
{
	struct half_way *half_way = arg;

	go_half_way(half_way);
	subject_wait(half_way->subject);
	ended_before_holder = !READ_ONCE(holder_is_through);
	WRITE_ONCE(half_way->ended, true);
}

static void wait_for_holder_of_many(void *arg)
{
	struct half_way *half_way = arg;
	struct ex_rundown_ref_cache_aware *ref = half_way->subject->ref;

	go_half_way(half_way);
	ex_rundown_wait_many_cache_aware(&ref, 1);
	ended_before_holder = !READ_ONCE(holder_is_through);
	WRITE_ONCE(half_way->ended, true);
}

/* What is held is in a slot that the tour has not come to. */
static void wait_meets_tour_of_held(struct kunit *test, void (*wait)(void *arg))
{
	struct subject *subject = meeting_create(test, &allocated_ops);
	const char *function = tour(test);

	misuse_quiet_begin(test);
	holder_is_through = false;
	ended_before_holder = false;
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	meet_half_way(test, subject, complete_and_release, function, NULL, wait);
	misuse_quiet_end(test);
	misuse_allow(EX_MISUSE_COMPLETED_HELD);
	KUNIT_EXPECT_FALSE(test, ended_before_holder);
	KUNIT_EXPECT_FALSE(test, subject_acquire(subject));
}

static void rundown_meetings_test_wait_meets_tour_of_held(struct kunit *test)
{
	wait_meets_tour_of_held(test, wait_for_holder);
}

static void rundown_meetings_test_many_meets_tour_of_held(struct kunit *test)
{
	wait_meets_tour_of_held(test, wait_for_holder_of_many);
}

/* It has run the ref down; that somebody opens it before it looks is not held against anybody. */
static void rundown_meetings_test_completed_meets_reinitialize(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &in_place_ops);
	struct ex_rundown_ref_cache_aware *ref = subject->ref;

	meet_half_way(test, subject, subject_completed, "ex_drain_wake", &ref->outstanding,
		      reinitialize_half_way);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

struct late_function {
	struct ex_rundown_work work;
	struct completion called;
};

static void call_late(struct ex_rundown_work *work)
{
	complete(&container_of(work, struct late_function, work)->called);
}

/* The last release is about to look who is to be told; the ref is open again by then. */
static void rundown_meetings_test_function_meets_reinitialize(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &in_place_ops);
	struct late_function *late = share_zalloc(test, sizeof(*late));
	struct ex_rundown_ref_cache_aware *ref = subject->ref;

	if (!IS_ENABLED(CONFIG_KPROBES))
		kunit_skip(test, "no CONFIG_KPROBES");
	init_completion(&late->called);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	ex_rundown_start_async_cache_aware(ref, &late->work, call_late);
	meet_half_way(test, subject, subject_release, "ex_drain_wake", &ref->outstanding,
		      reinitialize_half_way);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&late->called,
							  msecs_to_jiffies(STUCK_MS)), 0);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

/* The first has made the count dead, and not added yet what it found: the second waits for it. */
static void rundown_meetings_test_wait_meets_basic_wait(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	meet_half_way(test, subject, subject_wait, "ex_drain_settle", &ref->outstanding,
		      wait_half_way);
	expect_run_down(test, subject);
}

/* The ref is live, and still claimed: the wait runs it down, and returns when the claim is gone. */
static void rundown_meetings_test_wait_meets_basic_reinitialize(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	subject_wait(subject);
	meet_half_way(test, subject, subject_reinitialize, "ex_drain_settle", &ref->outstanding,
		      wait_half_way);
	expect_run_down(test, subject);
}

#if defined(CONFIG_HAVE_HW_BREAKPOINT) && defined(CONFIG_X86)
/* Between two instructions: held up by a data breakpoint, which x86 has trap after the change. */
static void on_change(struct perf_event *breakpoint, struct perf_sample_data *sample,
		      struct pt_regs *regs)
{
	struct half_way *half_way = breakpoint->overflow_handler_context;

	/* Emulators stop for its neighbours, too. */
	if (atomic_long_read(half_way->word) != half_way->before)
		hold_up(half_way);
}

/*
 * This thread calls @fn, and is held up when it has changed @word for the first time; if it does
 * not, @other runs afterwards. Returns whether it did.
 */
static bool meet_at_any_change(struct kunit *test, struct subject *subject,
			       void (*fn)(struct subject *subject), const atomic_long_t *word,
			       void (*other)(void *arg))
{
	struct half_way *half_way = share_zalloc(test, sizeof(*half_way));
	int here = cpumask_first(cpu_online_mask), there = other_cpu(here);
	struct perf_event_attr attr;
	struct perf_event *breakpoint;
	bool held_up;

	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)word;
	attr.bp_len = sizeof(*word);
	attr.bp_type = HW_BREAKPOINT_W;
	half_way->subject = subject;
	half_way->word = word;
	half_way->before = atomic_long_read(word);
	half_way->held_up = true;
	breakpoint = register_user_hw_breakpoint(&attr, on_change, half_way, current);
	if (IS_ERR(breakpoint))
		kunit_skip(test, "no data breakpoint (%ld)", PTR_ERR(breakpoint));
	/* The other has a CPU to itself while this one is held up. */
	set_cpus_allowed_ptr(current, cpumask_of(here));
	half_way->other = thread_run(test, other, half_way, there);
	WRITE_ONCE(half_way->held_up, false);
	fn(subject);
	held_up = half_way->held_up;
	half_way->held_up = true;
	WRITE_ONCE(half_way->go, true);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	unregister_hw_breakpoint(breakpoint);
	thread_join(test, half_way->other);
	return held_up;
}

static void meet_at_change(struct kunit *test, struct subject *subject,
			   void (*fn)(struct subject *subject), const atomic_long_t *word,
			   void (*other)(void *arg))
{
	KUNIT_EXPECT_TRUE_MSG(test, meet_at_any_change(test, subject, fn, word, other),
			      "the word was not changed");
}

static void release_half_way(void *arg)
{
	struct half_way *half_way = arg;

	go_half_way(half_way);
	subject_release(half_way->subject);
	WRITE_ONCE(half_way->ended, true);
}

/* The last release finds the count dead, and what the run-down found is not added yet. */
static void rundown_meetings_test_release_meets_dead_count(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	meet_at_change(test, subject, subject_completed, &ref->count, release_half_way);
	expect_run_down(test, subject);
}

/* Both found the ref live. The other has made the count dead by the time the first wants to. */
static void rundown_meetings_test_wait_meets_bias(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	meet_at_change(test, subject, subject_wait, &ref->outstanding, wait_half_way);
	expect_run_down(test, subject);
}

static void reinitialize_and_release(struct subject *subject)
{
	subject_reinitialize(subject);
	subject_release(subject);
}

/* The ref is held, and live when it is claimed; when its count is looked at, it is not. */
static void rundown_meetings_test_wait_meets_claim(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	misuse_quiet_begin(test);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	meet_at_change(test, subject, reinitialize_and_release, &ref->outstanding, wait_half_way);
	misuse_quiet_end(test);
	KUNIT_EXPECT_EQ(test, misuse_count(EX_MISUSE_REINITIALIZE), 1);
	misuse_allow(EX_MISUSE_REINITIALIZE);
	expect_run_down(test, subject);
}

/* As the wait; if it takes the dead count for what is held, it says so and does not sleep. */
static void rundown_meetings_test_completed_meets_bias(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	meet_at_change(test, subject, subject_completed, &ref->outstanding, wait_half_way);
	expect_run_down(test, subject);
}

static bool looked_complete;

static void look_half_way(void *arg)
{
	struct half_way *half_way = arg;

	go_half_way(half_way);
	looked_complete = half_way->subject->ops->is_complete(half_way->subject->ref);
	WRITE_ONCE(half_way->ended, true);
}

/* What is run down stays so in the midst of one more wait. */
static void rundown_meetings_test_look_meets_second_wait(struct kunit *test)
{
	struct subject *subject = meeting_create(test, &basic_ops);
	struct ex_rundown_ref *ref = subject->ref;

	subject_wait(subject);
	looked_complete = false;
	meet_at_any_change(test, subject, subject_wait, &ref->outstanding, look_half_way);
	KUNIT_EXPECT_TRUE(test, looked_complete);
	expect_run_down(test, subject);
}

/*
 * One after the other, before and after each access of a word that both change: what is read and
 * then written, rather than changed in one step, loses what the other did. An emulator may not stop
 * at an atomic; it does at a reading.
 */
#define MOST_ACCESSES	5

enum word {
	COUNT,
	OUTSTANDING,
	STATE,
	SLOT,		/* of the other's CPU */
	OWN_SLOT,	/* that an NMI acquires */
};

struct access {
	const char *name;
	const struct ref_ops *ops;
	enum word word;
	/* By completed, after so many acquires. */
	unsigned int held;
	bool run_down;
	void (*fn)(struct subject *subject);
	void (*other)(struct subject *subject);
	unsigned int refused;
};

static bool complete_while_held;

static void look_and_release(struct subject *subject)
{
	if (subject->ops->is_complete(subject->ref))
		complete_while_held = true;
	subject_release(subject);
}

static const struct access accesses[] = {
	{ "completed, acquire", &basic_ops, COUNT, 0, false, subject_completed, NULL },
	{ "release, release", &basic_ops, COUNT, 2, false, subject_release, subject_release },
	{ "last releases", &basic_ops, OUTSTANDING, 2, true, subject_release, subject_release },
	{ "completed, completed", &basic_ops, COUNT, 0, false,
	  subject_completed, subject_completed },
	{ "reinitialize, reinitialize", &basic_ops, OUTSTANDING, 0, true,
	  subject_reinitialize, subject_reinitialize, 1 },
	{ "is_complete, completed", &basic_ops, COUNT, 1, false,
	  look_and_release, subject_completed },
	{ "is_complete, completed", &basic_ops, OUTSTANDING, 1, false,
	  look_and_release, subject_completed },
	{ "completed, acquire", &no_ipi_ops, SLOT, 0, false, subject_completed, NULL },
	{ "completed, acquire", &allocated_ops, OWN_SLOT, 0, false, subject_completed, NULL },
	{ "last releases", &allocated_ops, OUTSTANDING, 2, true, subject_release, subject_release },
	{ "completed, completed", &no_ipi_ops, STATE, 0, false,
	  subject_completed, subject_completed },
	{ "reinitialize, reinitialize", &no_ipi_ops, OUTSTANDING, 0, true,
	  subject_reinitialize, subject_reinitialize, 1 },
};

static void describe_access(const struct access *access, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s; %s", access->name, access->ops->name);
}

KUNIT_ARRAY_PARAM(each_access, accesses, describe_access);

static void on_access(struct perf_event *breakpoint, struct perf_sample_data *sample,
		      struct pt_regs *regs)
{
	struct half_way *half_way = breakpoint->overflow_handler_context;

	if (half_way->held_up || ++half_way->accesses != half_way->nth)
		return;
	/* On the CPU itself, what comes in between is an NMI, and so is this. */
	if (half_way->here) {
		half_way->held_up = true;
		half_way->granted = subject_acquire(half_way->subject);
	} else {
		hold_up(half_way);
	}
}

/* Holds what it is granted until the test has looked. */
static void do_half_way(void *arg)
{
	struct half_way *half_way = arg;

	go_half_way(half_way);
	if (half_way->here)
		return;
	if (half_way->what)
		half_way->what(half_way->subject);
	else
		half_way->granted = subject_acquire(half_way->subject);
	WRITE_ONCE(half_way->ended, true);
}

static void set_breakpoint(struct perf_event_attr *attr, struct subject *subject, enum word word,
			   int here, int there)
{
	struct ex_rundown_ref_cache_aware *cache_aware = subject->ref;
	struct ex_rundown_ref *basic = subject->ref;
	bool is_basic = subject->ops == &basic_ops;
	void *at = NULL;

	hw_breakpoint_init(attr);
	attr->bp_len = sizeof(long);
	attr->bp_type = HW_BREAKPOINT_RW;
	switch (word) {
	case COUNT:
		at = &basic->count;
		break;
	case OUTSTANDING:
		at = is_basic ? &basic->outstanding : &cache_aware->outstanding;
		break;
	case STATE:
		at = &cache_aware->state;
		attr->bp_len = sizeof(cache_aware->state);
		break;
	case SLOT:
		at = subject_slot(subject, there);
		break;
	case OWN_SLOT:
		at = subject_slot(subject, here);
		break;
	}
	attr->bp_addr = (unsigned long)at;
}

/* Returns false if there are fewer accesses. */
static bool meet_at_access(struct kunit *test, const struct access *access, int nth)
{
	struct half_way *half_way = share_zalloc(test, sizeof(*half_way));
	struct subject *subject = meeting_create(test, access->ops);
	int here = cpumask_first(cpu_online_mask), there = other_cpu(here);
	unsigned int held, refused = misuse_count(EX_MISUSE_REINITIALIZE);
	struct perf_event_attr attr;
	struct perf_event *breakpoint;
	bool met;

	if (access->held)
		KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, access->held));
	if (access->run_down)
		subject_completed(subject);
	set_breakpoint(&attr, subject, access->word, here, there);
	half_way->subject = subject;
	half_way->what = access->other;
	half_way->nth = nth;
	half_way->here = access->word == OWN_SLOT;
	half_way->held_up = true;
	breakpoint = register_user_hw_breakpoint(&attr, on_access, half_way, current);
	if (IS_ERR(breakpoint))
		kunit_skip(test, "no data breakpoint (%ld)", PTR_ERR(breakpoint));
	set_cpus_allowed_ptr(current, cpumask_of(here));
	half_way->other = thread_run(test, do_half_way, half_way, there);
	WRITE_ONCE(half_way->held_up, false);
	access->fn(subject);
	met = half_way->held_up;
	half_way->held_up = true;
	WRITE_ONCE(half_way->go, true);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	unregister_hw_breakpoint(breakpoint);
	if (!thread_join(test, half_way->other))
		return false;

	refused = misuse_count(EX_MISUSE_REINITIALIZE) - refused;
	KUNIT_EXPECT_EQ_MSG(test, refused, access->refused, "refused at access %d", nth);
	if (half_way->granted)
		subject_release(subject);
	held = misuse_count(EX_MISUSE_COMPLETED_HELD);
	subject_completed(subject);
	KUNIT_EXPECT_EQ_MSG(test, misuse_count(EX_MISUSE_COMPLETED_HELD), held,
			    "held after access %d", nth);
	subject_reinitialize(subject);
	KUNIT_EXPECT_TRUE_MSG(test, subject_acquire(subject), "dead after access %d", nth);
	subject_release(subject);
	return met;
}

static void rundown_meetings_test_between_accesses(struct kunit *test)
{
	const struct access *access = test->param_value;
	int nth;

	misuse_quiet_begin(test);
	complete_while_held = false;
	for (nth = 1; nth <= MOST_ACCESSES && meet_at_access(test, access, nth); nth++)
		cond_resched();
	misuse_quiet_end(test);
	KUNIT_EXPECT_FALSE(test, complete_while_held);
	misuse_allow(EX_MISUSE_COMPLETED_HELD);
	if (access->refused)
		misuse_allow(EX_MISUSE_REINITIALIZE);
}
#endif

static void just_wait(void *subject)
{
	subject_wait(subject);
}

/* The object is run down, and open again, before the waiter comes to look: the wait is over. */
static void rundown_meetings_test_waiter_looks_late(struct kunit *test)
{
	struct subject *subject = test_subject(test);
	int here = cpumask_first(cpu_online_mask);
	struct thread *waiter;

	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(here)));
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	waiter = thread_run(test, just_wait, subject, here);
	waiter_expect_blocked(test, subject, waiter);
	/* On the same CPU, it does not run before this thread sleeps. */
	sched_set_fifo(current);
	subject_release(subject);
	subject_reinitialize(subject);
	thread_join(test, waiter);
	sched_set_normal(current, 0);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	expect_exactly_held(test, subject, 1);
}

/*
 * Two threads that do two things at once, again and again, and a third that interrupts the first
 * somewhere, for as long as the second takes. Nothing follows that would hide that one of them was
 * not woken.
 */
#define AT_ONCE_MS	250
#define SCAN_US		12	/* about as long as a call takes */
#define STOP_US		40

enum start {
	LIVE,
	HELD,		/* and released when acquires are refused */
	RUN_DOWN,
};

typedef void meeting_fn_t(struct subject *subject);

struct meeting {
	const char *name;
	enum start start;
	meeting_fn_t *fns[2];
	/* One of them has no right to reinitialize. */
	unsigned int refused_least, refused_most;
};

/* Another life of the ref, whose end has begun: that it is dead again does not mean run down. */
static void live_another_life(struct subject *subject)
{
	subject_reinitialize(subject);
	if (subject_acquire(subject))
		subject_completed(subject);
}

static const struct meeting meetings[] = {
	{ "wait, wait", LIVE, { subject_wait, subject_wait } },
	{ "wait, wait, held", HELD, { subject_wait, subject_wait } },
	{ "wait, completed", LIVE, { subject_wait, subject_completed } },
	{ "completed, wait", LIVE, { subject_completed, subject_wait } },
	{ "reinitialize, wait", RUN_DOWN, { subject_reinitialize, subject_wait } },
	/* Late enough, it has the right to. */
	{ "reinitialize, wait, held", HELD, { subject_reinitialize, subject_wait }, 0, 1 },
	{ "reinitialize, reinitialize", RUN_DOWN,
	  { subject_reinitialize, subject_reinitialize }, 1, 1 },
	{ "reinitialize, another life", RUN_DOWN,
	  { subject_reinitialize, live_another_life }, 1, 1 },
};

/* Of a kind of ref. */
struct kind_meeting {
	const void *kind;
	const struct meeting *meeting;
};

static const void *each_meeting(KUNIT_TEST_ARG const void *prev, char *desc)
{
	static struct kind_meeting next;
	char name[KUNIT_PARAM_DESC_SIZE];

	if (!prev)
		next = (struct kind_meeting){ .meeting = meetings };
	next.kind = next_kind(next.kind, name, KIND_MAIN);
	if (!next.kind) {
		if (++next.meeting == meetings + ARRAY_SIZE(meetings))
			return NULL;
		next.kind = next_kind(NULL, name, KIND_MAIN);
	}
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%.50s; %.70s", next.meeting->name, name);
	return &next;
}

struct at_once {
	struct subject *subject;
	const struct meeting *meeting;
	int first_cpu;
	bool end;
	bool ended;
	atomic_t round;
	atomic_t second_done;
	atomic_t third_done;
	/* What went wrong, in so many rounds. */
	int not_opened;
	int still_live;
	int wait_ended_early;
	int wrongly_refused;
};

/* The next round after @round; 0 when there is none. */
static int next_round(struct at_once *run, int round)
{
	while (atomic_read(&run->round) == round) {
		if (READ_ONCE(run->ended))
			return 0;
		cond_resched();
		cpu_relax();
	}
	return round + 1;
}

static void prepare(struct at_once *run)
{
	struct subject *subject = run->subject;

	if (!subject_acquire(subject)) {
		subject_reinitialize(subject);
		if (!subject_acquire(subject)) {
			run->not_opened++;
			return;
		}
	}
	if (run->meeting->start != HELD)
		subject_release(subject);
	if (run->meeting->start == RUN_DOWN)
		subject_completed(subject);
}

static void meet_first(void *arg)
{
	struct at_once *run = arg;
	const struct meeting *meeting = run->meeting;
	unsigned int held, refused;
	int round;

	for (round = 1; !READ_ONCE(run->end); round++) {
		prepare(run);
		held = misuse_count(EX_MISUSE_COMPLETED_HELD);
		refused = misuse_count(EX_MISUSE_REINITIALIZE);
		atomic_set(&run->round, round);
		meeting->fns[0](run->subject);
		while (atomic_read(&run->second_done) < round ||
		       atomic_read(&run->third_done) < round) {
			cond_resched();
			cpu_relax();
		}
		held = misuse_count(EX_MISUSE_COMPLETED_HELD) - held;
		if (held) {
			if (subject_acquire(run->subject)) {
				run->still_live++;
				subject_release(run->subject);
			}
			subject_release(run->subject);
		}
		refused = misuse_count(EX_MISUSE_REINITIALIZE) - refused;
		if (refused < meeting->refused_least || refused > meeting->refused_most)
			run->wrongly_refused++;
	}
	WRITE_ONCE(run->ended, true);
}

static void meet_second(void *arg)
{
	struct at_once *run = arg;
	int round = 0;

	while ((round = next_round(run, round))) {
		udelay(round * 5 % SCAN_US);
		run->meeting->fns[1](run->subject);
		atomic_set(&run->second_done, round);
	}
}

/* Until they are refused, or the test ends; it is found live then. */
static void release_when_refused(struct at_once *run, int round)
{
	unsigned long end = jiffies + msecs_to_jiffies(BLOCKS_MS);

	while (subject_acquire(run->subject)) {
		subject_release(run->subject);
		if (time_after(jiffies, end)) {
			run->still_live++;
			break;
		}
		cond_resched();
	}
	if (atomic_read(&run->second_done) == round)
		run->wait_ended_early++;
	subject_release(run->subject);
}

static void stop_here(void *unused)
{
	udelay(STOP_US);
}

static void interrupt_the_first(void *arg)
{
	struct at_once *run = arg;
	int round = 0;

	while ((round = next_round(run, round))) {
		udelay(round * 7 % SCAN_US);
		smp_call_function_single(run->first_cpu, stop_here, NULL, 1);
		if (run->meeting->start == HELD)
			release_when_refused(run, round);
		atomic_set(&run->third_done, round);
	}
}

static void rundown_meetings_test_at_once(struct kunit *test)
{
	const struct kind_meeting *param = test->param_value;
	struct at_once *run = share_zalloc(test, sizeof(*run));
	struct thread *threads[3];
	int second_cpu, i;

	if (num_online_cpus() < 3)
		kunit_skip(test, "no CPU beside the two that meet");
	misuse_quiet_begin(test);
	run->meeting = param->meeting;
	run->subject = subject_create(test, *(const struct ref_ops * const *)param->kind);
	run->first_cpu = cpumask_first(cpu_online_mask);
	second_cpu = cpumask_next(run->first_cpu, cpu_online_mask);
	threads[0] = thread_run(test, meet_first, run, run->first_cpu);
	threads[1] = thread_run(test, meet_second, run, second_cpu);
	threads[2] = thread_run(test, interrupt_the_first, run,
				cpumask_next(second_cpu, cpu_online_mask));
	msleep(AT_ONCE_MS);
	WRITE_ONCE(run->end, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		if (!thread_join(test, threads[i]))
			return;
	misuse_quiet_end(test);
	misuse_allow(EX_MISUSE_REINITIALIZE);
	if (param->meeting->fns[1] == live_another_life)
		misuse_allow(EX_MISUSE_COMPLETED_HELD);
	kunit_info(test, "%d times", atomic_read(&run->round));
	KUNIT_EXPECT_EQ(test, run->not_opened, 0);
	KUNIT_EXPECT_EQ(test, run->still_live, 0);
	KUNIT_EXPECT_EQ(test, run->wait_ended_early, 0);
	KUNIT_EXPECT_EQ(test, run->wrongly_refused, 0);
}

static struct kunit_case rundown_meetings_cases[] = {
	KUNIT_CASE(rundown_meetings_test_wait_meets_tour),
	KUNIT_CASE(rundown_meetings_test_wait_meets_reinitialize),
	KUNIT_CASE(rundown_meetings_test_wait_meets_tour_of_held),
	KUNIT_CASE(rundown_meetings_test_many_meets_tour_of_held),
	KUNIT_CASE(rundown_meetings_test_completed_meets_reinitialize),
	KUNIT_CASE(rundown_meetings_test_function_meets_reinitialize),
	KUNIT_CASE(rundown_meetings_test_wait_meets_basic_wait),
	KUNIT_CASE(rundown_meetings_test_wait_meets_basic_reinitialize),
#if defined(CONFIG_HAVE_HW_BREAKPOINT) && defined(CONFIG_X86)
	KUNIT_CASE(rundown_meetings_test_release_meets_dead_count),
	KUNIT_CASE(rundown_meetings_test_wait_meets_bias),
	KUNIT_CASE(rundown_meetings_test_wait_meets_claim),
	KUNIT_CASE(rundown_meetings_test_completed_meets_bias),
	KUNIT_CASE(rundown_meetings_test_look_meets_second_wait),
	KUNIT_CASE_PARAM(rundown_meetings_test_between_accesses, each_access_gen_params),
#endif
	KUNIT_CASE_PARAM(rundown_meetings_test_waiter_looks_late, each_main_kind),
	KUNIT_CASE_PARAM(rundown_meetings_test_at_once, each_meeting),
	{}
};

static struct kunit_suite rundown_meetings_suite = {
	.name = "rundown_meetings",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_meetings_cases,
};

kunit_test_suite(rundown_meetings_suite);
