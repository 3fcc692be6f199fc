// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds protection, as far as their modules are compiled with EX_RUNDOWN_TRACK.
 *
 * Each grant leaves a record, under the address of its ref, and each release takes one away: of the
 * same task, if there is one, else the newest, so that what somebody forgot to release stays to be
 * seen. Records are of no consequence to the protection itself.
 *
 * Acquire and release may come in any context, NMI included, and with any lock held. So the records
 * lie in tables of fixed size, by open addressing, and everything is lock-free. The first records
 * go into a small table that is always there; the large one is allocated when the first of them is
 * made. Stacks are in the records, not in the kernel's stack depot: that must not be asked from
 * NMI, may want memory, and is not there unless something else in the kernel's configuration
 * selects it.
 *
 * When both are full, grants are only counted, in a third table with one count for each ref, so
 * that their releases are known to be right. When that is full, too, the hash of the ref is marked:
 * no release of a ref with that hash is reported any more, rather than a right one.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "events.h"
#include "ex_rundown.h"
#include "misuse.h"
#include "track.h"

#define EX_TRACK_SMALL_SHIFT	6
#define EX_TRACK_LARGE_SHIFT	12
#define EX_TRACK_COUNTED_SHIFT	10
#define EX_TRACK_MARKS_SHIFT	15
#define EX_TRACK_FRAMES		12
/* Holders of one ref that are listed in the log. */
#define EX_TRACK_PRINTED	16u
/* How often a record that somebody else is at makes a search begin anew. */
#define EX_TRACK_TRIES		64

/* In a key: somebody is at the record. */
#define EX_TRACK_BUSY		1L

struct ex_track_record {
	u32 count;
	int cpu;
	pid_t pid;
	const struct task_struct *task;	/* to compare with */
	char comm[TASK_COMM_LEN];
	const char *context;
	unsigned long since;		/* jiffies */
	u32 nth;			/* of all acquires; wraps */
	unsigned long caller;
	unsigned int frames;
	unsigned long stack[EX_TRACK_FRAMES];
};

/* Of the records whose refs have one hash. */
struct ex_track_home {
	atomic_t records;
	atomic_t made;		/* begun, made, or given back */
};

struct ex_track_table {
	unsigned int shift;
	/* The ref of each record, 0 if it is free. */
	atomic_long_t *keys;
	struct ex_track_home *homes;
	/* NULL if grants are only counted. */
	struct ex_track_record *records;
};

#define EX_TRACK_SMALL	BIT(EX_TRACK_SMALL_SHIFT)

static atomic_long_t small_keys[EX_TRACK_SMALL];
static struct ex_track_home small_homes[EX_TRACK_SMALL];
static struct ex_track_record small_records[EX_TRACK_SMALL];
static struct ex_track_table large, small = {
	EX_TRACK_SMALL_SHIFT, small_keys, small_homes, small_records,
};

#define EX_TRACK_COUNTED	BIT(EX_TRACK_COUNTED_SHIFT)

/* Grants for which there was no room in the others: one count for each ref, seldom more. */
static atomic_long_t counted_keys[EX_TRACK_COUNTED];
static struct ex_track_home counted_homes[EX_TRACK_COUNTED];
static u32 counted_counts[EX_TRACK_COUNTED];
static struct ex_track_table counted = {
	EX_TRACK_COUNTED_SHIFT, counted_keys, counted_homes,
};

/* The first in which there is room from the end is used. The last is NULL until it is needed. */
static struct ex_track_table *tables[] = { &counted, &small, NULL };
/* From here on they have records. */
#define EX_TRACK_RECORDED	1

/*
 * Hashes of refs with a grant that could not even be counted. A release that matches nothing may be
 * of such a grant, or wrong: so it does not show that the grant is gone, nor does the end of a
 * run-down of one of the refs with that hash. A mark stays until the module is unloaded, when
 * nobody can hold protection any more.
 */
static DECLARE_BITMAP(marks, BIT(EX_TRACK_MARKS_SHIFT));

/* Wraps soon after the module is loaded, as jiffies do after boot, so that every test sees it. */
static atomic_t acquires = ATOMIC_INIT(-100);
static atomic_t grown;

/* A record that somebody is looking for. */
struct ex_track_found {
	struct ex_track_table *table;
	unsigned int at;
};

