/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cache-aware ref: module/cache_aware.c, module/drain.c and the in-line functions of
 * ex_rundown.h. With LOCKED: its kind with LOCKed slots (in place, EX_RUNDOWN_NO_IPI).
 *
 * Bounds: CPUS, with HOTPLUG the last may go off and on line while nobody reads the hotplug lock;
 * AGENTS that acquire and release without end, and stop at any time; WAITERS that each wait,
 * reinitialize (all at once; who loses waits while the winner is half-way), and wait again. With
 * ROGUE one release too many that no reinitialize overlaps, while nobody holds anything or will in
 * this life. With LEAVE one of them goes when it has opened the ref, and the others are on their
 * own. With CPUSLOCKED any of them may have the hotplug lock when it waits or reinitializes, and
 * new readers wait while a CPU wants to go or come (without, a reader waits for no other, so it
 * makes no difference that they do not). With IMPATIENT they ask whether it is complete before
 * they wait, and each gives up a wait once, asks and waits again.
 * At the end the ref is freed as the contract wants it: nobody can find it any more, and no acquire
 * is on its way.
 *
 * An agent is whatever acquires and releases: it picks a CPU for each instruction. So it is a task
 * that migrates between any two, and it is an interrupt or an NMI that acquires and releases on one
 * CPU between any two instructions of another agent there.
 *
 * Abstraction: sequentially consistent (for the rest see litmus/; an interrupt that has been served
 * is a barrier). The plain read-modify-write of a slot is two steps, load and store; between them
 * nothing else happens on that CPU, but on others it does. The interrupt of the tour is an exchange
 * and an addition; agents may come between these, as NMIs. A compare-and-exchange loop on one word
 * is one step. Slots and the number in outstanding count modulo AGENTS + 2, so that a slot may
 * drift without end; -1 is a sum that is too low. A dead slot is DEAD, whatever is added to it; for
 * drift see drift.pml.
 *
 * Left out, as to others it looks like what is here: to start and not to wait, or to have a
 * function called (async.pml), is to give up a wait at once; to wait for many refs is to wait for
 * each, as nothing is waited for between the turn of one and its settling; and a hotplug callback
 * that waits is a caller that has the lock while another CPU wants to go.
 *
 *	here			there
 *	agent: 1		__ex_slot_acquire(), and the rest of the acquire, which refuses, and
 *				touches only garbage; with LOCKED ex_locked_acquire()
 *	       2		__ex_slot_release(); with LOCKED ex_locked_release()
 *	       3, 4		ex_drain_release()
 *	waiter: wait		ex_cache_aware_wait(), with IMPATIENT first
 *				ex_rundown_is_complete_cache_aware()
 *		start, see	ex_cache_aware_start(), with ex_cache_aware_turn()
 *		tour		ex_tour()
 *		settle		ex_cache_aware_settle()
 *		started		ex_cache_aware_drained()
 *		reinitialize	ex_cache_aware_reinitialize()
 *	lock(), unlock()	ex_tour_lock(), ex_tour_unlock()
 *	interrupt		ex_harvest_this_cpu(), ex_revive_this_cpu()
 *
 * Negative models, each of which a property has to refute:
 *	NO_OFFLINE		the tour leaves out slots of offline CPUs
 *	NO_CPUS_LOCK		the tour does not keep CPUs from going off or on line
 *	REMOTE			the tour exchanges all slots from afar
 *	READ_THEN_WRITE		the interrupt reads its slot, then writes it
 *	NO_TOKEN		a live ref, and one that is being revived, has no token
 *	ONE_WAITER		a wake wakes one waiter only
 *	NO_REVIVE_WAKE		a reinitialize does not wake who waits for its end
 *	ZERO_ONLY		a wait does not take a token for the end of what it waits for
 *	LATE_SUBTRACT		a release that meets a dead slot looks at the ref after its subtraction
 *	TURN_FIRST		a wait turns the state, then takes the hotplug lock
 *	CLAIM_FIRST		a reinitialize claims the token, then takes the hotplug lock
 *	NUMBER_ONLY		complete means that the number is zero, with a token or not
 */
#ifndef CPUS
#define CPUS		3
#endif
#ifndef AGENTS
#define AGENTS		2
#endif
#ifndef WAITERS
#define WAITERS		1
#endif

