// SPDX-License-Identifier: GPL-2.0
/*
 * Probes on the module's tracepoints that use refs themselves. What a probe causes in its own
 * context is not traced, or it would be called for that, too, without end; what an interrupt causes
 * meanwhile is.
 */
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "fixture.h"

#ifdef CONFIG_TRACEPOINTS

#if defined(CONFIG_X86_LOCAL_APIC) && !defined(CONFIG_UML)
#include <asm/apic.h>
#include <asm/nmi.h>
#define HAVE_NMI
#endif

/* Of interrupt_context_level(). */
enum level {
	TASK,
	SOFTIRQ,
	HARDIRQ,
	NMI,
	LEVELS
};

/* A probe that is called in the midst of itself gives up before the stack ends. */
#define MOST_DEPTH	20

/* What the probes see of this thread and of the interrupts that come on top of it. */
static struct {
	struct task_struct *task;
	/* What a probe does at a level. */
	void (*fns[LEVELS])(void);
	unsigned int events[LEVELS];
	unsigned int depth[LEVELS];
	unsigned int deepest[LEVELS];
} seen;

static void see_event(void)
{
	unsigned int level = interrupt_context_level();

	if (current != seen.task)
		return;
	seen.events[level]++;
	if (seen.depth[level] == MOST_DEPTH)
		return;
	seen.depth[level]++;
	seen.deepest[level] = max(seen.deepest[level], seen.depth[level]);
	if (seen.fns[level])
		seen.fns[level]();
	seen.depth[level]--;
}

static void see_caller(void *data, const void *ref, unsigned long caller)
{
	see_event();
}

static void see_wait_end(void *data, const void *ref, unsigned long caller, u64 ns, long left)
{
	see_event();
}

static void see_harvest(void *data, const void *ref, int cpu, long held)
{
	see_event();
}

static void see_misuse(void *data, const void *ref, unsigned long caller, const char *what)
{
	see_event();
}

static struct event {
	const char *name;
	void *probe;
	struct tracepoint *tracepoint;
} events[] = {
	{ "rundown_wait_begin", see_caller },
	{ "rundown_wait_end", see_wait_end },
	{ "rundown_harvest", see_harvest },
	{ "rundown_refused", see_caller },
	{ "rundown_misuse", see_misuse },
};

/* Registering it shows all modules that have tracepoints. */
static int find_tracepoints(struct notifier_block *block, unsigned long state, void *data)
{
	struct tp_module *tracing = data;
	int i, j;

	if (strcmp(tracing->mod->name, "rundown"))
		return NOTIFY_DONE;
	for (i = 0; i < tracing->mod->num_tracepoints; i++) {
		struct tracepoint *one = tracepoint_ptr_deref(&tracing->mod->tracepoints_ptrs[i]);

		for (j = 0; j < ARRAY_SIZE(events); j++)
			if (!strcmp(one->name, events[j].name))
				events[j].tracepoint = one;
	}
	return NOTIFY_OK;
}

static struct notifier_block tracepoints = { .notifier_call = find_tracepoints };

static void probes_begin(struct kunit *test)
{
	int i;

	memset(&seen, 0, sizeof(seen));
	seen.task = current;
	register_tracepoint_module_notifier(&tracepoints);
	unregister_tracepoint_module_notifier(&tracepoints);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		KUNIT_ASSERT_NOT_NULL_MSG(test, events[i].tracepoint, "%s", events[i].name);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		tracepoint_probe_register(events[i].tracepoint, events[i].probe, NULL);
}

static void probes_end(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		tracepoint_probe_unregister(events[i].tracepoint, events[i].probe, NULL);
	tracepoint_synchronize_unregister();
}

/* Run down: for the test, and for what its probes do. */
static struct subject *subject;
static struct ex_rundown_ref run_down;

static void subjects_create(struct kunit *test, const struct ref_ops *ops)
{
	subject = subject_create(test, ops);
	subject_completed(subject);
	ex_initialize_rundown_protection(&run_down);
	ex_rundown_completed(&run_down);
}