static void ex_track_grow(struct work_struct *work);
static DECLARE_WORK(grow_work, ex_track_grow);

static void ex_track_grow(struct work_struct *work)
{
	unsigned int size = 1 << EX_TRACK_LARGE_SHIFT;

	large.shift = EX_TRACK_LARGE_SHIFT;
	large.keys = kvcalloc(size, sizeof(*large.keys), GFP_KERNEL);
	large.homes = kvcalloc(size, sizeof(*large.homes), GFP_KERNEL);
	large.records = kvcalloc(size, sizeof(*large.records), GFP_KERNEL);
	if (large.keys && large.homes && large.records)
		/* Release: with what is in it. Pairs with ex_track_table(). */
		smp_store_release(&tables[ARRAY_SIZE(tables) - 1], &large);
	else
		pr_warn("rundown: no memory to track more than %lu grants\n", EX_TRACK_SMALL);
}

static void ex_track_grow_irq_work(struct irq_work *work)
{
	schedule_work(&grow_work);
}

static struct irq_work grow_irq_work;

/* NULL if it is not there yet. */
static struct ex_track_table *ex_track_table(unsigned int i)
{
	/* Pairs with ex_track_grow(). */
	return smp_load_acquire(&tables[i]);
}

static unsigned int ex_track_hash(const struct ex_track_table *table, const void *ref)
{
	return hash_ptr(ref, table->shift);
}

/* Changed only while the record is claimed. */
static u32 *ex_track_count(struct ex_track_table *table, unsigned int at)
{
	return table->records ? &table->records[at].count : &counted_counts[at];
}

static const char *ex_track_context(void)
{
	if (in_nmi())
		return "NMI";
	if (in_hardirq())
		return "hardirq";
	if (in_serving_softirq())
		return "softirq";
	return "task";
}

/* Not inlined, nor is its caller: they are the first two frames. */
static noinline void ex_track_fill(struct ex_track_record *record, unsigned long caller)
{
	record->cpu = raw_smp_processor_id();
	record->pid = current->pid;
	WRITE_ONCE(record->task, current);
	/* Somebody may be changing it; it ends in a 0 all the same. */
	data_race(memcpy(record->comm, current->comm, sizeof(record->comm)));
	record->context = ex_track_context();
	WRITE_ONCE(record->since, jiffies);
	WRITE_ONCE(record->nth, atomic_inc_return(&acquires));
	record->caller = caller;
	record->frames = 0;
#ifdef CONFIG_STACKTRACE
	record->frames = stack_trace_save(record->stack, EX_TRACK_FRAMES, 2);
#endif
}

/* A free record of the table, claimed for @ref; -1 if there is none. */
static int ex_track_claim(struct ex_track_table *table, const void *ref)
{
	unsigned int mask = (1 << table->shift) - 1, home = ex_track_hash(table, ref), i;

	for (i = 0; i <= mask; i++) {
		unsigned int at = (home + i) & mask;

		if (!atomic_long_read(&table->keys[at]) &&
		    !atomic_long_cmpxchg(&table->keys[at], 0, (long)ref | EX_TRACK_BUSY))
			return at;
	}
	return -1;
}

/* The record is to be found again, by those who search already, too. */
static void ex_track_publish(struct ex_track_table *table, unsigned int at, const void *ref)
{
	/* First, and fully ordered: who searches after somebody has taken it sees this, too. */
	atomic_inc_return(&table->homes[ex_track_hash(table, ref)].made);
	atomic_long_set_release(&table->keys[at], (long)ref);
}

static void ex_track_free(struct ex_track_table *table, unsigned int at, const void *ref)
{
	atomic_long_set_release(&table->keys[at], 0);
	/* Last, so that it is never too low. */
	atomic_dec_return(&table->homes[ex_track_hash(table, ref)].records);
}

/* Who owns the records may be changing them: then it does not matter which is older. */
static bool ex_track_older(const struct ex_track_record *record, const struct ex_track_record *than)
{
	unsigned long since = READ_ONCE(record->since), other = READ_ONCE(than->since);
	unsigned long now = jiffies;

	if (since != other)
		return now - since > now - other;
	/* Within one jiffy the numbers do not go far, so it is no matter if they wrap. */
	return (s32)(READ_ONCE(record->nth) - READ_ONCE(than->nth)) < 0;
}

