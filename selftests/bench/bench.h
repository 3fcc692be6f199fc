/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is measured: the table of subjects. The loops behind it are compiled once, by Kbuild, and
 * run in rundown_bench.ko and in rundown-bench-native. This header is C and C++.
 */
#ifndef _RUNDOWN_BENCH_H
#define _RUNDOWN_BENCH_H

#ifdef __cplusplus
extern "C" {
#else
#include <linux/types.h>
#endif

struct bench_object;

enum bench_kind {
	BENCH_LIMIT,	/* what no scheme that counts can be faster than */
	BENCH_OURS,
	BENCH_PEER,
};

/**
 * struct bench_subject - a way to protect an object
 * @name:         for commands and files
 * @title:        for people
 * @kind:         whose it is
 * @in_kernel:    the loops want a kernel around them: not for rundown-bench-native
 * @bytes:        of an object, without what it has a CPU
 * @bytes_percpu: of it, a possible CPU
 * @create:       make a live object of one that is all zero; 0 or -errno
 * @destroy:      undo that
 * @pairs:        acquire and release so often; true if each was granted
 * @refuse:       put it, unused, into the state in which acquires are refused; for @refused only
 * @refused:      acquire so often; true if each was refused
 * @admit:        undo @refuse
 * @down:         run it down: wait until nobody holds it
 * @up:           and open it again
 * @settle:       wait until what @down and @up left behind has gone
 *
 * Members that a subject has no use for are NULL.
 */
struct bench_subject {
	const char *name;
	const char *title;
	enum bench_kind kind;
	bool in_kernel;
	unsigned int bytes;
	unsigned int bytes_percpu;
	int (*create)(struct bench_object *object);
	void (*destroy)(struct bench_object *object);
	bool (*pairs)(struct bench_object *object, unsigned long n);
	void (*refuse)(struct bench_object *object);
	bool (*refused)(struct bench_object *object, unsigned long n);
	void (*admit)(struct bench_object *object);
	void (*down)(struct bench_object *object);
	void (*up)(struct bench_object *object);
	void (*settle)(void);
};

/* Ends with NULL. */
extern const struct bench_subject *const bench_subjects[];

/* Of a struct bench_object, a multiple of the cache line's; it is to be zero at first. */
extern const unsigned long bench_object_size;

#ifdef __cplusplus
}
#endif

#endif /* _RUNDOWN_BENCH_H */