static void acquire(void)
{
	if (ex_acquire_rundown_protection(&run_down))
		ex_release_rundown_protection(&run_down);
}

static void release_too_many(void)
{
	ex_release_rundown_protection(&run_down);
}

static void start(void)
{
	struct ex_rundown_ref ref;

	ex_initialize_rundown_protection(&ref);
	ex_rundown_start(&ref);
}

/* Even those that are refused by slots are so out of line. */
static void acquire_subject(void)
{
	if (subject_acquire_ex(subject, 1))
		subject_release(subject);
}

static void release_too_many_of_subject(void)
{
	subject_release_ex(subject, 1);
}

static void wait_for_subject(void)
{
	subject_reinitialize(subject);
	subject_wait(subject);
}

/* An event's cause, with how many misuses that is. */
struct cause {
	const char *name;
	void (*fn)(void);
	unsigned int misuses;
};

static const struct cause refused = { "refused", acquire_subject };
static const struct cause misuse = { "misuse", release_too_many_of_subject, 1 };
static const struct cause wait = { "wait", wait_for_subject };
static const struct cause refused_inside = { "refused", acquire };
static const struct cause misuse_inside = { "misuse", release_too_many, 1 };
static const struct cause harvest_inside = { "harvest", start };

struct nesting {
	const struct ref_ops *ops;
	const struct cause *outside;
	const struct cause *inside;
};

static const struct nesting nestings[] = {
	{ &basic_ops, &refused, &refused_inside },
	{ &basic_ops, &refused, &misuse_inside },
	{ &basic_ops, &refused, &harvest_inside },
	{ &basic_ops, &misuse, &refused_inside },
	{ &basic_ops, &misuse, &misuse_inside },
	{ &basic_ops, &misuse, &harvest_inside },
	{ &basic_ops, &wait, &refused_inside },
	{ &basic_ops, &wait, &misuse_inside },
	{ &basic_ops, &wait, &harvest_inside },
	{ &allocated_ops, &refused, &refused_inside },
	{ &allocated_ops, &misuse, &refused_inside },
	{ &allocated_ops, &wait, &refused_inside },
	{ &no_ipi_ops, &refused, &refused_inside },
	{ &no_ipi_ops, &misuse, &refused_inside },
	{ &no_ipi_ops, &wait, &refused_inside },
};

static void describe_nesting(const struct nesting *nesting, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s in probe of %s; %s", nesting->inside->name,
		 nesting->outside->name, nesting->ops->name);
}

KUNIT_ARRAY_PARAM(each_nesting, nestings, describe_nesting);

/* How many events of this thread are traced, with @inside done by the probe of each. */
static unsigned int trace(struct kunit *test, const struct cause *outside, void (*inside)(void),
			  unsigned int misuses)
{
	if (misuses)
		misuse_begin(test, EX_MISUSE_RELEASE_TOO_MANY, misuses);
	probes_begin(test);
	seen.fns[TASK] = inside;
	outside->fn();
	probes_end();
	if (misuses)
		misuse_end();
	return seen.events[TASK];
}

static void rundown_probes_test_own_events_are_not_traced(struct kunit *test)
{
	const struct nesting *nesting = test->param_value;
	const struct cause *outside = nesting->outside, *inside = nesting->inside;
	unsigned int alone;

	subjects_create(test, nesting->ops);
	alone = trace(test, outside, NULL, outside->misuses);
	KUNIT_EXPECT_GT(test, alone, 0);
	KUNIT_EXPECT_EQ(test, alone, trace(test, outside, inside->fn,
					   outside->misuses + alone * inside->misuses));
	KUNIT_EXPECT_EQ(test, seen.deepest[TASK], 1);
}

static void (*interrupt_this_cpu)(void);
static bool interrupted;

