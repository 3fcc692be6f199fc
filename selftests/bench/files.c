// SPDX-License-Identifier: GPL-2.0
/* The files in /sys/kernel/debug/rundown_bench, and the module. */
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "measure.h"
#include "subject.h"

#define LINE		256
#define MAX_SAMPLES	10000

static struct dentry *directory;

/* One measurement at a time; its result stays until the next one has one. */
static DEFINE_MUTEX(lock);
static struct bench_result latest;

static const struct bench_subject *find(const char *name)
{
	unsigned int i;

	for (i = 0; bench_subjects[i]; i++)
		if (!strcmp(bench_subjects[i]->name, name))
			return bench_subjects[i];
	return NULL;
}

static int number(const char *word, unsigned long low, unsigned long high, unsigned long *value)
{
	int error = kstrtoul(word, 10, value);

	return error ?: *value < low || *value > high ? -EINVAL : 0;
}

/* pairs|refused SUBJECT N THREADS shared|own */
static int loop_command(char **word, struct bench_result *result)
{
	struct bench_loop what = {
		.subject = find(word[1]),
		.refused = !strcmp(word[0], "refused"),
		.own = !strcmp(word[4], "own"),
	};
	unsigned long n, threads;

	if (!what.subject || (!what.own && strcmp(word[4], "shared")) ||
	    number(word[2], 1, 1000000000, &n) || number(word[3], 1, num_online_cpus(), &threads))
		return -EINVAL;
	what.n = n;
	what.threads = threads;
	result->samples = kvcalloc(threads, sizeof(*result->samples), GFP_KERNEL);
	return result->samples ? bench_measure_loop(&what, result) : -ENOMEM;
}

/* down SUBJECT SAMPLES REFS HOLDERS */
static int down_command(char **word, struct bench_result *result)
{
	struct bench_down what = { .subject = find(word[1]) };
	unsigned long samples, refs, holders;

	if (!what.subject || number(word[2], 1, MAX_SAMPLES, &samples) ||
	    number(word[3], 1, 10000, &refs) || number(word[4], 0, num_online_cpus(), &holders))
		return -EINVAL;
	what.samples = samples;
	what.refs = refs;
	what.holders = holders;
	result->samples = kvcalloc(samples, sizeof(*result->samples), GFP_KERNEL);
	return result->samples ? bench_measure_down(&what, result) : -ENOMEM;
}

static int command(const char *line)
{
	struct bench_result result = {};
	int words, error = -EINVAL;
	char **word = argv_split(GFP_KERNEL, line, &words);

	if (!word)
		return -ENOMEM;
	if (words == 5) {
		if (!strcmp(word[0], "pairs") || !strcmp(word[0], "refused"))
			error = loop_command(word, &result);
		else if (!strcmp(word[0], "down"))
			error = down_command(word, &result);
	}
	argv_free(word);
	if (!error)
		swap(latest, result);
	kvfree(result.samples);
	return error;
}

static ssize_t run_write(struct file *file, const char __user *buffer, size_t count,
			 loff_t *position)
{
	char *line;
	int error;

	if (*position || !count || count > LINE)
		return -EINVAL;
	line = memdup_user_nul(buffer, count);
	if (IS_ERR(line))
		return PTR_ERR(line);
	error = mutex_lock_interruptible(&lock);
	if (!error) {
		error = command(line);
		mutex_unlock(&lock);
	}
	kfree(line);
	return error ?: count;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
	.llseek = noop_llseek,
};

static int result_show(struct seq_file *file, void *unused)
{
	int error = mutex_lock_interruptible(&lock);
	unsigned int i;

	if (error)
		return error;
	for (i = 0; i < latest.count; i++)
		seq_printf(file, "%llu\n", latest.samples[i]);
	mutex_unlock(&lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int subjects_show(struct seq_file *file, void *unused)
{
	static const char *const kinds[] = {
		[BENCH_LIMIT] = "limit", [BENCH_OURS] = "ours", [BENCH_PEER] = "peer",
	};
	unsigned int i;

	for (i = 0; bench_subjects[i]; i++) {
		const struct bench_subject *it = bench_subjects[i];

		seq_printf(file, "%s %s %u %u %s%s%s%s %s\n", it->name, kinds[it->kind], it->bytes,
			   it->bytes_percpu, it->pairs ? "p" : "-", it->refused ? "r" : "-",
			   it->down ? "d" : "-", it->settle ? "s" : "-", it->title);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(subjects);

static int __init bench_init(void)
{
	directory = debugfs_create_dir("rundown_bench", NULL);
	/* Without debugfs this module is of no use. */
	if (IS_ERR(directory))
		return PTR_ERR(directory);
	debugfs_create_file("run", 0200, directory, NULL, &run_fops);
	debugfs_create_file("result", 0400, directory, NULL, &result_fops);
	debugfs_create_file("subjects", 0400, directory, NULL, &subjects_fops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove(directory);
	kvfree(latest.samples);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Run-down protection beside its peers, measured");
MODULE_LICENSE("GPL");