static bool ex_track_better(const struct ex_track_table *table, unsigned int at,
			    const struct ex_track_found *found)
{
	const struct ex_track_record *record, *than;
	bool own;

	/* What is recorded before what is only counted. */
	if (!found->table->records)
		return table->records;
	record = &table->records[at];
	than = &found->table->records[found->at];
	own = READ_ONCE(record->task) == current;
	if (own != (READ_ONCE(than->task) == current))
		return own;
	return ex_track_older(than, record);
}

/* How many records may have come to where those of the ref are looked for. */
static unsigned int ex_track_made(const void *ref)
{
	unsigned int i, made = 0;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		struct ex_track_table *table = ex_track_table(i);

		if (table)
			made += atomic_read_acquire(&table->homes[ex_track_hash(table, ref)].made);
	}
	return made;
}

/* The best in the table, if better than what was found before. False if that can't be told. */
static bool ex_track_look(struct ex_track_table *table, const void *ref,
			  struct ex_track_found *found)
{
	unsigned int mask = (1 << table->shift) - 1, home = ex_track_hash(table, ref), n;
	int left = atomic_read_acquire(&table->homes[home].records);
	bool sure = true;

	for (n = 0; n <= mask && left > 0; n++) {
		unsigned int at = (home + n) & mask;
		long key = atomic_long_read_acquire(&table->keys[at]);
		const void *of = (const void *)(key & ~EX_TRACK_BUSY);

		if (!key || ex_track_hash(table, of) != home)
			continue;
		left--;
		/* Of another ref, too: it may be a new one, counted in place of ours. */
		if (key & EX_TRACK_BUSY)
			sure = false;
		else if (of == ref && (!found->table || ex_track_better(table, at, found)))
			*found = (struct ex_track_found){ table, at };
	}
	return sure;
}

/* Fails if the record is not the ref's any more, or somebody else is at it. */
static bool ex_track_claim_found(const struct ex_track_found *found, const void *ref)
{
	long key = (long)ref;

	return atomic_long_cmpxchg(&found->table->keys[found->at], key, key | EX_TRACK_BUSY) == key;
}

/* Records the grant in the table, if there is room. Inlined: see ex_track_fill(). */
static __always_inline bool ex_track_add(struct ex_track_table *table, const void *ref, u32 count,
					 unsigned long caller)
{
	struct ex_track_home *home = &table->homes[ex_track_hash(table, ref)];
	int at;

	/* First, so that it is never too low. */
	atomic_inc_return(&home->records);
	/*
	 * A search that began before this record was counted may stop early; @made tells it to try
	 * again.
	 */
	atomic_inc_return(&home->made);
	at = ex_track_claim(table, ref);
	if (at < 0) {
		atomic_dec(&home->records);
		return false;
	}
	*ex_track_count(table, at) = count;
	if (table->records)
		ex_track_fill(&table->records[at], caller);
	ex_track_publish(table, at, ref);
	return true;
}

/* Adds the grant to a count of the ref's, if it has one that nobody else is at. */
static bool ex_track_add_to_count(const void *ref, u32 count)
{
	struct ex_track_found found;
	bool fits;
	u32 *sum;

	do {
		found.table = NULL;
		ex_track_look(&counted, ref, &found);
		if (!found.table)
			return false;
		/* If that fails, somebody else has changed it meanwhile. */
	} while (!ex_track_claim_found(&found, ref));
	sum = ex_track_count(&counted, found.at);
	fits = count <= U32_MAX - *sum;
	if (fits)
		*sum += count;
	ex_track_publish(&counted, found.at, ref);
	return fits;
}

static void ex_track_print_marked(struct irq_work *work)
{
	pr_warn_once("rundown: too many refs are held to track them all\n");
}

static struct irq_work marked_irq_work;

static void ex_track_mark(const void *ref)
{
	set_bit(hash_ptr(ref, EX_TRACK_MARKS_SHIFT), marks);
	/* With the run queue's lock held, say, printing may deadlock. */
	if (cpu_online(raw_smp_processor_id()))
		irq_work_queue(&marked_irq_work);
}

