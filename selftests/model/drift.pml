/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Drift of the cache-aware ref's 64-bit slots: the _ex functions, ex_recentre_live() and
 * ex_recentre_dead() of module/cache_aware.c, and the zones of module/slot.h.
 *
 * Bounds: words of 64 values instead of 2^64; 2 CPUs, AGENTS that acquire and release without end,
 * COUNTS or less at a time, and stop at any time, on any CPU in each step; one waiter that waits,
 * reinitializes, and waits again. A slot that is off by more than MAX_DRIFT may be missed: an
 * exchange fails since the slot has changed, or a release moves to that CPU after it has looked at
 * another. After FAILS misses of a slot nobody begins to acquire (there it would take some 2^30).
 *
 * Abstraction: sequentially consistent. One atomic block here is one access there; this CPU's
 * operations on its own slot are atomic, also towards the tour, which is an interrupt there (see
 * cache_aware.pml for that, and for the wake, and for tokens).
 *
 *	here			there
 *	agent: 1		ex_acquire_rundown_protection_cache_aware_ex()
 *	       2		ex_release_rundown_protection_cache_aware_ex()
 *	       3		ex_drain_release()
 *	recentre_live()		ex_recentre_live()
 *	recentre_dead()		ex_recentre_dead()
 *	waiter			ex_cache_aware_start(), ex_tour(), ex_drain_settle(), the wait and the
 *				reinitialize
 *
 * Negative models, each of which a property has to refute:
 *	READ_THEN_WRITE		a re-centring reads the slot, then writes it
 *	NO_RECENTRE		live slots are not re-centred
 *	NO_RECENTRE_DEAD	dead slots are not re-centred
 *	ADD_LAST		what is moved out of a slot is added to outstanding afterwards
 *	AFTER_RELEASE		a release re-centres after it has subtracted
 */
#ifndef AGENTS
#define AGENTS		2
#endif
#ifndef COUNTS
#define COUNTS		1
#endif
#define CPUS		2
#ifndef FAILS
#define FAILS		1
#endif

#define W		64
#define wrap(x)		(((x) + 3 * W / 2) % W - W / 2)
#define LIVE		(W / 4)			/* EX_SLOT64_LIVE */
#define DEAD		(-LIVE)			/* EX_SLOT64_DEAD */
#ifndef MAX_DRIFT
#define MAX_DRIFT	0
#endif						/* EX_SLOT64_MAX_DRIFT, EX_SLOT64_MAX_DEAD_DRIFT */
#define dead(x)		((x) > DEAD / 2 * 3 && (x) < DEAD / 2)
#define off(x, from)	(wrap((x) - (from)) > MAX_DRIFT || wrap((x) - (from)) < -MAX_DRIFT)
#define twice(x)	wrap(((x) - LIVE) * 2)
#define TOKEN		1
#define has_token(x)	((x) & TOKEN)

/* The ref. */
short slot[CPUS] = LIVE;
short outstanding = TOKEN;
bool woken;

/* What is true, whatever the ref says. */
bool harvested[CPUS];		/* the slot is dead */
byte due;
bool down, blamed, in_zone = true;
byte fails[CPUS];		/* drifted, and missed */

/* Values are where they say what they are. */
inline look(cpu)
{
	in_zone = (dead(slot[cpu]) == harvested[cpu]);
	assert(in_zone)
}

inline miss(cpu)
{
	fails[cpu] = (fails[cpu] < FAILS -> fails[cpu] + 1 : FAILS)
}

inline pick()
{
	if
	:: c = 0
	:: c = 1
	fi
}

/* Exchange this CPU's slot for @to if it holds @now, which was read from the slot of @from. */
#ifdef READ_THEN_WRITE
#define then()	}; atomic {
#else
#define then()
#endif
#define slot_cmpxchg(to)						\
	atomic {							\
		pick();							\
		moved = (slot[c] == now);				\
		then()							\
		if							\
		:: moved -> slot[c] = to; look(c); fails[c] = 0		\
		:: else							\
		fi;							\
		if							\
		:: !moved || c != from -> miss(from)			\
		:: else							\
		fi;							\
		c = 0							\
	}

#define add(n)		atomic { outstanding = wrap(outstanding + (n)) }

