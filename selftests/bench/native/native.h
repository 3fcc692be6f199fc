/* SPDX-License-Identifier: GPL-2.0 */
/* Between rundown-bench-native and the kernel that it brings for the loops. C and C++. */
#ifndef _RUNDOWN_BENCH_NATIVE_H
#define _RUNDOWN_BENCH_NATIVE_H

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_NATIVE_CPUS	64

/**
 * bench_native_cpu() - bring a CPU up
 * @cpu:    from 0, in order, and less than BENCH_NATIVE_CPUS
 * @offset: of its per-CPU area: from the address of a per-CPU variable to this CPU's instance
 */
void bench_native_cpu(unsigned int cpu, unsigned long offset);

#ifdef __cplusplus
}
#endif

#endif /* _RUNDOWN_BENCH_NATIVE_H */
