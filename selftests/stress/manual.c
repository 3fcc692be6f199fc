// SPDX-License-Identifier: GPL-2.0
/*
 * Two refs to be worked by hand: to see a wait that does not end, and to end it.
 *
 * The task that writes "wait" waits. "misuse" is one that is refused, and the kernel warns of it.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>

#include "stress.h"

struct manual_ref {
	const char *name;
	bool (*acquire)(void);
	bool (*acquire_ex)(u32 count);
	void (*release)(void);
	void (*wait)(void);
	void (*reinitialize)(void);
	/* Under manual_lock. */
	unsigned int held;
	unsigned int waiting;
	bool down;
};

static DEFINE_MUTEX(manual_lock);
static DEFINE_EX_RUNDOWN_REF(basic);
DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(percpu);

static bool basic_acquire(void)
{
	return ex_acquire_rundown_protection(&basic);
}

static bool basic_acquire_ex(u32 count)
{
	return ex_acquire_rundown_protection_ex(&basic, count);
}

static void basic_release(void)
{
	ex_release_rundown_protection(&basic);
}

static void basic_wait(void)
{
	ex_wait_for_rundown_protection_release(&basic);
}

static void basic_reinitialize(void)
{
	ex_reinitialize_rundown_protection(&basic);
}

static bool percpu_acquire(void)
{
	return ex_acquire_rundown_protection_cache_aware(&percpu);
}

static bool percpu_acquire_ex(u32 count)
{
	return ex_acquire_rundown_protection_cache_aware_ex(&percpu, count);
}

static void percpu_release(void)
{
	ex_release_rundown_protection_cache_aware(&percpu);
}

static void percpu_wait(void)
{
	ex_wait_for_rundown_protection_release_cache_aware(&percpu);
}

static void percpu_reinitialize(void)
{
	ex_reinitialize_rundown_protection_cache_aware(&percpu);
}

static struct manual_ref manual_refs[] = {
	{ "basic", basic_acquire, basic_acquire_ex, basic_release, basic_wait,
	  basic_reinitialize },
	{ "percpu", percpu_acquire, percpu_acquire_ex, percpu_release, percpu_wait,
	  percpu_reinitialize },
};

static int manual_acquire(struct manual_ref *ref)
{
	if (!ref->acquire())
		return -ENODEV;
	ref->held++;
	return 0;
}

static int manual_release(struct manual_ref *ref)
{
	if (!ref->held)
		return -EPERM;
	ref->held--;
	ref->release();
	return 0;
}

/* The lock is not held meanwhile: somebody has to release. */
static int manual_wait(struct manual_ref *ref)
{
	ref->waiting++;
	ref->down = true;
	mutex_unlock(&manual_lock);
	ref->wait();
	mutex_lock(&manual_lock);
	ref->waiting--;
	return 0;
}

static int manual_reinitialize(struct manual_ref *ref)
{
	if (!ref->down || ref->held || ref->waiting)
		return -EBUSY;
	ref->reinitialize();
	ref->down = false;
	return 0;
}

static int manual_misuse(struct manual_ref *ref)
{
	return ref->acquire_ex(0) ? -EPROTO : 0;
}

static const struct {
	const char *name;
	int (*act)(struct manual_ref *ref);
} commands[] = {
	{ "acquire", manual_acquire },
	{ "release", manual_release },
	{ "wait", manual_wait },
	{ "reinitialize", manual_reinitialize },
	{ "misuse", manual_misuse },
};

static int manual_command(char *line)
{
	char *word = strsep(&line, " ");
	int command, ref, error;

	for (command = 0; command < ARRAY_SIZE(commands); command++)
		if (!strcmp(word, commands[command].name))
			break;
	for (ref = 0; line && ref < ARRAY_SIZE(manual_refs); ref++)
		if (!strcmp(line, manual_refs[ref].name))
			break;
	if (!line || command == ARRAY_SIZE(commands) || ref == ARRAY_SIZE(manual_refs))
		return -EINVAL;

	error = mutex_lock_interruptible(&manual_lock);
	if (error)
		return error;
	error = commands[command].act(&manual_refs[ref]);
	mutex_unlock(&manual_lock);
	return error;
}

static ssize_t manual_write(struct file *file, const char __user *buffer, size_t count,
			    loff_t *position)
{
	char line[32];
	ssize_t error = stress_read_line(line, sizeof(line), buffer, count, position);

	error = error ?: manual_command(line);
	return error ?: count;
}

static int manual_show(struct seq_file *file, void *unused)
{
	int i, error = mutex_lock_interruptible(&manual_lock);

	if (error)
		return error;
	for (i = 0; i < ARRAY_SIZE(manual_refs); i++)
		seq_printf(file, "%s %s held %u waiting %u\n", manual_refs[i].name,
			   manual_refs[i].down ? "down" : "live", manual_refs[i].held,
			   manual_refs[i].waiting);
	mutex_unlock(&manual_lock);
	return 0;
}

static int manual_open(struct inode *inode, struct file *file)
{
	return single_open(file, manual_show, NULL);
}

const struct file_operations stress_manual_fops = {
	.owner = THIS_MODULE,
	.open = manual_open,
	.read = seq_read,
	.write = manual_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* Nobody waits: that is a write, and the file would be open. */
void stress_manual_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(manual_refs); i++) {
		while (manual_refs[i].held)
			manual_release(&manual_refs[i]);
		manual_refs[i].wait();
	}
}
