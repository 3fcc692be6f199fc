/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stress module: holders in every context against owners that take their objects away.
 *
 * A *place* stands for whatever a driver looks an object up by. It leads to a ref, and that to the
 * object, whose stamp says whether it is live. A *holder* acquires protection at a place, looks at
 * the stamp at the start, in the middle and at the end, and releases. It is a thread, or a
 * *carrier*: a timer, an interrupt, a work item that acquires by itself or is handed what a thread
 * acquired. The *owner* of a place runs the object down, alone or with other *waiters*, poisons and
 * frees it, and opens the place again with the same ref or with another.
 *
 * settings.c reads what is wanted, run.c starts and ends it; holders.c, carriers.c and owners.c are
 * the actors, hold.c what a holder does; ours.c, tracked.c, peers.c and broken.c are the
 * variants; stats.c counts; files.c and manual.c are the files in debugfs.
 */
#ifndef _RUNDOWN_STRESS_H
#define _RUNDOWN_STRESS_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/prandom.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>

#include "ex_rundown.h"

/* Where protection is acquired, or released. */
enum stress_context {
	STRESS_SLEEP,		/* a thread that sleeps in between */
	STRESS_MIGRATE,		/* a thread that moves to another CPU in between */
	STRESS_PINNED,		/* a thread on one CPU, many times over */
	STRESS_PREEMPT_OFF,
	STRESS_IRQ_OFF,
	STRESS_SOFTIRQ,		/* a timer */
	STRESS_HARDIRQ,		/* a hard hrtimer */
	STRESS_IRQ_WORK,
	STRESS_NMI,
	STRESS_WORK,		/* a work item */
	STRESS_CONTEXTS
};

#define STRESS_TASK_CONTEXTS	(BIT(STRESS_SLEEP) | BIT(STRESS_MIGRATE) | BIT(STRESS_PINNED))
#define STRESS_THREAD_CONTEXTS	(STRESS_TASK_CONTEXTS | BIT(STRESS_PREEMPT_OFF) | \
				 BIT(STRESS_IRQ_OFF))
#define STRESS_ALL_CONTEXTS	(BIT(STRESS_CONTEXTS) - 1)

extern const char * const stress_context_names[STRESS_CONTEXTS];

enum stress_violation {
	STRESS_STAMP_START,	/* a holder was let in to an object that is not live */
	STRESS_STAMP_MIDDLE,	/* it went away under its holder */
	STRESS_STAMP_END,
	STRESS_HELD,		/* the wait returned, and the holders' counts are not zero */
	STRESS_GRANTED,		/* an acquire after the wait was granted */
	STRESS_BALANCE,		/* at the end there are more grants than releases, or fewer */
	STRESS_WARNED,		/* the kernel has warned, for the first time since it booted */
	STRESS_VIOLATIONS
};

/* What is counted, on each CPU. */
struct stress_counts {
	unsigned long grants[STRESS_CONTEXTS];
	unsigned long refusals[STRESS_CONTEXTS];
	unsigned long releases[STRESS_CONTEXTS];
	unsigned long ex_grants;
	unsigned long handovers;
	unsigned long rundowns;
	unsigned long waits;
	unsigned long mutex_waits;
	unsigned long reinitialized;
	unsigned long replaced;
	unsigned long nmi_lost;
	unsigned long violations[STRESS_VIOLATIONS];
};

/* 8 buckets to each power of two nanoseconds. */
#define STRESS_LATENCIES	(8 + 61 * 8)

struct stress_settings {
	const struct stress_ops *ops;
	unsigned int threads;
	unsigned int refs;
	unsigned int waiters;
	unsigned int msecs;
	unsigned int live_us;		/* at most, from an object's opening to its wait */
	u64 seed;
	unsigned long contexts;
};

/*
 * @stamp: odd and never used before while the object is live, 0 afterwards
 * @next:  in the graveyard
 */
struct stress_object {
	unsigned long stamp;
	struct stress_object *next;
};

struct stress_percpu_ref {
	struct percpu_ref ref;
	struct completion zero;
	atomic_t down;
};

struct stress_srcu {
	struct srcu_struct srcu;
	bool down;
};

struct stress_rwsem {
	struct rw_semaphore sem;
	bool down;
};

struct stress_broken {
	atomic_long_t count;
	atomic_long_t outstanding;
	atomic_long_t truly_held;
	long __percpu *slots;
	bool down;
};

struct stress_ref {
	struct stress_object *object;	/* to be fetched under protection only */
	unsigned int index;		/* of its place */
	union {
		struct ex_rundown_ref basic;
		struct {
			struct ex_rundown_ref_cache_aware *cache_aware;
			struct ex_rundown_ref_cache_aware embedded;
		};
		struct stress_percpu_ref percpu_ref;
		struct stress_srcu srcu;
		struct stress_rwsem rwsem;
		struct stress_broken broken;
	};
};

enum stress_kind {
	STRESS_OURS,
	STRESS_PEER,
	STRESS_BROKEN,		/* the run must find violations */
};

/* @cookie: passed from acquire to release */
struct stress_ops {
	const char *name;
	enum stress_kind kind;
	unsigned long contexts;		/* where it may be acquired and released */
	bool handover;			/* released where it was not acquired */
	bool ex;			/* acquire and release take counts other than 1 */
	bool replaceable;		/* refs come and go */
	unsigned int max_refs;

