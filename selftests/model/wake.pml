/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the last release to the wait's return: ex_drain_wake() and ex_drain_wait_event() of
 * module/drain.c and module/drain.h.
 *
 * Bounds: two refs that are running down, with a holder and a waiter each, who frees the ref as
 * soon as it returns; with SHARED it is one ref with two holders and two waiters, and the last to
 * return frees it. A holder releases once, in any context: preemptible, or not preemptible on one
 * of two CPUs. The second goes off and on line without end, and stops where an operation ends. An
 * operation may fail before the CPU has changed. A callback of another subsystem that runs before
 * ours, when the CPU is dead or when it is online, may wait until a waiter has returned.
 *
 * Abstraction: sequentially consistent (litmus/wake*.litmus for the rest). One statement or atomic
 * block is one access to what is shared. That a CPU is online cannot change while something not
 * preemptible runs on it. An irq_work may interrupt that at any time, as if IRQs were always on;
 * one that is pending as a CPU goes down is served before it is dead. The timer expires at any
 * time; a tick that finds nothing changes nothing and is left out. A waiter that returns leaves
 * the stack that its entry in the list lies on; one that gives up leaves the list in the same way.
 * For asynchronous calls, which the same wakes are for, see async.pml.
 *
 *	here			there
 *	holder: 1		ex_drain_release(): the subtraction
 *		2		ex_drain_wake(): wake_up_var(), which looks, then wakes
 *		3		ex_drain_wake(): irq_work_queue(), or wake_missing
 *	walk()			ex_drain_wake_waiters()
 *	wake_missing()		ex_drain_wake_missing()
 *	irq_work		ex_drain_irq_work()
 *	timer			ex_hotplug_poll() of module/hotplug.c
 *	hotplug			ex_hotplug_begin() and ex_hotplug_end(), and the hotplug core
 *	stranger()		another subsystem's callback
 *	waiter			ex_drain_wait_event()
 *
 * Negative models, each of which a property has to refute:
 *	WAKE_FIRST		the last release wakes, then subtracts
 *	LOOK_FIRST		the waiter looks, then enlists, and does not look again before it sleeps
 *	ONE_WAITER		the deferred wake wakes the first waiter only
 *	NO_CALLBACK		nobody wakes the waiters when a CPU is dead, or online
 *	NO_TIMER		they are woken only then
 *	DOWN_ONLY		the timer runs while a CPU goes, but not while it comes
 *	SAME_CPU		the timer is on the CPU that goes or comes
 *	CLEAR_LAST		the waiters are woken, then wake_missing is cleared
 *	TOUCH_AFTER		the releaser looks at the ref once more before it wakes
 *	NO_LOCK			a waiter leaves the list without its lock
 */
#define N		2
#ifdef SHARED
#define ref_of(i)	0
#else
#define ref_of(i)	(i)
#endif

mtype = { ONLINE, DYING, OFF, COMING };

/* The refs: what is outstanding. */
#ifdef SHARED
byte outstanding[N] = N;
#else
byte outstanding[N] = 1;
#endif
bool freed[N];
/* The waiters: in the wait queue, not runnable, on the list, returned. */
bool queued[N], sleeping[N], listed[N], gone[N];
bool waiters_lock, left_entry;
/* The CPUs. */
mtype cpu1 = ONLINE;
bool pending[N], serving[N];		/* the irq_work */
byte pinned[N];				/* not preemptible: in the release */
/* Of CPU hotplug: something was released on a CPU that is not online; the timer, and its handler. */
bool missing, ticking, in_tick;

#define touch(r)	assert(!freed[r])

inline walk()
{
	atomic { !waiters_lock -> waiters_lock = true };
	w = 0;
	do
	:: w < N && listed[w] ->
		/* Its stack must be there. */
		atomic {
			left_entry = gone[w];
			assert(!left_entry);
			sleeping[w] = false;
			w++
		};
#ifdef ONE_WAITER
		break
#endif
	:: w < N && !listed[w] -> w++
	:: else -> break
	od;
	atomic { waiters_lock = false; w = 0 }
}

/* The caller has seen that it is missing. */
inline wake_missing()
{
#ifdef CLEAR_LAST
	walk();
	missing = false
#else
	missing = false;
	walk()
#endif
}

