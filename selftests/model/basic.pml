/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The basic ref: module/basic.c, module/drain.c and the in-line functions of ex_rundown.h.
 *
 * Bounds: HOLDERS that acquire and release without end, and stop at any time; WAITERS that each
 * wait, reinitialize (all at once), and wait again; with ROGUE one release too many at any point
 * that no reinitialize overlaps. (While others hold, the ref can't know it from one of theirs; the
 * one too many is then the last of theirs. So it is looked at where nobody holds.)
 * No wait overlaps a reinitialize but one that begins after it was won, so the only claimer never
 * meets a BIAS: that it tries again then is outside these bounds (KUnit has it:
 * rundown_limits_test_basic_reinitialize_outlasts_bias).
 * A wait of the second life may begin while another reinitialize is still in its steps; if that
 * wins late, there is a third life. With IMPATIENT the waiters ask whether it is complete before
 * they wait, and each gives up a wait once, asks and waits again. At the end the ref is freed as
 * the contract wants it: nobody can find it any more, and no acquire is on its way.
 *
 * Abstraction: sequentially consistent (for the rest see litmus/). One atomic block here is one
 * access to the ref there. A compare-and-exchange loop on one word is one step: attempts that fail
 * change nothing, and the one that succeeds is atomic. A dead count is DEAD or DEAD + 1, modulo 2,
 * so that it soon has the same value again. The number held is shifted by 2 bits. Left out are
 * counts of more than 1, and more than can be counted. The wait queue: prepare_to_wait(), look,
 * sleep; a wake makes all who sleep look again. For LIVENESS, refused acquires leave a dead count
 * alone: that a compare-and-exchange succeeds in the end beside others is taken for granted.
 *
 * Left out, as to others it looks like what is here: to start and not to wait, or to have a
 * function called (async.pml), is to give up a wait at once.
 *
 *	here			there
 *	acquire			ex_acquire_rundown_protection(), __ex_acquire_rundown_protection()
 *	release(): 1		__ex_release_live()
 *		   2		__ex_release_rundown_protection()
 *		   3, 4		ex_drain_release()
 *	complete:		ex_rundown_is_complete()
 *	wait:, start:		ex_basic_start(), with its steps A, B and C
 *	settle:			ex_drain_settle()
 *	started:		ex_basic_wait(), ex_drain_wait_event()
 *	claim: to refused:	ex_reinitialize_rundown_protection()
 *
 * Negative models, each of which a property has to refute:
 *	NO_BIAS			the wait does without step A and its part of C
 *				(with ONLY_EARLY, that holders are blamed does not end the search)
 *	PLAIN_SUBTRACT		release subtracts from a live count, and adds again if that was wrong
 *	CHECK_THEN_CMPXCHG	reinitialize does not claim the ref, but looks at outstanding first
 *	WAKE_FIRST		the last release wakes, then subtracts
 *	ONE_WAITER		a wake wakes one waiter only
 *	TOUCH_AFTER		the release looks at outstanding again after its subtraction
 *	NEGATIVE_ENDS		a sum that is too low ends the wait, too, and is left so
 *	COUNT_LAST		complete looks at outstanding, then at the count
 *	STRAY			the release too many may overlap a reinitialize. This one is the code as it
 *				is: the release finds the ref dead in one life, subtracts in the next,
 *				under the BIAS of a wait or of the reinitialize, and is not refused
 */
#ifndef HOLDERS
#define HOLDERS		3
#endif
#ifndef WAITERS
#define WAITERS		2
#endif

#define DEAD		(-8)
#define DRIFTED		(DEAD + 1)
#define dead(c)		((c) < -3)
#define ONE		4			/* 1 << EX_BASIC_SHIFT */
#define biases(x)	((x) & (ONE - 1))
#define negative(x)	((x) < 0 && !biases(x))
#ifdef NEGATIVE_ENDS
#define ended(x)	((x) == 0 || negative(x))
#else
#define ended(x)	((x) == 0)
#endif
#ifdef NO_BIAS
#define BIAS		0
#else
#define BIAS		1			/* EX_DRAIN_BIAS */
#endif

/* The ref. */
short count, outstanding;
/* The wait queue. */
bool asleep[WAITERS];

