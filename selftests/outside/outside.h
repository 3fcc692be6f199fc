/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the outside caller: each returns 0, or an error after saying what went wrong. */
#ifndef _OUTSIDE_H
#define _OUTSIDE_H

#include <linux/errno.h>
#include <linux/printk.h>

int outside_in_line(void);
int outside_out_of_line(void);
int outside_tracked(void);
int outside_generic(void);
int outside_beyond(void);
int outside_scopes(void);
int outside_windows(void);
int outside_words(void);

#define WANT(condition)							\
do {									\
	if (!(condition)) {						\
		pr_err("outside: %s: %s\n", __func__, #condition);	\
		return -EINVAL;						\
	}								\
} while (0)

#endif /* _OUTSIDE_H */
