/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module that goes waits for its asynchronous run-downs: __ex_rundown_async_barrier(), in
 * module/drain.c.
 *
 * Bounds: two calls, in any two of three homes, or in one. The first has been asked for before the
 * barrier begins, and its function may ask for the second. The calls of others come and go once.
 *
 * Abstraction: sequentially consistent; all of it is in sections of the homes' locks but the counter
 * and the wait queue. A run-down ends at any time, as async.pml has it.
 *
 *	here			there
 *	ask()			ex_drain_async()
 *	call			ex_drain_async_work()
 *	others			the same, of other modules: only the counter is shared
 *	barrier			__ex_rundown_async_barrier(), wait_event()
 *	scan			ex_drain_async_pending()
 *
 * Negative models, each of which a property has to refute:
 *	SCAN_ONCE		what was added meanwhile is not looked for
 *	COUNT_EARLY		a call is counted before the home is locked
 *	NOT_RUNNING		a call is off the list before its function is called
 *	GAP			a call is on neither list for a moment
 *	WAKE_FIRST		the barrier is woken, and then the call taken off the list
 *	LOOK_FIRST		the barrier looks, and then gets ready to be woken
 */
#define CALLS		2
#define HOMES		3

byte home[CALLS];
bool locked[HOMES];
bool listed[CALLS], asked[CALLS], returned[CALLS];
byte added;
bool woken;

#define lock(h)		atomic { !locked[h] -> locked[h] = true }
#define unlock(h)	locked[h] = false

inline ask(i)
{
	select (h : 0 .. HOMES - 1);
#ifdef COUNT_EARLY
	added++;
	lock(h);
#else
	lock(h);
	added++;
#endif
	atomic { home[i] = h; listed[i] = true };
	atomic { unlock(h); asked[i] = true; h = 0 }
}

proctype call(byte me)
{
	byte h;

end:
	asked[me];
#ifdef NOT_RUNNING
	listed[me] = false;
#endif
#ifdef GAP
	lock(home[me]);
	listed[me] = false;
	unlock(home[me]);
	lock(home[me]);
	listed[me] = true;
	unlock(home[me]);
#endif
	if
	:: me + 1 < CALLS -> ask(me + 1)
	:: true
	fi;
	returned[me] = true;
#ifdef WAKE_FIRST
	woken = true;
#endif
	lock(home[me]);
	listed[me] = false;
	unlock(home[me]);
#ifndef WAKE_FIRST
	woken = true
#endif
}

active proctype others()
{
	if
	:: added++; woken = true
	:: true
	fi
}

proctype barrier()
{
	byte h, seen;
	bool pending;

	do
	::
#ifndef LOOK_FIRST
	   woken = false;
#endif
	   do
	   :: seen = added;
	      h = 0;
	      do
	      :: h < HOMES && !pending ->
		 lock(h);
		 pending = (listed[0] && home[0] == h) || (listed[1] && home[1] == h);
		 unlock(h);
		 h++
	      :: else -> break
	      od;
#ifdef SCAN_ONCE
	      break
#else
	      if
	      :: pending || added == seen -> break
	      :: else
	      fi
#endif
	   od;
#ifdef LOOK_FIRST
	   woken = false;
#endif
	   if
	   :: pending -> atomic { woken; pending = false }
	   :: else -> break
	   fi
	od;
	assert(!asked[0] || returned[0]);
	assert(!asked[1] || returned[1])
}

init {
	byte h;

	ask(0);
	atomic { run call(0); run call(1); run barrier() }
}
