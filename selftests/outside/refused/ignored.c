// SPDX-License-Identifier: GPL-2.0
/* Results that must not be ignored, of the exported functions too: each such line is warned of. */
#include <linux/module.h>

#define EX_RUNDOWN_OUT_OF_LINE
#include <ex_rundown.h>

static void __used ignored(struct ex_rundown_ref *ref, struct ex_rundown_ref_cache_aware *aware)
{
	ex_acquire_rundown_protection(ref);			/* refused */
	ex_acquire_rundown_protection_ex(ref, 2);		/* refused */
	ex_acquire_rundown_protection_cache_aware(aware);	/* refused */
	ex_acquire_rundown_protection_cache_aware_ex(aware, 2);	/* refused */
	ex_rundown_acquire(ref);				/* refused */
	ex_rundown_acquire_n(aware, 2);				/* refused */
	ex_rundown_wait_killable(ref);				/* refused */
	ex_rundown_wait_interruptible(aware);			/* refused */
}

MODULE_LICENSE("GPL");