#define MODULUS		(AGENTS + 2)
#define DEAD		MODULUS
#define TOKEN		1
#define has_token(x)	((x) & TOKEN)
#ifdef ZERO_ONLY
#define ended(x)	((x) == 0)
#else
#define ended(x)	((x) == 0 || has_token(x))
#endif
#ifdef NUMBER_ONLY
#define complete(x)	((x) / 2 == 0)
#else
#define complete(x)	((x) == 0)
#endif
#define negative(x)	((x) == 2 * (MODULUS - 1))
#ifdef NO_TOKEN
#define LIVE_TOKEN	0
#else
#define LIVE_TOKEN	TOKEN
#endif

/* The ref. */
byte slot[CPUS];
byte outstanding = LIVE_TOKEN;		/* twice the number, and the token; modulo 2 * MODULUS */
bool not_live;				/* state */
/* The CPUs. */
bool online[CPUS];
bool busy[CPUS];			/* in the middle of an instruction */
bool called[CPUS];			/* interrupted, and not served yet */
byte readers;				/* of the hotplug lock */
bool writing;				/* a CPU wants to go or come: new readers of it wait */
/* The tour: there is one at a time. */
bool touring, opening;
/* The wait queue. */
bool asleep[WAITERS];

/* What is true, whatever the ref says. */
byte due;			/* granted and not yet released */
bool down;			/* a wait has returned, and no reinitialize since */
bool all_dead;			/* a tour has ended, and no reinitialize since */
bool waiting[WAITERS];		/* in a wait */
bool excused[WAITERS];		/* in one while a reinitialize won: against the contract */
bool misused, misusing;		/* a release too many in this life; on its way */
bool debt;			/* and not reported yet */
bool blamed;			/* a holder was refused its release */
byte acquiring;
bool gone;			/* a waiter has left the ref that it opened */
bool unpublished, freed;
byte returned, reviving, reinitialized, wins;

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
		c = 0;
		do
		:: c < WAITERS -> asleep[c] = false; c++
		:: else -> break
		od;
		c = 0
#endif
	}
}

/*
 * The CPU for the next instruction. For LIVENESS an interrupt comes first: agents that use the CPU
 * again and again do not keep it off for ever.
 */
#ifdef LIVENESS
#define idle(cpu)	(online[cpu] && !busy[cpu] && !called[cpu])
#else
#define idle(cpu)	(online[cpu] && !busy[cpu])
#endif
#define idle_cpu	(idle(0) || idle(1) || idle(CPUS - 1))
inline pick()
{
	if
	:: idle(0) -> c = 0
	:: idle(1) -> c = 1
#if CPUS > 2
	:: idle(2) -> c = 2
#endif
	fi;
	touch()
}

#define plus(x, n)	((x) == DEAD -> DEAD : ((x) + (n)) % MODULUS)

/* The two halves of a plain read-modify-write; a LOCKed one is in one step. */
#ifdef LOCKED
#define load_end()
#else
#define load_end()	busy[c] = true }; atomic { touch(); busy[c] = false;
#endif

inline store(n)
{
	now = plus(now, n);
	slot[c] = now;
	c = 0
}

active [AGENTS] proctype agent()
{
	byte c, now;

	do
	:: atomic {							/* 1 */
		!unpublished && !misused && idle_cpu -> pick();
		acquiring++;
		now = slot[c];
		load_end()
		store(1);
		acquiring--;
		if
		:: now == DEAD -> now = 0; goto next
		:: else
		fi;
		now = 0;
		due++;
		/* No grant after the wait has returned, nor after all slots are dead. */
		assert(!down);
		assert(!all_dead)
	   };
	   atomic {							/* 2 */
		pick();
		now = slot[c];
		load_end()
		store(MODULUS - 1);
		if
		:: now == DEAD -> now = 0
		:: else -> now = 0; due--; goto next
		fi
	   };
	   atomic {							/* 3 */
		touch();
		blamed = (outstanding == 0 || negative(outstanding));
		assert(!blamed);
		outstanding = (outstanding + 2 * MODULUS - 2) % (2 * MODULUS);
		due--;
		if
		:: outstanding == 0
		:: else -> goto next
		fi
	   };
#ifdef LATE_SUBTRACT
	   touch();
#endif
	   wake();							/* 4 */
next:
	   skip
	:: break
	od
}

