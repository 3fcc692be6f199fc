/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests and the demo use that changed between kernels 6.1 and 7.3: today's names, where
 * the kernel has only older ones.
 */
#ifndef _SELFTESTS_COMPAT_H
#define _SELFTESTS_COMPAT_H

#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/hrtimer.h>
#include <linux/timer.h>
#include <linux/version.h>

#if KERNEL_VERSION(6, 13, 0) > LINUX_VERSION_CODE
/* hrtimer_init() and hrtimer_init_on_stack(), which these replace, went in 6.15. */
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *timer),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}

static inline void hrtimer_setup_on_stack(struct hrtimer *timer,
					  enum hrtimer_restart (*function)(struct hrtimer *timer),
					  clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init_on_stack(timer, clock, mode);
	timer->function = function;
}
#endif

/* from_timer(), which it replaces, went in 6.16. */
#ifndef timer_container_of
#define timer_container_of(var, callback_timer, field)	\
	container_of(callback_timer, typeof(*(var)), field)
#endif

/* Opens a file by its path in user space, which kernel threads do not start out from any more. */
static inline struct file *open_as_init(const char *path, int flags)
{
	struct file *file;

#ifdef scoped_with_init_fs
	scoped_with_init_fs()
#endif
		file = filp_open(path, flags, 0);
	return file;
}

/*
 * Since 6.18, a generator of KUnit parameters is passed the test as well. Include <kunit/test.h>
 * first.
 */
#ifdef kunit_register_params_array
#define KUNIT_TEST_ARG	struct kunit *test,
#else
#define KUNIT_TEST_ARG
#endif

#endif /* _SELFTESTS_COMPAT_H */
