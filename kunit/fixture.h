/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites share: refs of every kind behind one table of operations, threads that cannot
 * outlive their test, misuse that is expected, and functions made to count or to fail.
 *
 * KUnit's assertions belong to the test's own thread. The others only do things; the test looks.
 */
#ifndef _RUNDOWN_KUNIT_FIXTURE_H
#define _RUNDOWN_KUNIT_FIXTURE_H

#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/sched.h>

#include "../module/misuse.h"
#include "../module/slot.h"
#include "../selftests/compat.h"
#include "ex_rundown.h"

/* Far more than anything takes that is going to end, also on emulated CPUs that take turns. */
#define STUCK_MS	30000
/* Far more than a wait takes to block. */
#define BLOCKS_MS	20000

/* A wait that lasts this long although it need not, does so for ever. */
#define STAYS_MS	5

#define ANY_CPU		(-1)

/* One kind of ref. */
struct ref_ops {
	const char *name;
	unsigned int traits;
	bool (*acquire)(void *ref);
	bool (*acquire_ex)(void *ref, u32 count);
	void (*release)(void *ref);
	void (*release_ex)(void *ref, u32 count);
	void (*wait)(void *ref);
	void (*completed)(void *ref);
	void (*reinitialize)(void *ref);
	unsigned long (*wait_timeout)(void *ref, unsigned long timeout);
	int (*wait_killable)(void *ref);
	int (*wait_interruptible)(void *ref);
	void (*start)(void *ref);
	void (*start_async)(void *ref, struct ex_rundown_work *work,
			    void (*fn)(struct ex_rundown_work *work));
	bool (*is_active)(void *ref);
	bool (*is_complete)(void *ref);
	void *(*create)(void);
	void (*destroy)(void *ref);
};

#define KIND_CACHE_AWARE	BIT(0)
#define KIND_LOCKED		BIT(1)	/* slots that are harvested without interrupts */
#define KIND_ALLOCATED		BIT(2)
#define KIND_MAIN		BIT(3)	/* one of each scheme: for tests that take time */

extern const struct ref_ops basic_ops;
extern const struct ref_ops allocated_ops;
extern const struct ref_ops no_ipi_ops;
extern const struct ref_ops in_place_ops;
extern const struct ref_ops basic_out_of_line_ops;
extern const struct ref_ops allocated_out_of_line_ops;
extern const struct ref_ops basic_generic_ops;
extern const struct ref_ops allocated_generic_ops;

/* In its text, calls of exported functions that are misuse on a ref that is run down. */
void exported_basic_culprit(struct ex_rundown_ref *ref);
void exported_cache_aware_culprit(struct ex_rundown_ref_cache_aware *ref);

/* Parameter generators, and the kind that a parameter stands for. */
const void *each_kind(KUNIT_TEST_ARG const void *prev, char *desc);
const void *each_main_kind(KUNIT_TEST_ARG const void *prev, char *desc);
const void *each_cache_aware_kind(KUNIT_TEST_ARG const void *prev, char *desc);
const void *each_main_cache_aware_kind(KUNIT_TEST_ARG const void *prev, char *desc);
/* The next kind after @prev that has all @traits, or NULL. */
const void *next_kind(const void *prev, char *desc, unsigned int traits);
const struct ref_ops *test_kind(struct kunit *test);

/* A ref under test. */
struct subject {
	struct list_head node;
	const struct ref_ops *ops;
	void *ref;
};

static inline bool subject_acquire(struct subject *subject)
{
	return subject->ops->acquire(subject->ref);
}

static inline bool subject_acquire_ex(struct subject *subject, u32 count)
{
	return subject->ops->acquire_ex(subject->ref, count);
}

static inline void subject_release(struct subject *subject)
{
	subject->ops->release(subject->ref);
}

static inline void subject_release_ex(struct subject *subject, u32 count)
{
	subject->ops->release_ex(subject->ref, count);
}

static inline void subject_wait(struct subject *subject)
{
	subject->ops->wait(subject->ref);
}

static inline void subject_completed(struct subject *subject)
{
	subject->ops->completed(subject->ref);
}

static inline void subject_reinitialize(struct subject *subject)
{
	subject->ops->reinitialize(subject->ref);
}

