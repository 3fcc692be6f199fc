/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_KUNIT_REPORTS_H
#define _RUNDOWN_KUNIT_REPORTS_H

struct kunit;

int reports_init(void);
void reports_exit(void);
void reports_begin(void);
void reports_end(struct kunit *test);

#endif /* _RUNDOWN_KUNIT_REPORTS_H */