/* What is true, whatever the ref says. */
byte due;			/* granted and not yet released */
bool down;			/* a wait has returned, and no reinitialize since */
bool waiting[WAITERS];		/* in a wait */
bool excused[WAITERS];		/* in one while a reinitialize won: against the contract */
byte debt;			/* releases too many that were taken */
bool blamed;			/* a holder was refused its release */
byte busy;			/* refused acquires, and the rogue: still to touch the ref */
bool unpublished, freed;
byte returned, reviving, reinitialized, wins;
bool misusing;			/* the rogue is in its release */

#define touch()		assert(!freed)

inline wake()
{
	d_step {
#ifdef ONE_WAITER
		if
		:: asleep[0] -> asleep[0] = false
		:: else -> asleep[WAITERS - 1] = false
		fi
#else
		w = 0;
		do
		:: w < WAITERS -> asleep[w] = false; w++
		:: else -> break
		od;
		w = 0
#endif
	}
}

/* @rogue holds nothing; while others do, it gives up. */
inline take(word, amount, rogue)
{
	if
	:: rogue && due -> goto done
	:: rogue && !due -> word = word - amount; debt++
	:: !rogue -> word = word - amount; due--
	fi
}

/* Refused, with a warning that names the caller. */
inline blame(rogue)
{
	blamed = !rogue;
#ifndef ONLY_EARLY
	assert(!blamed)
#endif
}

inline release(rogue)
{
#ifdef PLAIN_SUBTRACT
	atomic {							/* 1 */
		touch();
		if
		:: dead(count)
		:: !dead(count) && count < 1 -> count--; goto wrong
		:: !dead(count) && count >= 1 -> take(count, 1, rogue); goto done
		fi
	};
#else
	atomic {							/* 1 */
		touch();
		if
		:: count < 1
		:: else -> take(count, 1, rogue); goto done
		fi
	};
#endif
	atomic {							/* 2 */
		touch();
		if
		:: dead(count)
		:: !dead(count) && count < 1 -> blame(rogue); goto done
		:: !dead(count) && count >= 1 -> take(count, 1, rogue); goto done
		fi
	};
#ifdef WAKE_FIRST
	if
	:: outstanding == ONE -> wake()
	:: else
	fi;
#endif
	atomic {							/* 3 */
		touch();
		if
		:: outstanding < ONE && !biases(outstanding) -> blame(rogue); goto done
		:: outstanding == ONE -> take(outstanding, ONE, rogue)
		:: else -> take(outstanding, ONE, rogue); goto done
		fi
	};
#ifdef TOUCH_AFTER
	touch();
#endif
#ifndef WAKE_FIRST
	wake();								/* 4 */
#endif
#ifdef PLAIN_SUBTRACT
	goto done;
wrong:
	atomic {
		blame(rogue);
		if
		:: dead(count)
		:: else -> count++
		fi
	};
#endif
done:
}

