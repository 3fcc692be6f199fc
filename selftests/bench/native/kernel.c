// SPDX-License-Identifier: GPL-2.0
/*
 * As much of a kernel as it takes to make an object of each kind and to run the loops on it: CPUs
 * with their per-CPU areas, memory that is never freed, and calls to all CPUs. The rest is absent,
 * and the program ends if it is missed.
 */
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/current.h>
#include <asm/prctl.h>
#include <asm/unistd.h>

#include "native.h"

unsigned int nr_cpu_ids;
struct cpumask __cpu_possible_mask, __cpu_online_mask;
atomic_t __num_online_cpus;
unsigned long __per_cpu_offset[NR_CPUS];

static struct task_struct tasks[BENCH_NATIVE_CPUS];

/* Never preemptible, so that nothing wants to schedule. */
#define BENCH_PREEMPT_COUNT	(PREEMPT_NEED_RESCHED | 1)

/* Since 6.15 each is a variable, and before that the member of a struct. */
#ifdef DECLARE_PER_CPU_CACHE_HOT
DEFINE_PER_CPU_CACHE_HOT(unsigned long, this_cpu_off);
DEFINE_PER_CPU_CACHE_HOT(struct task_struct *, current_task);
DEFINE_PER_CPU_CACHE_HOT(int, cpu_number);
DEFINE_PER_CPU_CACHE_HOT(typeof(__preempt_count), __preempt_count);
/* What gcc calls the stack protector's word, which was at %gs:40. */
DEFINE_PER_CPU_CACHE_HOT(unsigned long, __ref_stack_chk_guard);

static void set_up_hot(unsigned int cpu)
{
	*per_cpu_ptr(&current_task, cpu) = &tasks[cpu];
	*per_cpu_ptr(&cpu_number, cpu) = cpu;
	*per_cpu_ptr(&__preempt_count, cpu) = BENCH_PREEMPT_COUNT;
}
#else
DEFINE_PER_CPU_READ_MOSTLY(unsigned long, this_cpu_off);
DEFINE_PER_CPU_ALIGNED(struct pcpu_hot, pcpu_hot);

static void set_up_hot(unsigned int cpu)
{
	struct pcpu_hot *hot = per_cpu_ptr(&pcpu_hot, cpu);

	hot->current_task = &tasks[cpu];
	hot->cpu_number = cpu;
	hot->preempt_count = BENCH_PREEMPT_COUNT;
}
#endif

void bench_native_cpu(unsigned int cpu, unsigned long offset)
{
	__per_cpu_offset[cpu] = offset;
	*per_cpu_ptr(&this_cpu_off, cpu) = offset;
	set_up_hot(cpu);
	cpumask_set_cpu(cpu, &__cpu_possible_mask);
	cpumask_set_cpu(cpu, &__cpu_online_mask);
	atomic_inc(&__num_online_cpus);
	nr_cpu_ids = cpu + 1;
}

static void become(unsigned int cpu)
{
	long result;

	asm volatile("syscall" : "=a" (result)
		     : "a" (__NR_arch_prctl), "D" (ARCH_SET_GS), "S" (__per_cpu_offset[cpu])
		     : "rcx", "r11", "memory");
}

/* In turn, as nobody else is at work. */
void on_each_cpu_cond_mask(smp_cond_func_t cond, smp_call_func_t func, void *info, bool wait,
			   const struct cpumask *mask)
{
	unsigned int self = raw_smp_processor_id();
	unsigned int cpu;

	for_each_cpu(cpu, mask) {
		become(cpu);
		func(info);
	}
	become(self);
}

static u8 memory[16 << 20] __aligned(PAGE_SIZE);
static DEFINE_PER_CPU(u8[64 << 10], percpu_memory) __aligned(PAGE_SIZE);

static void *carve(u8 *from, size_t size, size_t *used, size_t align, size_t amount)
{
	size_t start = ALIGN(*used, align);

	if (start + amount > size)
		return NULL;
	*used = start + amount;
	return from + start;
}

void *__kmalloc_noprof(size_t size, gfp_t flags)
{
	static size_t used;

	return carve(memory, sizeof(memory), &used, SMP_CACHE_BYTES, size);
}

kmem_buckets kmalloc_caches[NR_KMALLOC_TYPES];

void *__kmalloc_cache_noprof(struct kmem_cache *cache, gfp_t flags, size_t size)
{
	return __kmalloc_noprof(size, flags);
}

void __percpu *pcpu_alloc_noprof(size_t size, size_t align, bool reserved, gfp_t flags)
{
	static size_t used;

	/* By way of a number, as the two may be in address spaces of their own. */
	return (void __percpu *)(uintptr_t)carve((void *)(uintptr_t)&percpu_memory,
						 sizeof(percpu_memory), &used, align, size);
}

#undef memset
void *memset(void *at, int byte, size_t n)
{
	void *start = at;

	asm volatile("rep stosb" : "+D" (at), "+c" (n) : "a" (byte) : "memory");
	return start;
}
