/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_MISUSE_H
#define _RUNDOWN_MISUSE_H

/* What a caller did wrong. */
enum ex_rundown_misuse {
	EX_MISUSE_ACQUIRE_COUNT,
	EX_MISUSE_ACQUIRE_OVERFLOW,
	EX_MISUSE_RELEASE_COUNT,
	EX_MISUSE_RELEASE_TOO_MANY,
	EX_MISUSE_WAIT_SUM_NEGATIVE,
	EX_MISUSE_WAIT_OVERFLOW,
	EX_MISUSE_COMPLETED_HELD,
	EX_MISUSE_REINITIALIZE,
	EX_MISUSE_FREE_HELD,
	EX_MISUSE_FREE_FOREIGN,
	EX_MISUSE_RELEASE_UNTRACKED,
	EX_MISUSE_UNINITIALIZED,
	EX_MISUSE_KINDS
};

extern const char * const ex_rundown_misuses[EX_MISUSE_KINDS];

void ex_rundown_report(enum ex_rundown_misuse misuse, const void *ref, unsigned long caller);

#endif /* _RUNDOWN_MISUSE_H */