#ifdef ROGUE
active proctype rogue()
{
	byte c, now;

	if
	:: atomic {
		!unpublished && !reviving && !due && !acquiring && idle_cpu -> pick();
		misused = true;
		misusing = true;
		debt = true;
		acquiring++;
		now = slot[c];
		load_end()
		store(MODULUS - 1);
		if
		:: now == DEAD -> now = 0
		:: else -> now = 0; goto end
		fi
	   }
	:: unpublished -> goto done
	fi;
	atomic {
		touch();
		if
		:: outstanding == 0 || negative(outstanding) -> debt = false
		:: else -> outstanding = (outstanding + 2 * MODULUS - 2) % (2 * MODULUS)
		fi
	};
end:
	atomic { misusing = false; acquiring-- };
done:
	skip
}
#endif

#ifdef HOTPLUG
active proctype hotplug()
{
	do
#ifdef CPUSLOCKED
	/* When it began to want makes no difference where nobody reads. */
	:: atomic { readers && !writing -> writing = true }
#endif
	:: atomic {
#ifndef NO_CPUS_LOCK
		!readers &&
#endif
		!busy[CPUS - 1] && !called[CPUS - 1] ->
		online[CPUS - 1] = !online[CPUS - 1];
		writing = false
	   }
	:: !writing -> break
	od
}

/* The first of an atomic block: between the lock and that block's access nothing waits. */
#define lock()		(locked || !writing) -> readers = readers + !locked;
#define unlock()	readers = readers - !locked;
#else
#define lock()
#define unlock()
#endif
#ifdef TURN_FIRST
#define late		(!revive)
#define lock_turn()
#define unlock_turn()
#else
#define lock_turn()	lock()
#define unlock_turn()	unlock()
#endif
#ifdef CLAIM_FIRST
#define late		(revive)
#define lock_claim()
#define unlock_claim()
#else
#define lock_claim()	lock()
#define unlock_claim()	unlock()
#endif
#ifdef late
#define lock_tour()	(!late || locked || !writing) -> readers = readers + (late && !locked);
#else
#define lock_tour()
#endif

/* The caller's own hold of the hotplug lock: he may have it, and then calls _cpuslocked(). */
#ifdef CPUSLOCKED
#define hold()		if :: true :: atomic { !writing -> readers++; locked = true } fi;
#define drop()		readers = readers - locked; locked = false;
#else
#define locked		false
#define hold()
#define drop()
#endif

/* What a tour found in a live slot. */
inline harvest()
{
	atomic {
		touch();
		outstanding = (outstanding + 2 * got) % (2 * MODULUS);
		got = 0
	}
}

#ifndef LOCKED
proctype interrupt(byte cpu)
{
	byte got;

end:
	do
	:: atomic {
		called[cpu] && !busy[cpu] ->
		touch();
		if
		:: opening -> slot[cpu] = 0; called[cpu] = false; goto end
		:: else
		fi;
		got = (slot[cpu] == DEAD -> 0 : slot[cpu]);
#ifdef READ_THEN_WRITE
		/* What has come in between has gone on to its end. */
		}; atomic { !busy[cpu] -> touch();
#endif
		slot[cpu] = DEAD
	   };
	   if
	   :: got != 0 -> harvest()
	   :: else
	   fi;
	   called[cpu] = false
	od
}
#endif

