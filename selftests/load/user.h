/* SPDX-License-Identifier: GPL-2.0 */
/* The refs that rundown_user.ko owns and rundown_second_user.ko uses, too. */
#ifndef _RUNDOWN_USER_H
#define _RUNDOWN_USER_H

#include "ex_rundown_scope.h"

enum user_kind {
	USER_BASIC,
	USER_CACHE_AWARE,
	USER_KINDS
};

struct user_refs {
	struct ex_rundown_ref basic;
	struct ex_rundown_ref_cache_aware *cache_aware;
	/* Used by each module as it is loaded, and run down when the first of them goes. */
	struct ex_rundown_ref quiet;
	/* For each kind: what a holder must find, or what it must not. */
	unsigned long stamps[USER_KINDS];
};

#define USER_STAMP	0x75736564UL
#define USER_POISON	0x676f6e65UL

extern struct user_refs rundown_user_refs;

#endif /* _RUNDOWN_USER_H */