inline recentre_live()
{
#ifndef NO_RECENTRE
	if
	:: off(now, LIVE) && twice(now) > 0 ->
#ifndef ADD_LAST
		add(twice(now));
#endif
		slot_cmpxchg(LIVE);
		if
#ifdef ADD_LAST
		:: moved -> add(twice(now))
#else
		:: !moved -> add(-twice(now))
#endif
		:: else
		fi
	:: off(now, LIVE) && twice(now) < 0 ->
		slot_cmpxchg(LIVE);
		if
		:: moved -> add(twice(now))
		:: else
		fi
	:: else
	fi
#else
	skip
#endif
}

inline recentre_dead()
{
#ifndef NO_RECENTRE_DEAD
	if
	:: off(now, DEAD) -> slot_cmpxchg(DEAD)
	:: else
	fi
#else
	skip
#endif
}

active [AGENTS] proctype agent()
{
	byte c, from, count;
	short now;
	bool moved, granted;

	do
	:: atomic {							/* 1 */
		fails[0] < FAILS && fails[1] < FAILS -> pick();
		if
		:: count = 1
#if COUNTS > 1
		:: count = 2
#endif
		fi;
		from = c;
		slot[c] = wrap(slot[c] + count);
		look(c);
		now = slot[c];
		granted = !dead(now);
		c = 0;
		if
		:: granted -> due = due + count; assert(!down)
		:: else
		fi
	   };
	   if
	   :: !granted -> recentre_dead(); goto next
	   :: else
	   fi;
	   recentre_live();
#ifndef AFTER_RELEASE
	   atomic { pick(); now = slot[c]; from = c; c = 0 };		/* 2 */
	   if
	   :: !dead(now) -> recentre_live()
	   :: else
	   fi;
#endif
	   atomic {
		pick();
		if
		:: c != from && !harvested[c] && off(slot[c], LIVE) -> miss(c)
		:: else
		fi;
		from = c;
		slot[c] = wrap(slot[c] - count);
		look(c);
		now = slot[c];
		c = 0;
		if
		:: dead(now)
		:: else -> due = due - count
		fi
	   };
	   if
	   :: !dead(now) ->
#ifdef AFTER_RELEASE
		recentre_live();
#endif
		goto next
	   :: else
	   fi;
	   recentre_dead();
	   atomic {							/* 3 */
		blamed = (outstanding < 2 * count && !has_token(outstanding));
		assert(!blamed);
		outstanding = wrap(outstanding - 2 * count);
		due = due - count;
		woken = woken || outstanding == 0
	   };
next:
	   atomic { now = 0; count = 0; moved = false; granted = false; from = 0 }
	:: break
	od
}

active proctype waiter()
{
	byte c, served;
	short got;
	bool again;

wait:
	/* The tour: each slot once, in any order. */
	do
	:: served < 2 ->
		atomic {
			if
			:: !harvested[0] -> c = 0
			:: !harvested[1] -> c = 1
			fi;
			got = slot[c];
			slot[c] = DEAD;
			harvested[c] = true;
			fails[c] = 0;
			served++
		};
		atomic { outstanding = wrap(outstanding + twice(got)); got = 0; c = 0 }
	:: else -> break
	od;
	atomic {
		served = 0;
		outstanding = outstanding - TOKEN;
		/* Settle: not too low, as nothing was released too many. */
		assert(outstanding >= 0 || has_token(outstanding))
	};
	do
	:: outstanding == 0 -> break
	:: else -> atomic { woken -> woken = false }
	od;
	atomic {
		woken = false;
		/* No access after the wait returned, and the counts balance. */
		assert(due == 0);
		down = true;
		if
		:: again -> goto done
		:: else -> again = true
		fi
	};
	atomic { down = false; assert(outstanding == 0); outstanding = TOKEN };
	do
	:: served < 2 ->
		atomic {
			if
			:: harvested[0] -> c = 0
			:: harvested[1] -> c = 1
			fi;
			slot[c] = LIVE;
			harvested[c] = false;
			fails[c] = 0;
			served++;
			c = 0
		}
	:: else -> break
	od;
	served = 0;
	goto wait;
done:
	skip
}
