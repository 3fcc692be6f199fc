// SPDX-License-Identifier: GPL-2.0
/* The files in /sys/kernel/debug/rundown_stress, and the module. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "stress.h"

#define STRESS_LINE	512

static struct dentry *directory;

/**
 * stress_read_line() - copy a command from user space
 * @line:     where to
 * @size:     of it
 * @buffer:   one line, with or without a newline at its end
 * @count:    its length
 * @position: in the file; a command is one write, from the start
 *
 * Return: 0; -EINVAL if it is no such line; -EFAULT.
 */
ssize_t stress_read_line(char *line, size_t size, const char __user *buffer, size_t count,
			 loff_t *position)
{
	size_t i;

	if (*position || !count || count >= size)
		return -EINVAL;
	if (copy_from_user(line, buffer, count))
		return -EFAULT;
	if (line[count - 1] == '\n')
		count--;
	line[count] = '\0';
	for (i = 0; i < count; i++)
		if (line[i] != '\t' && (line[i] < ' ' || line[i] > '~'))
			return -EINVAL;
	return 0;
}

static int run_command(char *line)
{
	struct stress_settings settings;
	char *word;
	int error;

	line += strspn(line, " \t");
	word = strsep(&line, " \t");
	if (!strcmp(word, "stop"))
		return line && line[strspn(line, " \t")] ? -EINVAL : stress_stop();
	if (strcmp(word, "start"))
		return -EINVAL;
	error = stress_settings_parse(&settings, line);
	return error ?: stress_start(&settings);
}

static ssize_t run_write(struct file *file, const char __user *buffer, size_t count,
			 loff_t *position)
{
	char line[STRESS_LINE + 1];
	ssize_t error = stress_read_line(line, sizeof(line), buffer, count, position);

	error = error ?: run_command(line);
	return error ?: count;
}

static int run_show(struct seq_file *file, void *unused)
{
	struct stress_settings defaults;
	int error = mutex_lock_interruptible(&stress_lock);

	if (error)
		return error;
	seq_printf(file, "%s ", stress_state_name(stress_current));
	if (stress_current)
		stress_settings_show(file, &stress_current->settings);
	else if (!stress_settings_parse(&defaults, NULL))
		stress_settings_show(file, &defaults);
	seq_putc(file, '\n');
	mutex_unlock(&stress_lock);
	return 0;
}

static int run_open(struct inode *inode, struct file *file)
{
	return single_open(file, run_show, NULL);
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = run_open,
	.read = seq_read,
	.write = run_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int show_current(struct seq_file *file,
			void (*show)(struct seq_file *file, struct stress_run *run))
{
	int error = mutex_lock_interruptible(&stress_lock);

	if (error)
		return error;
	if (stress_current)
		show(file, stress_current);
	else if (show == stress_stats_show)
		seq_puts(file, "state idle\nverdict none\n");
	mutex_unlock(&stress_lock);
	return 0;
}

static int stats_show(struct seq_file *file, void *unused)
{
	return show_current(file, stress_stats_show);
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int latency_show(struct seq_file *file, void *unused)
{
	return show_current(file, stress_latency_show);
}
DEFINE_SHOW_ATTRIBUTE(latency);

static int variants_show(struct seq_file *file, void *unused)
{
	stress_variants_show(file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(variants);

static int __init stress_init(void)
{
	int error = stress_carriers_init();

	if (error)
		return error;
	directory = debugfs_create_dir("rundown_stress", NULL);
	/* Without debugfs this module is of no use. */
	if (IS_ERR(directory)) {
		stress_carriers_exit();
		return PTR_ERR(directory);
	}
	debugfs_create_file("run", 0600, directory, NULL, &run_fops);
	debugfs_create_file("variants", 0400, directory, NULL, &variants_fops);
	debugfs_create_file("stats", 0400, directory, NULL, &stats_fops);
	debugfs_create_file("latency", 0400, directory, NULL, &latency_fops);
	debugfs_create_file("manual", 0600, directory, NULL, &stress_manual_fops);
	return 0;
}

/* Nobody has a file open: that would hold a reference to the module. A run may be on. */
static void __exit stress_exit(void)
{
	debugfs_remove(directory);
	stress_stop_and_free();
	stress_manual_exit();
	stress_carriers_exit();
}

module_init(stress_init);
module_exit(stress_exit);

MODULE_DESCRIPTION("Run-down protection test: holders in every context against owners");
MODULE_LICENSE("GPL");
