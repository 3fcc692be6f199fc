/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_WAITS_H
#define _RUNDOWN_WAITS_H

#include "ex_rundown.h"

/* A ref with an overdue wait. */
struct ex_waits_report {
	struct ex_rundown_wait wait;	/* a copy of the one to name */
	unsigned int waits;		/* on the ref, with that one */
	bool due;
};

unsigned int ex_waits_copy(struct ex_rundown_wait *copies, unsigned int room);
unsigned int ex_waits_overdue(unsigned long after, unsigned int times,
			      struct ex_waits_report *reports, unsigned int room,
			      unsigned long *next);
void ex_waits_put(struct ex_rundown_wait *copy);

#endif /* _RUNDOWN_WAITS_H */
