/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a number is written into a word: is it live or dead, and how much does it hold?
 *
 * Both slot encodings are defined on every architecture so that both can be tested on any.
 */
#ifndef _RUNDOWN_SLOT_H
#define _RUNDOWN_SLOT_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include "ex_rundown.h"

/*
 * The dead zone of a basic ref's count and of a 64-bit slot. What is outside is live, even if it is
 * negative: a live slot drifts while protection is acquired on one CPU and released on another.
 */
static inline bool ex_count_dead(long count)
{
	return count > EX_RUNDOWN_DEAD / 2 * 3 && count < EX_RUNDOWN_DEAD / 2;
}

#define EX_SLOT64_LIVE			0x4000000000000000LL
#define EX_SLOT64_DEAD			(-EX_SLOT64_LIVE)
/* Small, so that what many move to outstanding at once is no large part of its range. */
#define EX_SLOT64_MAX_DRIFT		(EX_SLOT64_LIVE >> 22)
#define EX_SLOT64_MAX_DEAD_DRIFT	(EX_SLOT64_LIVE >> (62 - EX_RUNDOWN_DEAD_BAND))
/* 2^61 steps from being taken for live, and from the band in which the fast path refuses. */
#define EX_SLOT64_SLOW			(EX_SLOT64_DEAD / 2 * 3)

static inline bool ex_slot64_dead(s64 slot)
{
	return slot > EX_SLOT64_DEAD / 2 * 3 && slot < EX_SLOT64_DEAD / 2;
}

/* Live, although the sign that sends the fast path here says otherwise. */
static inline bool ex_slot64_wrapped(s64 slot)
{
	return slot < 0 && !ex_slot64_dead(slot);
}

static inline bool ex_slot64_drifted(s64 slot)
{
	return slot - EX_SLOT64_LIVE > EX_SLOT64_MAX_DRIFT ||
	       slot - EX_SLOT64_LIVE < -EX_SLOT64_MAX_DRIFT;
}

static inline bool ex_slot64_dead_drifted(s64 slot)
{
	return slot - EX_SLOT64_DEAD > EX_SLOT64_MAX_DEAD_DRIFT ||
	       slot - EX_SLOT64_DEAD < -EX_SLOT64_MAX_DEAD_DRIFT;
}

/* Acquires minus releases of a live slot, twice, modulo 2^64: only the sum of all slots counts. */
static inline s64 ex_slot64_twice_held(s64 slot)
{
	return (s64)((u64)(slot - EX_SLOT64_LIVE) * 2);
}

/* 32 bits: counts in twos, modulo 2^32, so that drift needs no care; bit 0 is the dead bit. */
#define EX_SLOT32_LIVE		0
#define EX_SLOT32_DEAD		1
#define EX_SLOT32_SLOW		1

static inline bool ex_slot32_dead(s32 slot)
{
	return slot & EX_SLOT32_DEAD;
}

static inline s32 ex_slot32_twice_held(s32 slot)
{
	return slot;
}

#if BITS_PER_LONG == 64
#define EX_SLOT_DEAD			EX_SLOT64_DEAD
#define EX_SLOT_SLOW			EX_SLOT64_SLOW
#define ex_slot_dead(slot)		ex_slot64_dead(slot)
#define ex_slot_wrapped(slot)		ex_slot64_wrapped(slot)
#define ex_slot_drifted(slot)		ex_slot64_drifted(slot)
#define ex_slot_dead_drifted(slot)	ex_slot64_dead_drifted(slot)
#define ex_slot_twice_held(slot)	ex_slot64_twice_held(slot)
#else
#define EX_SLOT_DEAD			EX_SLOT32_DEAD
#define EX_SLOT_SLOW			EX_SLOT32_SLOW
#define ex_slot_dead(slot)		ex_slot32_dead(slot)
#define ex_slot_wrapped(slot)			((void)(slot), false)
#define ex_slot_drifted(slot)			((void)(slot), false)
#define ex_slot_dead_drifted(slot)		((void)(slot), false)
#define ex_slot_twice_held(slot)	ex_slot32_twice_held(slot)
#endif

/* What a static ref that is run down starts with. */
static_assert(EX_RUNDOWN_SLOT_DEAD == EX_SLOT_DEAD);

#endif /* _RUNDOWN_SLOT_H */