	int (*create)(struct stress_ref *ref);		/* live */
	void (*destroy)(struct stress_ref *ref);	/* run down */
	bool (*acquire)(struct stress_ref *ref, u32 count, int *cookie);
	void (*release)(struct stress_ref *ref, u32 count, int cookie);
	void (*wait)(struct stress_ref *ref);
	void (*completed)(struct stress_ref *ref);	/* or NULL */
	void (*reinitialize)(struct stress_ref *ref);
};

extern const struct stress_ops stress_basic, stress_percpu, stress_percpu_ex, stress_static,
	stress_in_place, stress_no_ipi, stress_tracked, stress_tracked_basic;
extern const struct stress_ops stress_peer_percpu_ref, stress_peer_srcu, stress_peer_rwsem;
extern const struct stress_ops stress_broken_no_bias, stress_broken_two_steps,
	stress_broken_no_offline;

/* @held: on each CPU, acquires minus releases there; all of them together are 0 if nobody holds */
struct stress_place {
	struct stress_ref __rcu *ref;
	long __percpu *held;
	struct mutex mutex;		/* the owner's, held across some of the waits */
};

struct stress_waiter {
	struct stress_run *run;
	struct task_struct *thread;
	struct stress_place *place;
	struct stress_ref *ref;
	struct completion go;
	struct completion done;
};

struct stress_owner {
	struct stress_run *run;
	struct task_struct *thread;
	unsigned int first;		/* owns this place and every run->nr_owners-th from there */
	struct rnd_state random;
	struct stress_waiter *waiters;	/* settings.waiters - 1 */
	struct stress_object *graveyard;
};

struct stress_holder {
	struct stress_run *run;
	struct task_struct *thread;
	struct rnd_state random;
};

struct stress_carrier;

enum stress_state {
	STRESS_IDLE,
	STRESS_RUNNING,
	STRESS_STOPPING,
};

struct stress_run {
	struct stress_settings settings;
	enum stress_state state;	/* under stress_lock */
	u64 started_ns;
	u64 elapsed_ns;			/* once its time is up */
	bool tainted_before;		/* somebody's warning says nothing of this run */
	bool stop;

	struct stress_place *places;
	struct stress_holder *holders;
	struct stress_owner *owners;
	unsigned int nr_owners;
	struct stress_carrier *carriers;
	unsigned int nr_carriers;
	struct workqueue_struct *workqueue;

	struct stress_counts __percpu *counts;
	atomic_long_t *latencies;
	atomic_long_t first_violation_ms;
	atomic_long_t stamps;
};

/* What somebody holds. */
struct stress_hold {
	struct stress_place *place;
	struct stress_ref *ref;
	struct stress_object *object;
	unsigned long stamp;
	u32 count;
	int cookie;
	enum stress_context context;	/* it was acquired in */
};

#define stress_count(run, ...)	this_cpu_inc((run)->counts->__VA_ARGS__)

static inline bool stress_stopped(struct stress_run *run)
{
	return READ_ONCE(run->stop);
}

/* settings.c */
int stress_settings_parse(struct stress_settings *settings, char *line);
void stress_settings_show(struct seq_file *file, const struct stress_settings *settings);
void stress_variants_show(struct seq_file *file);
unsigned long stress_contexts_of(const struct stress_ops *ops);

/* run.c */
extern struct mutex stress_lock;		/* for the next, and its state */
extern struct stress_run *stress_current;	/* or the last one, or NULL */
int stress_start(const struct stress_settings *settings);
int stress_stop(void);
void stress_stop_and_free(void);

/* holders.c, carriers.c, owners.c */
int stress_holders_create(struct stress_run *run);
void stress_holders_wake(struct stress_run *run);
void stress_holders_destroy(struct stress_run *run);
int stress_carriers_init(void);
void stress_carriers_exit(void);
int stress_carriers_create(struct stress_run *run);
void stress_carriers_finish(struct stress_run *run);
void stress_carriers_destroy(struct stress_run *run);
void stress_carry(struct stress_run *run, struct stress_place *place, enum stress_context context,
		  struct rnd_state *random);
bool stress_have_nmi(void);
int stress_owners_create(struct stress_run *run);
void stress_owners_wake(struct stress_run *run);
void stress_owners_destroy(struct stress_run *run);
int stress_places_create(struct stress_run *run);
void stress_places_finish(struct stress_run *run);
void stress_places_destroy(struct stress_run *run);

/* hold.c */
bool stress_acquire(struct stress_run *run, struct stress_place *place, u32 count,
		    enum stress_context context, struct stress_hold *hold);
void stress_use(struct stress_run *run, struct stress_hold *hold);
void stress_release(struct stress_run *run, struct stress_hold *hold,
		    enum stress_context context);
u32 stress_pick_count(struct stress_run *run, u32 random);
void stress_check_run_down(struct stress_run *run, struct stress_place *place,
			   struct stress_ref *ref);
void stress_violation(struct stress_run *run, enum stress_violation kind);
extern const char * const stress_violation_names[STRESS_VIOLATIONS];

/* stats.c */
int stress_stats_create(struct stress_run *run);
void stress_stats_destroy(struct stress_run *run);
void stress_add_latency(struct stress_run *run, u64 ns);
void stress_check_balance(struct stress_run *run);
void stress_stats_show(struct seq_file *file, struct stress_run *run);
void stress_latency_show(struct seq_file *file, struct stress_run *run);
const char *stress_state_name(struct stress_run *run);

/* manual.c */
extern const struct file_operations stress_manual_fops;
void stress_manual_exit(void);

/* files.c */
ssize_t stress_read_line(char *line, size_t size, const char __user *buffer, size_t count,
			 loff_t *position);

#endif /* _RUNDOWN_STRESS_H */
