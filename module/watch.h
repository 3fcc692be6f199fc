/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_WATCH_H
#define _RUNDOWN_WATCH_H

#include <linux/types.h>

void ex_watch_arm(void);
int ex_watch_init(void);
void ex_watch_exit(void);

#endif /* _RUNDOWN_WATCH_H */