/* In-line acquires call this when they were granted. */
void __ex_rundown_track_acquire(const void *ref, u32 count, unsigned long caller)
{
	unsigned long flags;
	unsigned int i;

	if (unlikely(!atomic_read(&grown)) && cpu_online(raw_smp_processor_id()) &&
	    !atomic_xchg(&grown, 1))
		irq_work_queue(&grow_irq_work);

	/* The less often a search meets a record that is being made. */
	local_irq_save(flags);
	for (i = ARRAY_SIZE(tables); i--;) {
		struct ex_track_table *table = ex_track_table(i);

		if (table == &counted && ex_track_add_to_count(ref, count))
			break;
		if (table && ex_track_add(table, ref, count, caller))
			break;
	}
	local_irq_restore(flags);
	if (i == UINT_MAX)
		ex_track_mark(ref);
}
EXPORT_SYMBOL_GPL(__ex_rundown_track_acquire);

/*
 * The record of a grant on @ref that suits @current best. A record may be taken away while it is
 * looked at; who claims it finds out. Returns 1 if there is one, 0 if there is none, -1 if that
 * can't be told since somebody else was at one, or made one, meanwhile.
 */
static int ex_track_search(const void *ref, struct ex_track_found *found)
{
	unsigned int i, made = ex_track_made(ref);
	bool sure = true;

	found->table = NULL;
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		struct ex_track_table *table = ex_track_table(i);

		if (table && !ex_track_look(table, ref, found))
			sure = false;
	}
	if (found->table)
		return 1;
	/* The keys come first: what was made since then has made the number another. */
	smp_rmb();
	return sure && ex_track_made(ref) == made ? 0 : -1;
}

/* Take @count away from the record; return how many are still to be taken from others. */
static u32 ex_track_take(const struct ex_track_found *found, const void *ref, u32 count)
{
	u32 *there = ex_track_count(found->table, found->at), taken = 0;
	unsigned long flags;

	local_irq_save(flags);
	if (ex_track_claim_found(found, ref)) {
		taken = min(count, *there);
		*there -= taken;
		if (*there)
			ex_track_publish(found->table, found->at, ref);
		else
			ex_track_free(found->table, found->at, ref);
	}
	local_irq_restore(flags);
	return count - taken;
}

/* In-line releases call this before they release: afterwards the ref may be gone. */
void __ex_rundown_track_release(const void *ref, u32 count, unsigned long caller)
{
	struct ex_track_found found;
	unsigned int tries = EX_TRACK_TRIES;

	/* That is reported by the release itself. */
	if (count - 1 >= EX_RUNDOWN_MAX_COUNT)
		return;
	while (count && tries) {
		int there = ex_track_search(ref, &found);
		u32 left = there > 0 ? ex_track_take(&found, ref, count) : count;

		if (!there)
			break;
		/* In an NMI it may be ourselves whom we wait for. */
		tries = left < count ? EX_TRACK_TRIES : tries - 1;
		count = left;
		cpu_relax();
	}
	if (!count || !tries)
		return;
	if (!test_bit(hash_ptr(ref, EX_TRACK_MARKS_SHIFT), marks))
		ex_rundown_report(EX_MISUSE_RELEASE_UNTRACKED, ref, caller);
}
EXPORT_SYMBOL_GPL(__ex_rundown_track_release);

/**
 * ex_track_forget() - nobody holds the ref
 * @ref: the ref
 *
 * What is left are records of protection that was released by code that does not track.
 *
 * Context: Any.
 */
void ex_track_forget(const void *ref)
{
	struct ex_track_found found;
	unsigned int tries = EX_TRACK_TRIES;
	int there = 1;

	/* Of this ref nobody makes or takes a record now, but of its neighbours. */
	while (there && tries--) {
		there = ex_track_search(ref, &found);
		if (there > 0 && ex_track_take(&found, ref, U32_MAX) != U32_MAX)
			tries = EX_TRACK_TRIES;
	}
}

/* A copy that is of one record. */
static bool ex_track_copy(struct ex_track_table *table, unsigned int at, const void **ref,
			  struct ex_track_record *copy)
{
	long key = atomic_long_read_acquire(&table->keys[at]);

