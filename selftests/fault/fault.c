// SPDX-License-Identifier: GPL-2.0
/*
 * What if there is no per-CPU memory, or no thread, just now?  The kernel's fault injection has no
 * point for either. This has the Nth such call of one task fail:
 *
 *	echo N >/sys/module/rundown_fault/parameters/percpu	(or .../kthread)
 *
 * counts from here on the calls that the writing task makes; 0 ends that. Reading it gives 0 once
 * the call has failed, as /proc/PID/fail-nth does. What the call had got is given back when the
 * parameter is written next, or the module goes.
 */
#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched.h>

struct fault {
	struct kretprobe probe;
	const char * const *symbols;		/* the first that the kernel has */
	long error;				/* what the call returns instead */
	void (*give_back)(void *got);
	struct mutex lock;			/* setters */
	struct task_struct *task;
	int nth;
	void *got;
};

static void give_back_percpu(void *got)
{
	free_percpu((void __percpu __force *)(unsigned long)got);
}

static void give_back_kthread(void *got)
{
	/* Not woken yet, so it ends without having run. */
	kthread_stop(got);
}

static struct fault *fault_of(struct kretprobe_instance *instance)
{
	return container_of(get_kretprobe(instance), struct fault, probe);
}

/* No entry handler that filters: 6.12 and 6.1 differ in when they call it. */
static int fault_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct fault *fault = fault_of(instance);
	void *got = (void *)regs_return_value(regs);

	/* Only its own task changes ->nth while it is set. */
	if (READ_ONCE(fault->task) != current || !fault->nth || IS_ERR_OR_NULL(got))
		return 0;
	if (--fault->nth)
		return 0;
	fault->got = got;
	regs_set_return_value(regs, fault->error);
	return 0;
}

NOKPROBE_SYMBOL(fault_return);

static void fault_disarm(struct fault *fault)
{
	void *got = fault->got;

	WRITE_ONCE(fault->task, NULL);
	fault->nth = 0;
	fault->got = NULL;
	if (got)
		fault->give_back(got);
}

static int fault_set(const char *value, const struct kernel_param *kp)
{
	struct fault *fault = kp->arg;
	int error, nth;

	error = kstrtoint(value, 0, &nth);
	if (error)
		return error;
	if (nth < 0)
		return -EINVAL;
	mutex_lock(&fault->lock);
	fault_disarm(fault);
	fault->nth = nth;
	if (nth)
		WRITE_ONCE(fault->task, current);
	mutex_unlock(&fault->lock);
	return 0;
}

static int fault_get(char *buffer, const struct kernel_param *kp)
{
	struct fault *fault = kp->arg;

	return sysfs_emit(buffer, "%d\n", READ_ONCE(fault->nth));
}

static const struct kernel_param_ops fault_ops = {
	.set = fault_set,
	.get = fault_get,
};

static const char * const percpu_symbols[] = { "pcpu_alloc_noprof", "pcpu_alloc", NULL };
static const char * const kthread_symbols[] = { "kthread_create_on_node", NULL };

static struct fault percpu = {
	.symbols = percpu_symbols,
	.give_back = give_back_percpu,
	.lock = __MUTEX_INITIALIZER(percpu.lock),
};
module_param_cb(percpu, &fault_ops, &percpu, 0600);
MODULE_PARM_DESC(percpu, "Which of the writer's per-CPU allocations fails next; 0: none");

static struct fault kthread = {
	.symbols = kthread_symbols,
	.error = -ENOMEM,
	.give_back = give_back_kthread,
	.lock = __MUTEX_INITIALIZER(kthread.lock),
};
module_param_cb(kthread, &fault_ops, &kthread, 0600);
MODULE_PARM_DESC(kthread, "Which of the threads that the writer creates fails next; 0: none");

static int fault_register(struct fault *fault)
{
	const char * const *symbol;
	int error = -ENOENT;

	for (symbol = fault->symbols; *symbol && error; symbol++) {
		fault->probe.kp.addr = NULL;
		fault->probe.kp.symbol_name = *symbol;
		fault->probe.handler = fault_return;
		error = register_kretprobe(&fault->probe);
	}
	return error;
}

static void fault_unregister(struct fault *fault)
{
	unregister_kretprobe(&fault->probe);
	fault_disarm(fault);
}

static int __init fault_init(void)
{
	int error = fault_register(&percpu);

	if (error)
		return error;
	error = fault_register(&kthread);
	if (error)
		fault_unregister(&percpu);
	return error;
}

static void __exit fault_exit(void)
{
	fault_unregister(&kthread);
	fault_unregister(&percpu);
}

module_init(fault_init);
module_exit(fault_exit);
MODULE_DESCRIPTION("Has per-CPU allocation and thread creation fail");
MODULE_LICENSE("GPL");
