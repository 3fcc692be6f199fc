/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_TRACK_H
#define _RUNDOWN_TRACK_H

#include <linux/types.h>

struct seq_file;

void ex_track_forget(const void *ref);
void ex_track_print(const void *ref);
void ex_track_show(struct seq_file *file);
void ex_track_init(void);
void ex_track_exit(void);

#endif /* _RUNDOWN_TRACK_H */