active [WAITERS] proctype waiter()
{
	byte me = _pid, w;
	short old, held, left, out;
	bool again, claimed, won;
#ifdef IMPATIENT
	bool gave_up;

complete:
	waiting[me] = true;
#ifdef COUNT_LAST
	atomic { touch(); left = outstanding };
#endif
	atomic {
		touch();
		if
		:: dead(count)
		:: else -> left = 0; goto wait
		fi
	};
#ifndef COUNT_LAST
	atomic { touch(); left = outstanding };
#endif
	atomic {
		if
		:: left == 0 -> goto returns
		:: else -> left = 0
		fi
	};
#endif

wait:
	atomic {
		touch();
		waiting[me] = true;
		if
		:: dead(count)
		:: else -> goto start
		fi
	};
	atomic { touch(); left = outstanding; goto started };
start:
	atomic { touch(); outstanding = outstanding + BIAS };		/* A */
	atomic {							/* B */
		touch();
		held = (dead(count) -> 0 : count);
		count = DEAD
	};
	goto settle;							/* C */

started:
	do
	:: ended(left) -> break
	:: else ->
		asleep[me] = true;
		atomic {
			touch();
			left = outstanding;
			if
			:: ended(left) -> asleep[me] = false; break
#ifdef IMPATIENT
			:: !ended(left) && !gave_up ->
				asleep[me] = false;
				waiting[me] = false;
				gave_up = true;
				left = 0;
				goto complete
			:: !ended(left)
#else
			:: else
#endif
			fi
		};
		if
		:: !asleep[me]
#ifdef IMPATIENT
		/* The time is up. */
		:: !gave_up
#endif
		fi
	od;

returns:
	atomic {
		waiting[me] = false;
		if
		:: excused[me] -> excused[me] = false
		:: else ->
			/* No access after the wait returned. */
			assert(due == 0);
			down = true
		fi;
		returned++;
		if
		:: again -> goto end
		:: else -> again = true
		fi
	};
	/* Reinitializing is for after all waits have returned. */
	atomic { returned >= WAITERS && !misusing -> reviving++ };

#ifdef CHECK_THEN_CMPXCHG
	atomic {
		touch();
		out = outstanding;
		if
		:: out == 0
		:: else -> goto refused
		fi
	};
	atomic { touch(); old = count };
#else
claim:
	atomic {
		touch();
		out = outstanding;
		if
		:: out == 0 -> outstanding = BIAS; claimed = true
		:: else
		fi
	};
	atomic {
		touch();
		old = count;
		if
		:: claimed
		:: else -> goto revived
		fi
	};
	atomic { touch(); out = outstanding - BIAS };
#endif
	do
	:: out == 0 && dead(old) ->
		atomic {
			touch();
			if
			:: count == old -> count = 0; won = true
			:: else -> old = count
			fi;
			if
			:: won ->
				/* Only what is run down comes to life again. */
				assert(!due);
				wins++;
				down = false;
				w = 0;
				do
				:: w < WAITERS -> excused[w] = waiting[w]; w++
				:: else -> break
				od;
				w = 0;
				break
			:: else
			fi
		}
	:: else -> break
	od;
#ifndef CHECK_THEN_CMPXCHG
	goto settle;
revived:
	atomic {
		claimed = false;
		left = 0;
		if
		:: !won && dead(old) && out - biases(out) == 0 -> goto claim
		:: else
		fi
	};
#endif
refused:
	atomic {
		won = false;
		old = 0;
		out = 0;
		reviving--;
		reinitialized++;
#if !defined(STRAY) && !defined(NEGATIVE_ENDS)
		/* Of some at once, one wins. */
		assert(reinitialized < WAITERS || wins);
#endif
#ifdef IMPATIENT
		goto complete
#else
		goto wait
#endif
	};

settle:
	atomic {
		touch();
		outstanding = outstanding + held * ONE - BIAS;
		left = outstanding;
		held = 0;
		if
#ifndef NEGATIVE_ENDS
		:: negative(left)
#endif
		:: else -> goto settled
		fi
	};
	atomic {
		touch();
		left = outstanding;
		if
		:: negative(left) ->
			outstanding = 0;
			left = 0;
			/* It warns: there was a release too many. */
			assert(debt);
			debt = 0
		:: else
		fi
	};
settled:
	if
	:: ended(left) -> wake()
	:: else
	fi;
#ifndef CHECK_THEN_CMPXCHG
	if
	:: claimed -> goto revived
	:: else
	fi;
#endif
	goto started;

end:
	if
	:: me == 0 ->
		returned == 2 * WAITERS;
		unpublished = true;
		busy == 0;
		atomic {
			/* The counts balance. */
			assert(dead(count) && outstanding == 0 && due == 0 && debt == 0);
			freed = true
		}
	:: else
	fi
}

active [HOLDERS] proctype holder()
{
	byte w;

	do
	:: atomic {
		!unpublished && !dead(count) ->
		touch();
		count++;
		/* Negative: refused, although it is not dead. */
		assert(count >= 0);
		due++;
		/* No grant after the wait has returned. */
		assert(!down);
#ifndef PLAIN_SUBTRACT
		assert(count == due)
#endif
	   };
	   release(false)
	:: atomic {
		!unpublished && dead(count) ->
		touch();
#ifndef LIVENESS
		count = DEAD + DRIFTED - count;
#endif
		busy++
	   };
	   atomic {
		touch();
		if
		:: count == DRIFTED -> count = DEAD
		:: true
		fi;
		busy--
	   }
	:: break
	od
}

#ifdef ROGUE
active proctype rogue()
{
	byte w;

	if
#ifdef STRAY
	:: atomic { !unpublished -> busy++ }
#else
	:: atomic { !unpublished && !reviving -> busy++; misusing = true }
#endif
	:: unpublished -> goto end
	fi;
	release(true);
	atomic { busy--; misusing = false };
end:
}
#endif

#ifdef LIVENESS
/* Every wait returns, as all holders release: under weak fairness. */
ltl returns { [] (waiting[0] -> <> !waiting[0]) && [] (waiting[1] -> <> !waiting[1]) }
#endif
