// SPDX-License-Identifier: GPL-2.0
/*
 * Timers, interrupts and work items. A thread claims a carrier, gives it what it holds or nothing,
 * and sends it off; the carrier acquires if it was given nothing, and releases, or has a work item
 * do that.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include "../compat.h"
#include "stress.h"

#if defined(CONFIG_X86_LOCAL_APIC) && !defined(CONFIG_UML)
#include <asm/apic.h>
#include <asm/nmi.h>
#define STRESS_HAVE_NMI
#endif

/* Belongs to who turned @busy from 0 to 1, and then to where it was sent. */
struct stress_carrier {
	struct stress_run *run;
	atomic_t busy;
	bool holds;
	bool passed_on;
	u32 random;
	struct stress_place *place;
	struct stress_hold hold;
	struct timer_list timer;
	struct hrtimer hrtimer;
	struct irq_work irq_work;
	struct work_struct work;
};

static void carrier_free(struct stress_carrier *carrier)
{
	/*
	 * The next owner may send it while this function still returns: timers, irq_works and work
	 * items allow that. Release: we are done with the fields.
	 */
	atomic_set_release(&carrier->busy, 0);
}

/* Have it released somewhere else. */
static bool carrier_pass_on(struct stress_carrier *carrier, enum stress_context context)
{
	struct stress_run *run = carrier->run;

	if (!run->settings.ops->handover || !(run->settings.contexts & BIT(STRESS_WORK)) ||
	    context == STRESS_WORK || carrier->passed_on || carrier->random & 1)
		return false;
	carrier->holds = true;
	carrier->passed_on = true;
	if (context == STRESS_NMI)
		irq_work_queue(&carrier->irq_work);
	else
		queue_work(run->workqueue, &carrier->work);
	return true;
}

static void carrier_arrive(struct stress_carrier *carrier, enum stress_context context)
{
	struct stress_run *run = carrier->run;
	struct stress_hold *hold = &carrier->hold;

	if (!carrier->holds &&
	    !stress_acquire(run, carrier->place, stress_pick_count(run, carrier->random >> 3),
			    context, hold)) {
		carrier_free(carrier);
		return;
	}
	stress_use(run, hold);
	if (carrier_pass_on(carrier, context))
		return;
	stress_release(run, hold, context);
	carrier_free(carrier);
}

static void on_timer(struct timer_list *timer)
{
	carrier_arrive(container_of(timer, struct stress_carrier, timer), STRESS_SOFTIRQ);
}

static enum hrtimer_restart on_hrtimer(struct hrtimer *hrtimer)
{
	carrier_arrive(container_of(hrtimer, struct stress_carrier, hrtimer), STRESS_HARDIRQ);
	return HRTIMER_NORESTART;
}

static void on_irq_work(struct irq_work *irq_work)
{
	carrier_arrive(container_of(irq_work, struct stress_carrier, irq_work), STRESS_IRQ_WORK);
}

static void on_work(struct work_struct *work)
{
	carrier_arrive(container_of(work, struct stress_carrier, work), STRESS_WORK);
}

/* It could not be sent. */
static void carrier_return(struct stress_carrier *carrier)
{
	if (carrier->holds)
		stress_release(carrier->run, &carrier->hold, STRESS_SLEEP);
	carrier_free(carrier);
}

#ifdef STRESS_HAVE_NMI
static DEFINE_PER_CPU(struct stress_carrier *, nmi_carrier);
/* Sent, and not seen yet: one that comes too late is ours still. */
static DEFINE_PER_CPU(atomic_t, nmi_expected);

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	/* Not this_cpu_xchg(): who sent it may take it back from another CPU. */
	struct stress_carrier *carrier = xchg(this_cpu_ptr(&nmi_carrier), NULL);
	bool expected = atomic_dec_if_positive(this_cpu_ptr(&nmi_expected)) >= 0;

	if (carrier)
		carrier_arrive(carrier, STRESS_NMI);
	return carrier || expected ? NMI_HANDLED : NMI_DONE;
}

bool stress_have_nmi(void)
{
	return boot_cpu_has(X86_FEATURE_APIC);
}

/* To this CPU, where it comes at once, or to another one, in the midst of whatever that does. */
static void send_nmi(struct stress_carrier *carrier)
{
	bool locked = cpus_read_trylock();
	struct stress_carrier **slot;
	int us, cpu;

	preempt_disable();
	cpu = raw_smp_processor_id();
	if (locked && carrier->random & 2)
		cpu = cpumask_next(cpu, cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);

	slot = per_cpu_ptr(&nmi_carrier, cpu);
	if (cmpxchg(slot, NULL, carrier)) {
		/* Somebody else's is on its way there. */
		preempt_enable();
		carrier_return(carrier);
		goto unlock;
	}
	atomic_inc(per_cpu_ptr(&nmi_expected, cpu));
	apic->send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
	for (us = 0; us < 1000 && READ_ONCE(*slot) == carrier; us++)
		udelay(1);
	preempt_enable();
	/* Late, or lost: emulators lose some of those that are sent to others. */
	if (cmpxchg(slot, carrier, NULL) == carrier) {
		stress_count(carrier->run, nmi_lost);
		carrier_return(carrier);
	}
unlock:
	if (locked)
		cpus_read_unlock();
}