static void interrupt(void)
{
	acquire();
	WRITE_ONCE(interrupted, true);
}

static void wait_for_interrupt(void)
{
	int us;

	for (us = 0; us < BLOCKS_MS * 1000 && !READ_ONCE(interrupted); us += 5)
		udelay(5);
}

static void acquire_interrupted(void)
{
	interrupt_this_cpu();
	acquire();
}

/* In the probe of a task's event, an interrupt has one, and probing that has another. */
static void interrupt_probe(struct kunit *test, enum level level, void (*fn)(void))
{
	subjects_create(test, &basic_ops);
	interrupt_this_cpu = fn;
	interrupted = false;
	probes_begin(test);
	seen.fns[TASK] = acquire_interrupted;
	seen.fns[level] = acquire;
	acquire();
	probes_end();
	KUNIT_EXPECT_TRUE(test, interrupted);
	KUNIT_EXPECT_EQ(test, seen.events[level], 1);
	KUNIT_EXPECT_EQ(test, seen.deepest[level], 1);
	KUNIT_EXPECT_EQ(test, seen.events[TASK], 1);
	KUNIT_EXPECT_EQ(test, seen.deepest[TASK], 1);
}

static void on_tasklet(struct tasklet_struct *tasklet)
{
	interrupt();
}

static DECLARE_TASKLET(tasklet, on_tasklet);

static void interrupt_by_softirq(void)
{
	local_bh_disable();
	tasklet_schedule(&tasklet);
	local_bh_enable();
}

static void rundown_probes_test_softirq_is_traced(struct kunit *test)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "softirqs are threads, and preemption is off in a probe");
	interrupt_probe(test, SOFTIRQ, interrupt_by_softirq);
	tasklet_kill(&tasklet);
}

static void on_irq_work(struct irq_work *work)
{
	interrupt();
}

static struct irq_work irq_work = IRQ_WORK_INIT_HARD(on_irq_work);

static void interrupt_by_irq_work(void)
{
	irq_work_queue(&irq_work);
	wait_for_interrupt();
}

static void rundown_probes_test_hardirq_is_traced(struct kunit *test)
{
	interrupt_probe(test, HARDIRQ, interrupt_by_irq_work);
	irq_work_sync(&irq_work);
}

#ifdef HAVE_NMI
static bool nmi_wanted;

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (!READ_ONCE(nmi_wanted))
		return NMI_DONE;
	WRITE_ONCE(nmi_wanted, false);
	interrupt();
	return NMI_HANDLED;
}

static void interrupt_by_nmi(void)
{
	WRITE_ONCE(nmi_wanted, true);
	apic->send_IPI_mask(cpumask_of(raw_smp_processor_id()), NMI_VECTOR);
	wait_for_interrupt();
}

static void rundown_probes_test_nmi_is_traced(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, register_nmi_handler(NMI_LOCAL, on_nmi, 0, "rundown_kunit"), 0);
	interrupt_probe(test, NMI, interrupt_by_nmi);
	unregister_nmi_handler(NMI_LOCAL, "rundown_kunit");
}
#endif

#else

static void rundown_probes_test_needs_tracepoints(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_TRACEPOINTS");
}

#endif

static struct kunit_case rundown_probes_cases[] = {
#ifdef CONFIG_TRACEPOINTS
	KUNIT_CASE_PARAM(rundown_probes_test_own_events_are_not_traced, each_nesting_gen_params),
	KUNIT_CASE(rundown_probes_test_softirq_is_traced),
	KUNIT_CASE(rundown_probes_test_hardirq_is_traced),
#ifdef HAVE_NMI
	KUNIT_CASE(rundown_probes_test_nmi_is_traced),
#endif
#else
	KUNIT_CASE(rundown_probes_test_needs_tracepoints),
#endif
	{}
};

static struct kunit_suite rundown_probes_suite = {
	.name = "rundown_probes",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_probes_cases,
};

kunit_test_suite(rundown_probes_suite);
