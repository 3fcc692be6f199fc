// SPDX-License-Identifier: GPL-2.0
/* What is counted, summed up and shown. */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "stress.h"

const char * const stress_violation_names[STRESS_VIOLATIONS] = {
	[STRESS_STAMP_START] = "stamp_start",
	[STRESS_STAMP_MIDDLE] = "stamp_middle",
	[STRESS_STAMP_END] = "stamp_end",
	[STRESS_HELD] = "held",
	[STRESS_GRANTED] = "granted",
	[STRESS_BALANCE] = "balance",
	[STRESS_WARNED] = "warned",
};

int stress_stats_create(struct stress_run *run)
{
	atomic_long_set(&run->first_violation_ms, -1);
	run->counts = alloc_percpu(struct stress_counts);
	if (!run->counts)
		return -ENOMEM;
	run->latencies = kcalloc(STRESS_LATENCIES, sizeof(*run->latencies), GFP_KERNEL);
	return run->latencies ? 0 : -ENOMEM;
}

void stress_stats_destroy(struct stress_run *run)
{
	free_percpu(run->counts);
	kfree(run->latencies);
}

/* The sum over all CPUs of one of the counts, which is at @offset: modulo 2^32 on 32 bits. */
static unsigned long sum(struct stress_run *run, size_t offset)
{
	unsigned long total = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		void *counts = per_cpu_ptr(run->counts, cpu);

		total += READ_ONCE(*(unsigned long *)(counts + offset));
	}
	return total;
}

#define SUM(run, what)	sum(run, offsetof(struct stress_counts, what))

static unsigned long sum_of(struct stress_run *run, size_t offset, int n)
{
	unsigned long total = 0;

	while (n--)
		total += sum(run, offset + n * sizeof(unsigned long));
	return total;
}

#define SUM_OF(run, what)						\
	sum_of(run, offsetof(struct stress_counts, what),		\
	       ARRAY_SIZE(((struct stress_counts *)NULL)->what))

/* Everybody has ended. */
void stress_check_balance(struct stress_run *run)
{
	if (SUM_OF(run, grants) != SUM_OF(run, releases))
		stress_violation(run, STRESS_BALANCE);
}

/* Bucket i ends before upper(i). 0 to 7 ns have one each, then 8 to each power of two. */
static unsigned int bucket_of(u64 ns)
{
	unsigned int top = fls64(ns);

	return top <= 3 ? ns : (top - 3) * 8 + ((ns >> (top - 4)) & 7);
}

static u64 upper(unsigned int bucket)
{
	unsigned int shift = bucket / 8;

	return shift < 2 ? bucket + 1 : (u64)(8 + bucket % 8 + 1) << (shift - 1);
}

void stress_add_latency(struct stress_run *run, u64 ns)
{
	atomic_long_inc(&run->latencies[min_t(unsigned int, bucket_of(ns), STRESS_LATENCIES - 1)]);
}

void stress_latency_show(struct seq_file *file, struct stress_run *run)
{
	unsigned int i;

	for (i = 0; i < STRESS_LATENCIES; i++) {
		unsigned long n = atomic_long_read(&run->latencies[i]);

		if (n)
			seq_printf(file, "%llu %lu\n", upper(i), n);
	}
}

const char *stress_state_name(struct stress_run *run)
{
	static const char * const names[] = {
		[STRESS_IDLE] = "idle",
		[STRESS_RUNNING] = "running",
		[STRESS_STOPPING] = "stopping",
	};

	return names[run ? run->state : STRESS_IDLE];
}

static const char *verdict(struct stress_run *run)
{
	if (run->state != STRESS_IDLE)
		return "running";
	if (SUM_OF(run, violations) || !SUM_OF(run, grants) || !SUM_OF(run, refusals) ||
	    !SUM(run, rundowns))
		return "failed";
	return "passed";
}

static void show(struct seq_file *file, const char *key, u64 value)
{
	seq_printf(file, "%s %llu\n", key, value);
}

static void show_of(struct seq_file *file, struct stress_run *run, const char *key, size_t offset,
		    const char * const *names, int n)
{
	int i;

	for (i = 0; i < n; i++)
		seq_printf(file, "%s.%s %lu\n", key, names[i],
			   sum(run, offset + i * sizeof(unsigned long)));
}

#define SHOW(what)	show(file, #what, SUM(run, what))
#define SHOW_OF(key, what, names)					\
	show_of(file, run, key, offsetof(struct stress_counts, what), names, ARRAY_SIZE(names))

void stress_stats_show(struct seq_file *file, struct stress_run *run)
{
	const struct stress_settings *settings = &run->settings;
	u64 elapsed_ns = run->elapsed_ns ?: ktime_get_ns() - run->started_ns;

	seq_printf(file, "state %s\n", stress_state_name(run));
	seq_printf(file, "verdict %s\n", verdict(run));
	seq_printf(file, "variant %s\n", settings->ops->name);
	show(file, "threads", settings->threads);
	show(file, "refs", settings->refs);
	show(file, "waiters", settings->waiters);
	show(file, "seed", settings->seed);
	show(file, "msecs", settings->msecs);
	show(file, "live_us", settings->live_us);
	show(file, "elapsed_ms", div_u64(elapsed_ns, NSEC_PER_MSEC));
	show(file, "grants", SUM_OF(run, grants));
	show(file, "refusals", SUM_OF(run, refusals));
	show(file, "releases", SUM_OF(run, releases));
	SHOW(ex_grants);
	SHOW(handovers);
	SHOW_OF("grants", grants, stress_context_names);
	SHOW_OF("refusals", refusals, stress_context_names);
	SHOW_OF("releases", releases, stress_context_names);
	SHOW(rundowns);
	SHOW(waits);
	SHOW(mutex_waits);
	SHOW(reinitialized);
	SHOW(replaced);
	SHOW(nmi_lost);
	show(file, "violations", SUM_OF(run, violations));
	SHOW_OF("violation", violations, stress_violation_names);
	seq_printf(file, "first_violation_ms %ld\n", atomic_long_read(&run->first_violation_ms));
}