int stress_carriers_init(void)
{
	return stress_have_nmi() ? register_nmi_handler(NMI_LOCAL, on_nmi, 0, "rundown_stress") : 0;
}

void stress_carriers_exit(void)
{
	if (stress_have_nmi())
		unregister_nmi_handler(NMI_LOCAL, "rundown_stress");
}
#else
bool stress_have_nmi(void)
{
	return false;
}

static void send_nmi(struct stress_carrier *carrier)
{
	carrier_return(carrier);
}

int stress_carriers_init(void)
{
	return 0;
}

void stress_carriers_exit(void)
{
}
#endif

static struct stress_carrier *carrier_claim(struct stress_run *run, u32 random)
{
	struct stress_carrier *carrier;
	unsigned int i;

	for (i = 0; i < run->nr_carriers; i++) {
		carrier = &run->carriers[(random + i) % run->nr_carriers];
		if (!atomic_cmpxchg(&carrier->busy, 0, 1))
			return carrier;
	}
	return NULL;
}

/**
 * stress_carry() - have protection acquired, or released, or both, in another context
 * @run:     the run
 * @place:   where
 * @context: one that no thread can be in by itself
 * @random:  of the calling thread
 */
void stress_carry(struct stress_run *run, struct stress_place *place, enum stress_context context,
		  struct rnd_state *random)
{
	struct stress_carrier *carrier = carrier_claim(run, prandom_u32_state(random));

	if (!carrier) {
		usleep_range(50, 100);
		return;
	}
	carrier->place = place;
	carrier->random = prandom_u32_state(random);
	carrier->passed_on = false;
	carrier->holds = false;
	if (run->settings.ops->handover && run->settings.contexts & BIT(STRESS_SLEEP) &&
	    carrier->random & 4) {
		if (!stress_acquire(run, place, stress_pick_count(run, carrier->random >> 3),
				    STRESS_SLEEP, &carrier->hold)) {
			carrier_free(carrier);
			return;
		}
		carrier->holds = true;
	}

	switch (context) {
	case STRESS_SOFTIRQ:
		mod_timer(&carrier->timer, jiffies);
		break;
	case STRESS_HARDIRQ:
		hrtimer_start(&carrier->hrtimer,
			      ns_to_ktime((10 + carrier->random % 200) * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_HARD);
		break;
	case STRESS_IRQ_WORK:
		irq_work_queue(&carrier->irq_work);
		break;
	case STRESS_NMI:
		send_nmi(carrier);
		break;
	default:
		queue_work(run->workqueue, &carrier->work);
	}
}

int stress_carriers_create(struct stress_run *run)
{
	unsigned int i, n = max(32U, run->settings.threads * 8);

	run->workqueue = alloc_workqueue("rundown_stress", WQ_UNBOUND, 0);
	if (!run->workqueue)
		return -ENOMEM;
	run->carriers = kvcalloc(n, sizeof(*run->carriers), GFP_KERNEL);
	if (!run->carriers)
		return -ENOMEM;
	run->nr_carriers = n;
	for (i = 0; i < n; i++) {
		struct stress_carrier *carrier = &run->carriers[i];

		carrier->run = run;
		timer_setup(&carrier->timer, on_timer, 0);
		hrtimer_setup(&carrier->hrtimer, on_hrtimer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_HARD);
		carrier->irq_work = IRQ_WORK_INIT_HARD(on_irq_work);
		INIT_WORK(&carrier->work, on_work);
	}
	return 0;
}

/* No thread sends any more. See to it that nothing is held, and no code of ours is running. */
void stress_carriers_finish(struct stress_run *run)
{
	unsigned int i;

	/* NMIs, and the tails of irq_works, of which nothing else would tell, are over then. */
	synchronize_rcu();
	for (i = 0; i < run->nr_carriers; i++) {
		struct stress_carrier *carrier = &run->carriers[i];
		bool pending = timer_delete_sync(&carrier->timer);

		pending |= hrtimer_cancel(&carrier->hrtimer);
		if (pending)
			carrier_return(carrier);
		irq_work_sync(&carrier->irq_work);
	}
	flush_workqueue(run->workqueue);
}

void stress_carriers_destroy(struct stress_run *run)
{
	if (run->workqueue)
		destroy_workqueue(run->workqueue);
	kvfree(run->carriers);
}