/* Live; destroyed after the test, when all its threads have ended. */
struct subject *subject_create(struct kunit *test, const struct ref_ops *ops);
struct subject *test_subject(struct kunit *test);
/* Destroy it now. */
void subject_destroy(struct subject *subject);

/* The same from a hardirq on @cpu. */
bool subject_acquire_on(struct subject *subject, int cpu);
bool subject_acquire_ex_on(struct subject *subject, int cpu, u32 count);
void subject_release_on(struct subject *subject, int cpu);
void subject_release_ex_on(struct subject *subject, int cpu, u32 count);

/* The word of a cache-aware ref in which @cpu counts. */
atomic_long_t *subject_slot(struct subject *subject, int cpu);

/* Some online CPU other than @cpu; @cpu itself if it is alone. */
int other_cpu(int cpu);

struct thread {
	struct list_head node;
	struct task_struct *task;
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
};

/* What a test shares with its threads. Freed after the test, if no thread is stuck. */
void *share_zalloc(struct kunit *test, size_t size);

/* Ends, or fails the test, before the test's subjects are destroyed. */
struct thread *thread_run(struct kunit *test, void (*fn)(void *arg), void *arg, int cpu);
/* True if it ended; if not within STUCK_MS, the test has failed. */
bool thread_join(struct kunit *test, struct thread *thread);
static inline bool thread_ended(struct thread *thread)
{
	return completion_done(&thread->done);
}

/* A thread in a wait; it has refused an acquire and sleeps. */
struct thread *waiter_start(struct kunit *test, struct subject *subject);
void waiter_expect_blocked(struct kunit *test, struct subject *subject, struct thread *waiter);
struct thread *waiter_start_blocked(struct kunit *test, struct subject *subject);
/* Hold @held more, see a wait block until the last of them is released, and return. */
void expect_exactly_held(struct kunit *test, struct subject *subject, u32 held);

/*
 * Misuse. A test in which any other than @n reports of @misuse are made fails. The lines in the log
 * are for whoever checks that for splats. Sleeps if the rate limit would swallow the warning.
 */
void misuse_begin(struct kunit *test, enum ex_rundown_misuse misuse, unsigned int n);
void misuse_end(void);
#define EXPECT_MISUSE(test, misuse, ...)		\
do {							\
	misuse_begin(test, misuse, 1);			\
	__VA_ARGS__;					\
	misuse_end();					\
} while (0)

/* Count what is reported, and print nothing; for races that are misuse by nature. */
void misuse_quiet_begin(struct kunit *test);
void misuse_quiet_end(struct kunit *test);
/* Reports of a kind in this test. */
unsigned int misuse_count(enum ex_rundown_misuse misuse);
/* All that there were so far are fine. */
void misuse_allow(enum ex_rundown_misuse misuse);
/* Whom the last report blames. */
unsigned long misuse_caller(void);

/* What a file of the module's in debugfs says. Skips the test if it is not there. */
char *debugfs_read(struct kunit *test, const char *name);

void splat_begin(const char *text);
void splat_end(void);
/* Lockdep was to report something, and is off from here on. */
void locks_allow_report(void);

int fixture_init(struct kunit *test);
void fixture_exit(struct kunit *test);

#ifdef CONFIG_KPROBES
/*
 * Watch the calls of a function that this thread makes (any thread, if @any_task), only those with
 * @first_arg if that is set, and have it return @value instead of running if @override.
 */
struct call_probe {
	struct kprobe kp;
	struct task_struct *task;
	bool any_task;
	const void *first_arg;
	bool override;
	unsigned long value;
	void (*hook)(void *arg);
	void *arg;
	atomic_t calls;
};
#else
struct call_probe {
	struct { const char *symbol_name; } kp;
	bool any_task;
	const void *first_arg;
	bool override;
	unsigned long value;
	void (*hook)(void *arg);
	void *arg;
	atomic_t calls;
};
#endif

/* Skips the test if the function can't be probed. */
void call_probe_begin(struct kunit *test, struct call_probe *probe);
/* Returns the number of calls. */
int call_probe_end(struct call_probe *probe);

#endif /* _RUNDOWN_KUNIT_FIXTURE_H */
