/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_SCOPE_H
#define _RUNDOWN_SCOPE_H

#ifdef CONFIG_DEBUG_LOCK_ALLOC
void ex_scope_waits(const void *ref, unsigned long caller);
void ex_scope_forget(const void *ref);
int ex_scope_init(void);
void ex_scope_exit(void);
#else
static inline void ex_scope_waits(const void *ref, unsigned long caller)
{
}

static inline void ex_scope_forget(const void *ref)
{
}

static inline int ex_scope_init(void)
{
	return 0;
}

static inline void ex_scope_exit(void)
{
}
#endif

#endif /* _RUNDOWN_SCOPE_H */