	if (!key || key & EX_TRACK_BUSY)
		return false;
	/* What changes meanwhile is found out below. */
	data_race(memcpy(copy, &table->records[at], sizeof(*copy)));
	/* The copy before the second look at the key. */
	smp_rmb();
	*ref = (const void *)key;
	/* The same ref may have got the same place for another grant: then it is another. */
	return atomic_long_read_acquire(&table->keys[at]) == key &&
	       READ_ONCE(table->records[at].nth) == copy->nth;
}

/* Into those that are the oldest so far, @nr of them, oldest first; the newest may fall out. */
static void ex_track_insert(struct ex_track_found *oldest, unsigned int nr,
			    struct ex_track_table *table, unsigned int at)
{
	unsigned int to;

	for (to = nr; to; to--) {
		struct ex_track_found *before = &oldest[to - 1];

		if (!ex_track_older(&table->records[at], &before->table->records[before->at]))
			break;
		if (to < EX_TRACK_PRINTED)
			oldest[to] = *before;
	}
	if (to < EX_TRACK_PRINTED)
		oldest[to] = (struct ex_track_found){ table, at };
}

/* The EX_TRACK_PRINTED oldest records of @ref. Returns how many it has in all. */
static unsigned int ex_track_oldest(const void *ref, struct ex_track_found *oldest)
{
	unsigned int records = 0, i, at;

	for (i = EX_TRACK_RECORDED; i < ARRAY_SIZE(tables); i++) {
		struct ex_track_table *table = ex_track_table(i);

		for (at = 0; table && at < 1 << table->shift; at++) {
			if (atomic_long_read_acquire(&table->keys[at]) != (long)ref)
				continue;
			ex_track_insert(oldest, min(records, EX_TRACK_PRINTED), table, at);
			records++;
		}
	}
	return records;
}

/**
 * ex_track_print() - list who holds the ref in the log, oldest first
 * @ref: the ref; may be gone
 *
 * Context: Any but NMI.
 */
void ex_track_print(const void *ref)
{
	struct ex_track_found oldest[EX_TRACK_PRINTED];
	unsigned int records = ex_track_oldest(ref, oldest), i;

	for (i = 0; i < min(records, EX_TRACK_PRINTED); i++) {
		struct ex_track_record record;
		const void *of;

		/* It may have been released meanwhile. */
		if (!ex_track_copy(oldest[i].table, oldest[i].at, &of, &record) || of != ref)
			continue;
		pr_warn("rundown: ref %p is held %u times for %lu s by %s:%d, from %s context on CPU %d: %pS\n",
			ref, record.count, (jiffies - record.since) / HZ, record.comm, record.pid,
			record.context, record.cpu, (void *)record.caller);
#ifdef CONFIG_STACKTRACE
		stack_trace_print(record.stack, record.frames, 1);
#endif
	}
	if (records > EX_TRACK_PRINTED)
		pr_warn("rundown: and more: see /sys/kernel/debug/rundown/tracked\n");
}

/* For debugfs: all that there are. */
void ex_track_show(struct seq_file *file)
{
	unsigned int i, at, frame;

	seq_puts(file, "# ref count seconds context cpu pid comm caller; and the stack\n");
	for (i = EX_TRACK_RECORDED; i < ARRAY_SIZE(tables); i++) {
		struct ex_track_table *table = ex_track_table(i);

		for (at = 0; table && at < 1 << table->shift; at++) {
			struct ex_track_record it;
			const void *ref;

			if (!ex_track_copy(table, at, &ref, &it))
				continue;
			seq_printf(file, "%p %u %lu %s %d %d %s %pS\n", ref, it.count,
				   (jiffies - it.since) / HZ, it.context, it.cpu, it.pid, it.comm,
				   (void *)it.caller);
			for (frame = 0; frame < it.frames; frame++)
				seq_printf(file, "  %pS\n", (void *)it.stack[frame]);
		}
	}
}

void ex_track_init(void)
{
	/* HARD: on RT the others run in a thread that is parked as its CPU goes down. */
	grow_irq_work = IRQ_WORK_INIT_HARD(ex_track_grow_irq_work);
	marked_irq_work = IRQ_WORK_INIT_HARD(ex_track_print_marked);
}

/* With no user left. */
void ex_track_exit(void)
{
	irq_work_sync(&grow_irq_work);
	irq_work_sync(&marked_irq_work);
	cancel_work_sync(&grow_work);
	kvfree(large.keys);
	kvfree(large.homes);
	kvfree(large.records);
}
