// SPDX-License-Identifier: GPL-2.0
/*
 * Does rundown.ko stay, and work, under its users?  A module that uses run-down protection from
 * threads and a timer as long as it is loaded.
 *
 * Compiled twice: rundown_user.ko owns the refs and runs them down every few milliseconds;
 * rundown_second_user.ko (second_user.c) uses the same refs from another module.
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "user.h"

#define USER_MAX_THREADS	16

static unsigned int threads = 2;
static atomic_long_t uses, refusals, violations, rundowns;

static struct task_struct *tasks[USER_MAX_THREADS];
static struct timer_list user_timer;

static int threads_set(const char *value, const struct kernel_param *kp)
{
	return param_set_uint_minmax(value, kp, 1, USER_MAX_THREADS);
}

static const struct kernel_param_ops threads_ops = {
	.set = threads_set,
	.get = param_get_uint,
};
module_param_cb(threads, &threads_ops, &threads, 0444);
MODULE_PARM_DESC(threads, "How many threads use the refs, 1 to 16");

static int counts_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "uses %ld refusals %ld violations %ld rundowns %ld\n",
			  atomic_long_read(&uses), atomic_long_read(&refusals),
			  atomic_long_read(&violations), atomic_long_read(&rundowns));
}

static int counts_set(const char *value, const struct kernel_param *kp)
{
	return -EPERM;
}

static const struct kernel_param_ops counts_ops = {
	.set = counts_set,
	.get = counts_get,
};
module_param_cb(counts, &counts_ops, NULL, 0444);
MODULE_PARM_DESC(counts, "What has been done (read only)");

static void user_check(enum user_kind kind)
{
	if (READ_ONCE(rundown_user_refs.stamps[kind]) != USER_STAMP)
		atomic_long_inc(&violations);
}

static void user_look(enum user_kind kind, bool may_sleep)
{
	user_check(kind);
	if (may_sleep)
		usleep_range(50, 100);
	user_check(kind);
	atomic_long_inc(&uses);
}

static void user_use(enum user_kind kind, bool may_sleep)
{
	struct user_refs *refs = &rundown_user_refs;

	if (kind == USER_BASIC)
		ex_with_rundown_protection(&refs->basic, goto refused)
			user_look(kind, may_sleep);
	else
		ex_with_rundown_protection(refs->cache_aware, goto refused)
			user_look(kind, may_sleep);
	return;
refused:
	atomic_long_inc(&refusals);
}

static int user_thread(void *unused)
{
	unsigned int turn = 0;

	while (!kthread_should_stop()) {
		user_use(turn % USER_KINDS, turn % 8 < USER_KINDS);
		turn++;
		usleep_range(20, 60);
	}
	return 0;
}

static void user_tick(struct timer_list *timer)
{
	enum user_kind kind;

	for (kind = 0; kind < USER_KINDS; kind++)
		user_use(kind, false);
	mod_timer(timer, jiffies + 1);
}

static void users_stop(void)
{
	unsigned int i;

	for (i = 0; i < threads; i++)
		if (tasks[i])
			kthread_stop(tasks[i]);
	/* It arms itself anew: the loop inside copes with that. */
	timer_delete_sync(&user_timer);
}

static int users_start(void)
{
	unsigned int i;

	/* Lockdep is to forget that this module was in a scope when it goes. */
	ex_with_rundown_protection(&rundown_user_refs.quiet, return -ENODEV)
		barrier();
	timer_setup(&user_timer, user_tick, 0);
	for (i = 0; i < threads; i++) {
		struct task_struct *task = kthread_run(user_thread, NULL, "%s/%u",
						       KBUILD_MODNAME, i);

		if (IS_ERR(task)) {
			users_stop();
			return PTR_ERR(task);
		}
		tasks[i] = task;
	}
	mod_timer(&user_timer, jiffies + 1);
	return 0;
}

#ifndef RUNDOWN_SECOND_USER

struct user_refs rundown_user_refs;
EXPORT_SYMBOL_GPL(rundown_user_refs);

