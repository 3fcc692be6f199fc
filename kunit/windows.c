// SPDX-License-Identifier: GPL-2.0
/* Where the Windows names do more than to call ours. */
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "ex_rundown_wdm.h"
#include "fixture.h"

static PEX_RUNDOWN_REF_CACHE_AWARE allocate_nonpaged(void)
{
	return ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, 0);
}

/* The reserve may be refilled as fast as it is used, so look at the flags. */
static void rundown_windows_test_nonpaged_spares_reserve(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT))
		kunit_skip(test, "this kernel does not know who may sleep");
	KUNIT_EXPECT_TRUE(test, __ex_rundown_wdm_gfp(NonPagedPoolNx) == GFP_KERNEL);
}

static PEX_RUNDOWN_REF_CACHE_AWARE allocated;

static void with_preemption_off(void)
{
	preempt_disable();
	allocated = allocate_nonpaged();
	preempt_enable();
}

static void with_irqs_off(void)
{
	unsigned long flags;

	local_irq_save(flags);
	allocated = allocate_nonpaged();
	local_irq_restore(flags);
}

static void with_bh_off(void)
{
	local_bh_disable();
	allocated = allocate_nonpaged();
	local_bh_enable();
}

static void under_spinlock(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	allocated = allocate_nonpaged();
	spin_unlock(&lock);
}

static void under_rcu(void)
{
	rcu_read_lock();
	allocated = allocate_nonpaged();
	rcu_read_unlock();
}

static DECLARE_COMPLETION(timer_done);

static void on_timer(struct timer_list *timer)
{
	allocated = allocate_nonpaged();
	complete(&timer_done);
}

static DEFINE_TIMER(timer, on_timer);

static void in_softirq_of_timer(void)
{
	reinit_completion(&timer_done);
	mod_timer(&timer, jiffies);
	wait_for_completion(&timer_done);
	timer_delete_sync(&timer);
}

static const struct context {
	const char *name;
	void (*run)(void);
	bool raw;	/* no allocation there on PREEMPT_RT */
} contexts[] = {
	{ "preemption off", with_preemption_off, .raw = true },
	{ "IRQs off", with_irqs_off, .raw = true },
	{ "BH off", with_bh_off },
	{ "spinlock", under_spinlock },
	{ "RCU read-side critical section", under_rcu },
	{ "softirq", in_softirq_of_timer },
};

/* Where nothing may sleep. If it tries to, the kernel says so, which is seen by the taint. */
static void rundown_windows_test_nonpaged_does_not_sleep(struct kunit *test)
{
	const struct context *context;

	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		kunit_skip(test, "no CONFIG_DEBUG_ATOMIC_SLEEP");
	/* The kernel says it at most once a second. */
	msleep(1100);
	for (context = contexts; context < contexts + ARRAY_SIZE(contexts); context++) {
		struct call_probe splats = { .kp.symbol_name = "add_taint" };

		if (context->raw && IS_ENABLED(CONFIG_PREEMPT_RT))
			continue;
		call_probe_begin(test, &splats);
		context->run();
		KUNIT_EXPECT_EQ_MSG(test, call_probe_end(&splats), 0, "%s", context->name);
		KUNIT_EXPECT_NOT_NULL_MSG(test, allocated, "%s", context->name);
		ExFreeCacheAwareRundownProtection(allocated);
	}
}

static struct kunit_case rundown_windows_cases[] = {
	KUNIT_CASE(rundown_windows_test_nonpaged_spares_reserve),
	KUNIT_CASE(rundown_windows_test_nonpaged_does_not_sleep),
	{}
};

static struct kunit_suite rundown_windows_suite = {
	.name = "rundown_windows",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_windows_cases,
};

kunit_test_suite(rundown_windows_suite);
