/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the last release to the function of an asynchronous run-down: ex_drain_async() and what
 * looks for it again, in module/drain.c.
 *
 * Bounds: two refs that are running down, with a holder and an asynchronous call each, whose
 * function frees the ref; with SHARED it is one ref with two holders and two calls, and the last
 * function frees it. Each function frees its work; with KEEP nothing is freed. A holder releases
 * once, in any context. With REVIVED somebody reinitializes what is run down without waiting for
 * the functions, which is against the contract, but they must be called.
 *
 * Abstraction: sequentially consistent (litmus/async-list*.litmus for the rest). One statement or
 * atomic block is one access to what is shared. What is deferred comes (see wake.pml); it also
 * comes for other refs, and as CPUs go and come, at any time, until that stops. The list is who is
 * on it, in one home: what hash to others shares nothing with these. The barrier is in barrier.pml.
 *
 *	here			there
 *	caller			ex_drain_async(), after the run-down has begun
 *	look()			ex_drain_async_look()
 *	holder: 1		ex_drain_release(): the subtraction
 *		2		ex_drain_wake(): list_empty(), ex_drain_wake_asyncs()
 *		3		ex_drain_wake(): irq_work_queue()
 *	walk()			ex_drain_wake_asyncs()
 *	deferred		ex_drain_irq_work(), ex_drain_cpu_changed()
 *	worker			ex_drain_async_work(), and the function
 *	reviver			ex_cache_aware_reinitialize(): the token, and the wake
 *
 * Negative models, each of which a property has to refute:
 *	LOOK_FIRST		the last release looks at the list, then subtracts
 *	ENLIST_LAST		the caller looks, then enlists
 *	NO_LOOK			a walk takes all off the list, whatever is outstanding
 *	QUEUE_FIRST		the work is queued before it is off the list
 *	LATE_DELETE		a walk leaves the lock before it takes off the list what it has found
 *	ZERO_ONLY		a token is not taken for the end
 */
#define N		2
#ifdef SHARED
#define ref_of(i)	0
#else
#define ref_of(i)	(i)
#endif

#define TOKEN		(N + 1)
#ifdef ZERO_ONLY
#define ended(x)	((x) == 0)
#else
#define ended(x)	((x) == 0 || (x) == TOKEN)
#endif

/* The refs: what is outstanding. */
#ifdef SHARED
byte outstanding[N] = N;
#else
byte outstanding[N] = 1;
#endif
bool freed[N];
/* The works: on the list, queued, function called, freed. */
bool listed[N], queued[N], called[N], gone[N];
bool home_lock;
bool pending;			/* the irq_work, or a callback */

/* What is true, whatever the ref says. */
bool drained[N];		/* all was released once */
bool early, twice, left_entry;

#define touch(r)	assert(!freed[r])
#define touch_work(i)	left_entry = gone[i]; assert(!left_entry)

inline dequeue(i)
{
#ifdef QUEUE_FIRST
	queued[i] = true;
	atomic { touch_work(i); listed[i] = false }
#else
	atomic { touch_work(i); listed[i] = false };
	atomic { touch_work(i); queued[i] = true }
#endif
}

/* With the lock held. */
inline look(i)
{
	atomic {
		touch_work(i);
		touch(ref_of(i));
		found = ended(outstanding[ref_of(i)])
	}
}

inline walk()
{
	atomic { !home_lock -> home_lock = true };
	w = 0;
	do
	:: w < N && listed[w] ->
#ifdef NO_LOOK
		found = true;
#else
		look(w);
#endif
		if
		:: found ->
#ifdef LATE_DELETE
			home_lock = false;
			dequeue(w);
			atomic { !home_lock -> home_lock = true }
#else
			dequeue(w)
#endif
		:: else
		fi;
		atomic { found = false; w++ }
	:: w < N && !listed[w] -> w++
	:: else -> break
	od;
	atomic { home_lock = false; w = 0 }
}

active [N] proctype caller()
{
	byte me = _pid;
	bool found;

	atomic { !home_lock -> home_lock = true };
#ifdef ENLIST_LAST
	look(me);
	if
	:: found -> queued[me] = true
	:: else -> listed[me] = true
	fi;
#else
	listed[me] = true;
	look(me);
	if
	:: found -> dequeue(me)
	:: else
	fi;
#endif
	home_lock = false;
	called[me]
}

active [N] proctype holder()
{
	byte r, w;
	bool preemptible, last, found;

	atomic {
		r = ref_of(_pid - N);
		if
		:: preemptible = true
		:: true
		fi
	};
#ifdef LOOK_FIRST
	found = listed[0] || listed[1];
#endif
	atomic {							/* 1 */
		touch(r);
		outstanding[r]--;
		last = (outstanding[r] == 0);
		drained[r] = last
	};
	if
	:: last && preemptible ->					/* 2 */
		if
#ifdef LOOK_FIRST
		:: found -> found = false; walk()
#else
		:: listed[0] || listed[1] -> walk()
#endif
		:: else
		fi
	:: last && !preemptible -> pending = true			/* 3 */
	:: else
	fi
}

active proctype deferred()
{
	byte w;
	bool found;

end:
	do
	:: atomic { pending -> pending = false };
	   walk()
	od
}

active proctype others()
{
	do
	:: pending = true
	:: break
	od
}

active [N] proctype worker()
{
	byte me = _pid - 2 * N - 2;

end:
	do
	:: atomic {
		queued[me] ->
		queued[me] = false;
		early = !drained[ref_of(me)];
		assert(!early);
		twice = called[me];
		assert(!twice);
		called[me] = true;
#ifndef KEEP
		gone[me] = true;
#ifdef SHARED
		freed[0] = called[0] && called[1]
#else
		freed[me] = true
#endif
#endif
	   }
	od
}

#ifdef REVIVED
active proctype reviver()
{
	byte w;
	bool found;

	if
	:: atomic { outstanding[0] == 0 -> outstanding[0] = TOKEN };
	   if
	   :: listed[0] || listed[1] -> walk()
	   :: else
	   fi
	:: true
	fi
}
#endif