active [N] proctype waiter()
{
	byte me = _pid;

	/* if (condition) break; */
	atomic {
		touch(ref_of(me));
		if
		:: outstanding[ref_of(me)] == 0 -> goto done
		:: else
		fi
	};
	/* Enlist. */
	atomic { !waiters_lock -> listed[me] = true };
	do
	:: true ->
		atomic { queued[me] = true; sleeping[me] = true };
#ifndef LOOK_FIRST
		atomic {
			touch(ref_of(me));
			if
			:: outstanding[ref_of(me)] == 0 -> break
			:: else
			fi
		};
#endif
		!sleeping[me];
#ifdef LOOK_FIRST
		atomic {
			touch(ref_of(me));
			if
			:: outstanding[ref_of(me)] == 0 -> break
			:: else
			fi
		}
#endif
	od;
	atomic { queued[me] = false; sleeping[me] = false };
	/* Dismiss. */
#ifdef NO_LOCK
	listed[me] = false;
#else
	atomic { !waiters_lock -> listed[me] = false };
#endif
done:
	atomic {
		gone[me] = true;
#ifdef SHARED
		freed[0] = gone[0] && gone[1]
#else
		freed[me] = true
#endif
	}
}

active [N] proctype holder()
{
	byte r, w, cpu;
	bool preemptible, last;

	r = ref_of(_pid - N);
	atomic {
		if
		:: preemptible = true
		:: cpu = 0; pinned[0]++
		:: cpu1 != OFF -> cpu = 1; pinned[1]++
		fi
	};
#ifdef WAKE_FIRST
	atomic { touch(r); last = (outstanding[r] == 1) };
#else
	atomic {							/* 1 */
		touch(r);
		outstanding[r]--;
		last = (outstanding[r] == 0)
	};
#endif
#ifdef TOUCH_AFTER
	atomic { touch(r); last = (outstanding[r] == 0) };
#endif
	if
	:: last && preemptible ->					/* 2 */
		if
		:: queued[0] && ref_of(0) == r || queued[1] && ref_of(1) == r ->
			atomic {
				w = 0;
				do
				:: w < N && queued[w] && ref_of(w) == r ->
					queued[w] = false;
					sleeping[w] = false;
					w++
				:: w < N && !(queued[w] && ref_of(w) == r) -> w++
				:: else -> break
				od;
				w = 0
			}
		:: else
		fi
	:: last && !preemptible ->					/* 3 */
		atomic {
			if
			:: cpu == 0 || cpu1 == ONLINE -> pending[cpu] = true
			:: else -> missing = true
			fi
		}
	:: else
	fi;
#ifdef WAKE_FIRST
	atomic { touch(r); outstanding[r]-- };
#endif
	atomic {
		if
		:: preemptible
		:: else -> pinned[cpu]--
		fi
	}
}

/* Of each CPU. */
active [N] proctype irq_work()
{
	byte cpu = _pid - 2 * N, w;

end:
	do
	:: atomic {
		pending[cpu] ->
		pending[cpu] = false;
		serving[cpu] = true
	   };
	   walk();
	   serving[cpu] = false
	od
}

active proctype timer()
{
	byte w;

end:
	do
	:: atomic {
#ifdef SAME_CPU
		ticking && missing && cpu1 == ONLINE ->
#else
		ticking && missing ->
#endif
		in_tick = true
	   };
	   wake_missing();
	   in_tick = false
	od
}

inline begin()
{
#ifndef NO_TIMER
	ticking = true
#else
	skip
#endif
}

inline stranger()
{
	if
	:: true -> gone[0]
	:: true -> gone[1]
	:: true
	fi
}

inline end()
{
	/* Waits for the handler. */
	atomic { !in_tick -> ticking = false };
#ifndef NO_CALLBACK
	if
	:: missing -> wake_missing()
	:: else
	fi
#endif
}

active proctype hotplug()
{
	byte w;

	do
	:: begin();
	   if
	   :: atomic { !pinned[1] && !serving[1] -> cpu1 = DYING };
	      atomic { !pinned[1] && !serving[1] && !pending[1] -> cpu1 = OFF };
	      stranger()
	   :: true
	   fi;
	   end();
	   if
	   :: cpu1 == ONLINE
	   :: cpu1 == OFF -> break
	   :: cpu1 == OFF ->
		do
		::
#ifndef DOWN_ONLY
		   begin();
#endif
		   if
		   :: cpu1 = COMING;
		      atomic { !pinned[1] -> cpu1 = ONLINE };
		      stranger()
		   :: true
		   fi;
		   end();
		   if
		   :: cpu1 == ONLINE -> break
		   :: cpu1 == OFF
		   fi
		od
	   fi
	:: break
	od
}