static struct task_struct *owner_task;
static struct ex_rundown_work last_call;
static bool last_called;

static void owner_run_down(enum user_kind kind)
{
	struct user_refs *refs = &rundown_user_refs;

	if (kind == USER_BASIC)
		ex_wait_for_rundown_protection_release(&refs->basic);
	else
		ex_wait_for_rundown_protection_release_cache_aware(refs->cache_aware);
	/* Who still uses it finds this. */
	WRITE_ONCE(refs->stamps[kind], USER_POISON);
	atomic_long_inc(&rundowns);
}

static void owner_reopen(enum user_kind kind)
{
	struct user_refs *refs = &rundown_user_refs;

	WRITE_ONCE(refs->stamps[kind], USER_STAMP);
	if (kind == USER_BASIC)
		ex_reinitialize_rundown_protection(&refs->basic);
	else
		ex_reinitialize_rundown_protection_cache_aware(refs->cache_aware);
}

static int owner_thread(void *unused)
{
	enum user_kind kind;

	while (!kthread_should_stop()) {
		for (kind = 0; kind < USER_KINDS; kind++) {
			owner_run_down(kind);
			usleep_range(100, 200);
			owner_reopen(kind);
		}
		usleep_range(1000, 2000);
	}
	return 0;
}

static int __init user_init(void)
{
	struct user_refs *refs = &rundown_user_refs;
	enum user_kind kind;
	int error;

	ex_initialize_rundown_protection(&refs->basic);
	ex_initialize_rundown_protection(&refs->quiet);
	refs->cache_aware = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	if (!refs->cache_aware)
		return -ENOMEM;
	for (kind = 0; kind < USER_KINDS; kind++)
		refs->stamps[kind] = USER_STAMP;

	error = users_start();
	if (error)
		goto free;
	owner_task = kthread_run(owner_thread, NULL, "%s/owner", KBUILD_MODNAME);
	if (!IS_ERR(owner_task))
		return 0;
	error = PTR_ERR(owner_task);
	users_stop();
free:
	ex_free_cache_aware_rundown_protection(refs->cache_aware);
	return error;
}

static void quiet_release(struct work_struct *work)
{
	ex_release_rundown_protection(&rundown_user_refs.quiet);
}

static DECLARE_DELAYED_WORK(release_work, quiet_release);

static void quiet_gone(struct ex_rundown_work *work)
{
	/* Long enough to be caught without its code. */
	msleep(20);
	last_called = true;
}

/* A run-down that calls back, begun too late to hold the module. */
static void user_call_back_last(void)
{
	struct ex_rundown_ref *quiet = &rundown_user_refs.quiet;

	ex_wait_for_rundown_protection_release(quiet);
	ex_reinitialize_rundown_protection(quiet);
	if (WARN_ON(!ex_acquire_rundown_protection(quiet)))
		return;
	ex_rundown_start_async(quiet, &last_call, quiet_gone);
	schedule_delayed_work(&release_work, 1);
	ex_rundown_async_barrier();
	WARN_ON(!last_called);
	flush_delayed_work(&release_work);
}

static void __exit user_exit(void)
{
	enum user_kind kind;

	kthread_stop(owner_task);
	/* Under the users: they must be refused from here on. */
	for (kind = 0; kind < USER_KINDS; kind++)
		owner_run_down(kind);
	users_stop();
	user_call_back_last();
	ex_free_cache_aware_rundown_protection(rundown_user_refs.cache_aware);
	if (atomic_long_read(&violations))
		pr_err("%s: %ld violations\n", KBUILD_MODNAME, atomic_long_read(&violations));
}

module_init(user_init);
module_exit(user_exit);
MODULE_DESCRIPTION("Uses rundown.ko as long as it is loaded");

#else

module_init(users_start);
module_exit(users_stop);
MODULE_DESCRIPTION("Uses rundown.ko and the refs of rundown_user.ko");

#endif

MODULE_LICENSE("GPL");