proctype waiter(byte me)
{
	byte c, got;
	bool again, revive;
#ifdef CPUSLOCKED
	bool locked;
#endif
#ifdef IMPATIENT
	bool gave_up;
#endif

wait:
	hold()
	waiting[me] = true;
#ifdef IMPATIENT
	atomic {
		touch();
		if
		:: complete(outstanding) -> goto returns
		:: else
		fi
	};
#endif
start:
#ifdef CPUSLOCKED
	/* Else nothing can come between this and what follows that makes a difference. */
	atomic {
		touch();
		if
		:: !not_live
		:: else -> goto see
		fi
	};
#endif
	atomic {
		lock_turn()
		touch();
		if
		:: !not_live -> not_live = true; goto tour
		:: else -> unlock_turn()
		fi
	};
see:
	do
	:: true ->
		asleep[me] = true;
		atomic {
			touch();
			if
			:: !has_token(outstanding) -> asleep[me] = false; break
			:: else
			fi
		};
		atomic {
			touch();
			if
			:: !not_live -> asleep[me] = false; break
			:: else
			fi
		};
		!asleep[me]
	od;
	atomic {
		touch();
		if
		:: has_token(outstanding) -> goto start
		:: else -> goto started
		fi
	};

tour:
	atomic {
		lock_tour()
		/* One tour at a time. */
		assert(!touring);
		touring = true;
		opening = revive;
#if defined(NO_TOKEN)
		outstanding = outstanding + (revive -> 0 : TOKEN);
#endif
		c = 0
	};
	do
	:: c < CPUS ->
		if
#if defined(LOCKED)
		:: true ->
#elif defined(REMOTE)
		:: !revive || !online[c] ->
#elif defined(NO_OFFLINE)
		:: !online[c] && revive ->
#else
		:: !online[c] ->
#endif
			atomic {
				touch();
				got = (slot[c] == DEAD -> 0 : slot[c]);
				slot[c] = (revive -> 0 : DEAD)
			};
			if
			:: got -> harvest()
			:: else
			fi
		:: else
		fi;
		c++
	:: else -> break
	od;
#ifndef LOCKED
	atomic {
#ifdef REMOTE
		if
		:: !revive -> goto toured
		:: else
		fi;
#endif
		c = 0;
		do
		:: c < CPUS -> called[c] = online[c]; c++
		:: else -> break
		od;
		c = 0
	};
	!called[0] && !called[1] && !called[CPUS - 1];
#endif
#ifdef REMOTE
toured:
#endif
	atomic {
		c = 0;
		unlock()
		touring = false;
		if
		:: revive -> goto revived
		:: else -> all_dead = true
		fi
	};

	/* Settle. */
	atomic {
		touch();
		outstanding = outstanding - TOKEN;
		if
		:: negative(outstanding)
		:: else -> goto settled
		fi
	};
	atomic {
		touch();
		if
		:: negative(outstanding) ->
			outstanding = 0;
			/* It warns: there was a release too many. */
			assert(debt);
			debt = false
		:: else	/* unreached */
		fi
	};
settled:
	wake();

started:
	do
	:: true ->
		asleep[me] = true;
		atomic {
			touch();
			if
			:: ended(outstanding) ->
				asleep[me] = false;
				break
#ifdef IMPATIENT
			:: !ended(outstanding) && !gave_up ->
				asleep[me] = false;
				waiting[me] = false;
				gave_up = true;
				goto wait
			:: !ended(outstanding)
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
		drop()
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

	/* Reinitialize: for after all waits have returned. */
	atomic { returned >= WAITERS && !misusing -> reviving++ };
	hold()
	atomic {
		lock_claim()
		touch();
		if
		:: outstanding == 0 ->
			outstanding = LIVE_TOKEN;
			/* Only what is run down comes to life again. */
			assert(!due);
			wins++;
			down = false;
			all_dead = false;
			misused = false;
			c = 0;
			do
			:: c < WAITERS -> excused[c] = waiting[c]; c++
			:: else -> break
			od;
			c = 0;
			revive = true;
			goto tour
		:: else ->
			unlock_claim()
			goto refused
		fi
	};
revived:
	atomic { touch(); not_live = false; revive = false };
#ifndef NO_REVIVE_WAKE
	wake();
#endif
#ifdef LEAVE
	if
	:: !gone ->
		atomic {
			drop()
			gone = true;
			reviving--;
			reinitialized++;
			returned++;
			goto end
		}
	:: true
	fi;
#endif
refused:
	atomic {
		drop()
		reviving--;
		reinitialized++;
		/* Of some at once, one wins. */
		assert(reinitialized < WAITERS || wins);
		goto wait
	};

end:
	if
	:: me == 0 ->
		returned == 2 * WAITERS;
		if
		:: gone -> goto left
		:: else
		fi;
		unpublished = true;
		acquiring == 0;
		atomic {
			/* The counts balance. */
			assert(outstanding == 0 && due == 0 && !debt && not_live);
			assert(slot[0] == DEAD && slot[1] == DEAD && slot[CPUS - 1] == DEAD);
			freed = true
		}
	:: else
	fi;
left:
	skip
}

init {
	byte c;

	atomic {
		do
		:: c < CPUS ->
			online[c] = true;
#ifndef LOCKED
			run interrupt(c);
#endif
			c++
		:: else -> break
		od;
		c = 0;
		do
		:: c < WAITERS -> run waiter(c); c++
		:: else -> break
		od
	}
}

#ifdef LIVENESS
/* Every wait returns, as all holders release: under weak fairness. */
#if WAITERS > 1
ltl returns { [] (waiting[0] -> <> !waiting[0]) && [] (waiting[1] -> <> !waiting[1]) }
#else
ltl returns { [] (waiting[0] -> <> !waiting[0]) }
#endif
#endif
