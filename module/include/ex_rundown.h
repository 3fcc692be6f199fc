/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run-down protection: use an object that its owner may take away.
 *
 * An object is *live* at first. Whoever wants to use it acquires protection, which can be refused,
 * and releases it afterwards. The owner waits: from then on the object is *running down*, every
 * acquire is refused, and when the last holder has released, it is *run down*: the wait returns and
 * the object may be freed, or replaced and opened again.
 *
 * There are two kinds. struct ex_rundown_ref is two words, and each acquire and each release is one
 * atomic operation on the first. struct ex_rundown_ref_cache_aware counts in one slot a CPU:
 * acquire and release are one unlocked instruction each, and running it down interrupts every CPU
 * once.
 *
 * A ref's own memory must be valid as long as anybody may call acquire on it, even if refused: look
 * objects up and acquire under rcu_read_lock(), unpublish, wait, and free after a grace period.
 * After the last release the releaser does not touch the ref any more.
 *
 * Acquire and release are in-line functions here, and exported symbols of the same names for code
 * that can't use this header. Define EX_RUNDOWN_OUT_OF_LINE before including it to call those.
 *
 * ex_rundown_acquire(), ex_rundown_wait() and so on take a ref of either kind: see
 * <ex_rundown_generic.h>.
 *
 * A module that is compiled with -DEX_RUNDOWN_TRACK has each of its grants recorded, with the
 * stack, until it is released. The log and debugfs then tell who holds protection, and a release of
 * what nobody acquired is reported at once. Modules that are tracked and others may use the same
 * refs; but what one of them acquires and another releases, both or neither are to track.
 */
#ifndef _EX_RUNDOWN_H
#define _EX_RUNDOWN_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/instruction_pointer.h>
#include <linux/limits.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/*
 * A count that is not live is in the zone (3 * EX_RUNDOWN_DEAD / 2, EX_RUNDOWN_DEAD / 2), about
 * EX_RUNDOWN_DEAD; refused acquires add to it and nobody takes that back. A live one is never
 * there.
 */
#define EX_RUNDOWN_DEAD		(-(LONG_MAX / 2 + 1))

/* The value a driver gives to the Count of a ref that is to start run down. */
#define EX_RUNDOWN_ACTIVE	EX_RUNDOWN_DEAD

/*
 * EX_RUNDOWN_MAX_COUNT - the largest count that one _ex call takes
 * EX_RUNDOWN_MAX_HELD  - the most that may be held at once on a basic ref
 *
 * On a cache-aware ref 2^60 (32-bit: 2^29) may be held at once.
 */
#if BITS_PER_LONG == 64
#define EX_RUNDOWN_MAX_COUNT	0x7fffffffu
#define EX_RUNDOWN_MAX_HELD	(LONG_MAX >> 17)
#else
#define EX_RUNDOWN_MAX_COUNT	0xffffu
#define EX_RUNDOWN_MAX_HELD	(LONG_MAX >> 10)
#endif

/**
 * struct ex_rundown_ref - tracks who uses an object (EX_RUNDOWN_REF)
 * @count:       while live, the number held; about EX_RUNDOWN_DEAD from the wait on
 * @Count:       @count under the name that Windows drivers assign EX_RUNDOWN_ACTIVE to
 * @Ptr:         @count as a pointer, the other member that Windows drivers know; points nowhere
 * @outstanding: once not live, what is still held, in a unit of its own; zero means run down
 *
 * All zero is a live ref that nobody holds.
 */
struct ex_rundown_ref {
	union {
		atomic_long_t count;
		unsigned long Count;
		void *Ptr;
	};
	atomic_long_t outstanding;
};

#define EX_RUNDOWN_REF_INIT		{ .count = ATOMIC_LONG_INIT(0) }
#define EX_RUNDOWN_REF_INIT_RUN_DOWN	{ .count = ATOMIC_LONG_INIT(EX_RUNDOWN_DEAD) }

/**
 * DEFINE_EX_RUNDOWN_REF - define a live basic ref
 * @name: the variable
 *
 * DEFINE_STATIC_EX_RUNDOWN_REF() defines one that is private to the file, and
 * DEFINE_STATIC_EX_RUNDOWN_REF_RUN_DOWN() one that is run down, to be opened by
 * ex_rundown_reinitialize(). The cache-aware kind has the same.
 */
#define DEFINE_EX_RUNDOWN_REF(name) struct ex_rundown_ref name = EX_RUNDOWN_REF_INIT

#define DEFINE_STATIC_EX_RUNDOWN_REF(name)	static DEFINE_EX_RUNDOWN_REF(name)

#define DEFINE_STATIC_EX_RUNDOWN_REF_RUN_DOWN(name)			\
	static struct ex_rundown_ref name = EX_RUNDOWN_REF_INIT_RUN_DOWN

struct device;
struct ex_rundown_slot;
struct task_struct;

/**
 * struct ex_rundown_ref_cache_aware - tracks who uses an object, one slot a CPU
 *                                     (EX_RUNDOWN_REF_CACHE_AWARE)
 * @slots:       what the in-line functions count in: @percpu, or, if the ref has no slots that a
 *               plain instruction may change, slots that are never live and lead to the slow path
 * @outstanding: twice the number held that no slot shows, and in bit 0 the token of a ref that is
 *               live or being harvested. So zero means run down, and nothing else does.
 * @state:       live, or run-down begun
 * @flags:       who owns the memory
 * @percpu:      the ref's own per-CPU slots, or NULL
 * @in_place:    the ref's own slots behind it in the caller's buffer, or NULL
 *
 * Opaque: there is no valid static value but DEFINE_EX_RUNDOWN_REF_CACHE_AWARE()'s. One that is all
 * zero has not been initialized. Acquire and release of one do not check that, and write to memory
 * that is not theirs, or fault; with EX_RUNDOWN_TRACK, and in all other functions but
 * ex_rundown_is_active(), such a ref is refused with a warning that names the caller.
 */
struct ex_rundown_ref_cache_aware {
	atomic_long_t __percpu *slots;
	atomic_long_t outstanding;
	atomic_t state;
	unsigned int flags;
	atomic_long_t __percpu *percpu;
	struct ex_rundown_slot *in_place;
};

/*
 * A 64-bit slot holds EX_RUNDOWN_SLOT_LIVE plus the acquires minus the releases made on its CPU, so
 * the sign of the result tells. On 32 bits the difference may cross any bound that the sign could
 * have: there the slot counts in twos, and bit 0 says not live.
 */
#if BITS_PER_LONG == 64
#define EX_RUNDOWN_SLOT_LIVE	(-EX_RUNDOWN_DEAD)
#define EX_RUNDOWN_SLOT_DEAD	EX_RUNDOWN_DEAD
#define EX_RUNDOWN_SLOT_ONE	1L
#else
#define EX_RUNDOWN_SLOT_LIVE	0L
#define EX_RUNDOWN_SLOT_DEAD	1L
#define EX_RUNDOWN_SLOT_ONE	2L
#endif

#define EX_RUNDOWN_TOKEN	1L
/* In a ref's state: running down, or run down. */
#define EX_RUNDOWN_STATE_DOWN	1

/* A 64-bit slot from EX_RUNDOWN_DEAD up to 2^59 above refuses without the slow path. */
#define EX_RUNDOWN_DEAD_BAND	59

/*
 * Where an NMI may tear the architecture's this_cpu operations, the slots want atomics. 6.1 does
 * not say yet where that is; these architectures were safe long before.
 */
#if defined(CONFIG_ARCH_HAS_NMI_SAFE_THIS_CPU_OPS) || defined(CONFIG_X86) || \
	defined(CONFIG_ARM64) || defined(CONFIG_S390)
#define EX_RUNDOWN_PLAIN_SLOTS	1
#else
#define EX_RUNDOWN_PLAIN_SLOTS	0
#endif

#if EX_RUNDOWN_PLAIN_SLOTS
#define __EX_RUNDOWN_STATIC_SLOTS(slots)	(&(slots))
#else
#define __EX_RUNDOWN_STATIC_SLOTS(slots)	(&ex_rundown_slow_slot + 0 * sizeof(slots))
#endif

DECLARE_PER_CPU(atomic_long_t, ex_rundown_slow_slot);

#define __EX_RUNDOWN_REF_CACHE_AWARE_INIT(percpu_slots, out, down) {	\
	.slots = __EX_RUNDOWN_STATIC_SLOTS(percpu_slots),		\
	.outstanding = ATOMIC_LONG_INIT(out),				\
	.state = ATOMIC_INIT(down),					\
	.percpu = &(percpu_slots),					\
}

/**
 * DEFINE_EX_RUNDOWN_REF_CACHE_AWARE - define a live cache-aware ref with static storage
 * @name: the variable
 *
 * DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE() defines one that is private to the file (a "static"
 * before this macro would not do), and DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE_RUN_DOWN() one that
 * is run down, to be opened by ex_rundown_reinitialize().
 *
 * Such a ref takes 8 bytes a CPU (32-bit: 4) of the module's static per-CPU memory, is never freed,
 * and wants no cleanup.
 */
#define DEFINE_EX_RUNDOWN_REF_CACHE_AWARE(name)				\
	DEFINE_PER_CPU(atomic_long_t, name##_ex_rundown_slots) =	\
		ATOMIC_LONG_INIT(EX_RUNDOWN_SLOT_LIVE);			\
	struct ex_rundown_ref_cache_aware name =			\
		__EX_RUNDOWN_REF_CACHE_AWARE_INIT(name##_ex_rundown_slots, EX_RUNDOWN_TOKEN, 0)

#define DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE(name)			\
	static DEFINE_PER_CPU(atomic_long_t, name##_ex_rundown_slots) =	\
		ATOMIC_LONG_INIT(EX_RUNDOWN_SLOT_LIVE);			\
	static struct ex_rundown_ref_cache_aware name =			\
		__EX_RUNDOWN_REF_CACHE_AWARE_INIT(name##_ex_rundown_slots, EX_RUNDOWN_TOKEN, 0)

#define DEFINE_STATIC_EX_RUNDOWN_REF_CACHE_AWARE_RUN_DOWN(name)		\
	static DEFINE_PER_CPU(atomic_long_t, name##_ex_rundown_slots) =	\
		ATOMIC_LONG_INIT(EX_RUNDOWN_SLOT_DEAD);			\
	static struct ex_rundown_ref_cache_aware name =			\
		__EX_RUNDOWN_REF_CACHE_AWARE_INIT(name##_ex_rundown_slots, 0,	\
						  EX_RUNDOWN_STATE_DOWN)

/*
 * EX_RUNDOWN_NO_IPI - flag for ex_initialize_rundown_protection_cache_aware_ex()
 *
 * Count with LOCKed atomics that the run-down can harvest from another CPU, so that no CPU is
 * interrupted. Acquire and release cost what one uncontended atomic costs, and a call.
 */
#define EX_RUNDOWN_NO_IPI	BIT(0)

/* The slow paths; @caller is whom a warning blames. */
bool __ex_acquire_rundown_protection(struct ex_rundown_ref *ref, unsigned long caller);
bool __ex_acquire_rundown_protection_ex(struct ex_rundown_ref *ref, u32 count, long now,
					unsigned long caller);
void __ex_release_rundown_protection(struct ex_rundown_ref *ref, u32 count, unsigned long caller);
bool __ex_acquire_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref);
void __ex_release_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref,
						 unsigned long caller);
bool __ex_acquire_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref,
						    u32 count, unsigned long caller);
void __ex_release_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref,
						    u32 count, unsigned long caller);

void ex_wait_for_rundown_protection_release(struct ex_rundown_ref *ref);
void ex_rundown_completed(struct ex_rundown_ref *ref);
void ex_reinitialize_rundown_protection(struct ex_rundown_ref *ref);

unsigned long ex_rundown_wait_timeout(struct ex_rundown_ref *ref, unsigned long timeout);
int __must_check ex_rundown_wait_killable(struct ex_rundown_ref *ref);
int __must_check ex_rundown_wait_interruptible(struct ex_rundown_ref *ref);
void ex_rundown_wait_many(struct ex_rundown_ref **refs, size_t count);
void ex_rundown_start(struct ex_rundown_ref *ref);
bool ex_rundown_is_active(const struct ex_rundown_ref *ref);
bool ex_rundown_is_complete(const struct ex_rundown_ref *ref);

struct ex_rundown_ref_cache_aware *ex_allocate_cache_aware_rundown_protection(gfp_t gfp);
struct ex_rundown_ref_cache_aware *devm_ex_rundown_allocate_cache_aware(struct device *dev);
void ex_free_cache_aware_rundown_protection(struct ex_rundown_ref_cache_aware *ref);
void ex_rundown_free_rcu_cache_aware(struct ex_rundown_ref_cache_aware *ref);
size_t ex_size_of_rundown_protection_cache_aware(void);
int __must_check
ex_initialize_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref, size_t size);
int __must_check
ex_initialize_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref, u32 flags);
void ex_cleanup_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref);
void ex_wait_for_rundown_protection_release_cache_aware(struct ex_rundown_ref_cache_aware *ref);
void ex_rundown_completed_cache_aware(struct ex_rundown_ref_cache_aware *ref);
void ex_reinitialize_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref);

unsigned long ex_rundown_wait_timeout_cache_aware(struct ex_rundown_ref_cache_aware *ref,
						  unsigned long timeout);
int __must_check ex_rundown_wait_killable_cache_aware(struct ex_rundown_ref_cache_aware *ref);
int __must_check ex_rundown_wait_interruptible_cache_aware(struct ex_rundown_ref_cache_aware *ref);
void ex_rundown_wait_cache_aware_cpuslocked(struct ex_rundown_ref_cache_aware *ref);
void ex_rundown_wait_many_cache_aware(struct ex_rundown_ref_cache_aware **refs, size_t count);
void ex_rundown_start_cache_aware(struct ex_rundown_ref_cache_aware *ref);
bool ex_rundown_is_active_cache_aware(const struct ex_rundown_ref_cache_aware *ref);
bool ex_rundown_is_complete_cache_aware(const struct ex_rundown_ref_cache_aware *ref);
void ex_rundown_reinitialize_cache_aware_cpuslocked(struct ex_rundown_ref_cache_aware *ref);

/* A wait, for those who report it. */
struct ex_rundown_wait {
	const void *ref;
	unsigned long caller;
	atomic_long_t *outstanding;
	unsigned int shift;
	unsigned int reports;		/* so many so far */
	struct task_struct *task;	/* NULL: a function is to be called */
	unsigned long since;		/* jiffies */
	unsigned long reported;		/* jiffies of the last report; at first, as @since */
	long left;			/* in a copy: how many were held when it was made */
};

/* A function that is to be called, or is running. */
struct ex_rundown_call {
	struct list_head entry;
	struct module *owner;
};

/**
 * struct ex_rundown_work - a run-down that calls a function when it has ended
 *
 * Opaque. Usually part of the object that is run down.
 */
struct ex_rundown_work {
	/* private: */
	struct work_struct work;
	struct ex_rundown_call call;
	struct ex_rundown_wait wait;
	long token;
	void (*fn)(struct ex_rundown_work *work);
	bool held;			/* the module */
};

void __ex_rundown_async_barrier(struct module *owner);
void __ex_rundown_start_async(struct ex_rundown_ref *ref, struct ex_rundown_work *work,
			      void (*fn)(struct ex_rundown_work *work), struct module *owner);
void __ex_rundown_start_async_cache_aware(struct ex_rundown_ref_cache_aware *ref,
					  struct ex_rundown_work *work,
					  void (*fn)(struct ex_rundown_work *work),
					  struct module *owner);

#ifdef EX_RUNDOWN_NO_GENERIC
/* For a basic ref alone; see <ex_rundown_generic.h>. */
#define ex_rundown_start_async(ref, work, fn)	\
	__ex_rundown_start_async(ref, work, fn, THIS_MODULE)
#endif

/**
 * ex_rundown_async_barrier() - wait for the functions that this module has asked for
 *
 * Waits for every function that this module has passed to ex_rundown_start_async(), including those
 * that such a function has passed. For the exit of a module that starts run-downs there, for
 * example in the remove() of a driver that it unregisters, and for an init that has started some
 * and fails.
 *
 * A function of this module that has released protection may still be executing its last
 * instructions on return. Before the module's text goes away, wait for it as after complete():
 * flush the workqueue, cancel the timer, synchronize_rcu() for interrupts.
 *
 * Context: Task. May sleep, uninterruptibly, as long as there are holders, or such functions run.
 * Not from such a function, nor with a lock held that one of them takes.
 */
#define ex_rundown_async_barrier()	__ex_rundown_async_barrier(THIS_MODULE)

/**
 * ex_rundown_start_async_cache_aware() - run the object down, and have a function called when it is
 * @ref:  the ref
 * @work: the caller's, for this run-down alone; not on the stack; need not be initialized
 * @fn:   called once, by a workqueue, when nobody holds protection any more
 *
 * As ex_rundown_start_async().
 *
 * Context: Task. May sleep; as the wait, but not for the holders.
 */
#define ex_rundown_start_async_cache_aware(ref, work, fn)	\
	__ex_rundown_start_async_cache_aware(ref, work, fn, THIS_MODULE)

#if defined(EX_RUNDOWN_OUT_OF_LINE) && defined(EX_RUNDOWN_TRACK)
#error "EX_RUNDOWN_TRACK is for the in-line functions"
#endif

#if defined(EX_RUNDOWN_OUT_OF_LINE) || defined(EX_RUNDOWN_EXPORT)
void ex_initialize_rundown_protection(struct ex_rundown_ref *ref);
bool __must_check ex_acquire_rundown_protection(struct ex_rundown_ref *ref);
bool __must_check ex_acquire_rundown_protection_ex(struct ex_rundown_ref *ref, u32 count);
void ex_release_rundown_protection(struct ex_rundown_ref *ref);
void ex_release_rundown_protection_ex(struct ex_rundown_ref *ref, u32 count);
bool __must_check
ex_acquire_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref);
bool __must_check
ex_acquire_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref, u32 count);
void ex_release_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref);
void ex_release_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref,
						  u32 count);
#endif

#ifndef EX_RUNDOWN_OUT_OF_LINE

/*
 * For the in-line functions below: a grant, and, before it takes place, a release, as the tracking
 * sees them; and that a ref begins a life of which nothing is known.
 */
void __ex_rundown_track_acquire(const void *ref, u32 count, unsigned long caller);
void __ex_rundown_track_release(const void *ref, u32 count, unsigned long caller);
void __ex_rundown_forget(const void *ref);

#ifdef EX_RUNDOWN_TRACK
static __always_inline bool __ex_tracked(const void *ref, u32 count, bool granted)
{
	if (granted)
		__ex_rundown_track_acquire(ref, count, _THIS_IP_);
	return granted;
}

static __always_inline void __ex_untrack(const void *ref, u32 count)
{
	__ex_rundown_track_release(ref, count, _THIS_IP_);
}
#else
static __always_inline bool __ex_tracked(const void *ref, u32 count, bool granted)
{
	return granted;
}

static __always_inline void __ex_untrack(const void *ref, u32 count)
{
}
#endif

/* module/export.c compiles these bodies once more, as the exported functions. */
#ifdef EX_RUNDOWN_EXPORT
#define __ex_rundown_static
#define __ex_rundown_inline
#define __EX_RUNDOWN_CALLER	_RET_IP_
#else
#define __ex_rundown_static	static
#define __ex_rundown_inline	__always_inline
#define __EX_RUNDOWN_CALLER	_THIS_IP_
#endif

/**
 * ex_initialize_rundown_protection() - make a basic ref live
 * @ref: the ref; nobody may be using it
 *
 * Zero-filled memory needs no initialization. The memory must be aligned to sizeof(long).
 * Followed directly by ex_rundown_completed() or by a wait, it makes a ref that starts run down.
 *
 * Stands for ExInitializeRundownProtection.
 *
 * Context: Any, NMI included. Does not sleep.
 */
__ex_rundown_static __ex_rundown_inline void
ex_initialize_rundown_protection(struct ex_rundown_ref *ref)
{
#if defined(EX_RUNDOWN_TRACK) || defined(CONFIG_DEBUG_LOCK_ALLOC)
	__ex_rundown_forget(ref);
#endif
	atomic_long_set(&ref->outstanding, 0);
	atomic_long_set(&ref->count, 0);
}

/**
 * ex_acquire_rundown_protection() - try to acquire protection
 * @ref: the ref of the object to be used
 *
 * May be called by one who holds protection already; every grant wants its own release.
 *
 * Stands for ExAcquireRundownProtection.
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 * Return: true if granted: the object is safe to use until the release. false if the object is
 * running down or run down, and must not be touched.
 */
__ex_rundown_static __ex_rundown_inline __must_check bool
ex_acquire_rundown_protection(struct ex_rundown_ref *ref)
{
	/*
	 * Fully ordered, so a grant that reads what a reinitialize released also sees what was
	 * written before it. A refusal undoes nothing: what it added to a dead count is garbage.
	 */
	if (likely(!atomic_long_add_negative(1, &ref->count)))
		return __ex_tracked(ref, 1, true);
	return __ex_acquire_rundown_protection(ref, __EX_RUNDOWN_CALLER);
}

/**
 * ex_acquire_rundown_protection_ex() - try to acquire protection several times over
 * @ref:   the ref of the object to be used
 * @count: how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * All or none are granted. They may be released one by one, or in any other portions.
 *
 * Stands for ExAcquireRundownProtectionEx.
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 * Return: true if granted. false if the object is running down or run down; also, with a warning
 * that names the caller and nothing changed, if @count is out of range or would make it more than
 * EX_RUNDOWN_MAX_HELD.
 */
__ex_rundown_static __ex_rundown_inline __must_check bool
ex_acquire_rundown_protection_ex(struct ex_rundown_ref *ref, u32 count)
{
	long now = 0;

	if (likely(count - 1 < EX_RUNDOWN_MAX_COUNT)) {
		now = atomic_long_add_return(count, &ref->count);
		if (likely((unsigned long)now <= EX_RUNDOWN_MAX_HELD))
			return __ex_tracked(ref, count, true);
	}
	return __ex_acquire_rundown_protection_ex(ref, count, now, __EX_RUNDOWN_CALLER);
}

/* True if @count was released from a live ref that had as much, so that nobody can be waiting. */
static __always_inline bool __ex_release_live(struct ex_rundown_ref *ref, long count)
{
	long old = atomic_long_read(&ref->count);

	/*
	 * Never subtract what may not be there and correct it afterwards: while the count is too
	 * low, others are blamed, or their wait returns early. Release order: what the holder did
	 * to the object comes before the wait's exchange, which reads this value or a later one.
	 */
	do {
		if (unlikely(old < count))
			return false;
	} while (unlikely(!atomic_long_try_cmpxchg_release(&ref->count, &old, old - count)));
	return true;
}

/**
 * ex_release_rundown_protection() - release protection
 * @ref: the ref it was acquired on
 *
 * Not necessarily by the task, or on the CPU, that acquired it. If it is the last and somebody
 * waits, the wait returns, and @ref may be gone already when this function returns.
 *
 * More than is held: refused with a warning that names the caller; nobody else is affected. Two
 * cases can't be told: in the few instructions in which a wait turns the ref, the number held is
 * nowhere to be seen, and the wait finds the release too many and warns; and one that overlaps both
 * a reinitialize and the next wait may let that wait return early.
 *
 * Stands for ExReleaseRundownProtection.
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 */
__ex_rundown_static __ex_rundown_inline void
ex_release_rundown_protection(struct ex_rundown_ref *ref)
{
	__ex_untrack(ref, 1);
	if (likely(__ex_release_live(ref, 1)))
		return;
	__ex_release_rundown_protection(ref, 1, __EX_RUNDOWN_CALLER);
}

/**
 * ex_release_rundown_protection_ex() - release protection several times over
 * @ref:   the ref it was acquired on
 * @count: how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * As ex_release_rundown_protection(). A @count that is out of range, or more than is held, releases
 * nothing and warns, naming the caller.
 *
 * Stands for ExReleaseRundownProtectionEx.
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 */
__ex_rundown_static __ex_rundown_inline void
ex_release_rundown_protection_ex(struct ex_rundown_ref *ref, u32 count)
{
	__ex_untrack(ref, count);
	if (likely(count - 1 < EX_RUNDOWN_MAX_COUNT && __ex_release_live(ref, count)))
		return;
	__ex_release_rundown_protection(ref, count, __EX_RUNDOWN_CALLER);
}

/*
 * One unlocked read-modify-write of this CPU's slot: an interrupt can't tear it, no other CPU ever
 * writes a live slot, and the run-down's interrupt on this CPU falls before or after it. That
 * interrupt is also the memory barrier of both acquire and release; a compiler barrier is enough
 * here, on every architecture. False if the slot is not live, or so far off that the slow path has
 * to tell.
 *
 * On x86-64 the segment prefix is written out: 6.12's __percpu_arg() of a plain pointer has none.
 */
#if defined(CONFIG_X86_64) && defined(CONFIG_SMP) && !defined(CONFIG_UML)
static __always_inline bool __ex_slot_acquire(struct ex_rundown_ref_cache_aware *ref)
{
	asm goto("addq %[one], %%gs:(%[slot])\n\tjs %l[slow]"
		 : : [one] "i" (EX_RUNDOWN_SLOT_ONE), [slot] "r" (READ_ONCE(ref->slots))
		 : "cc", "memory" : slow);
	return true;
slow:
	return false;
}

static __always_inline bool __ex_slot_release(struct ex_rundown_ref_cache_aware *ref)
{
	asm goto("subq %[one], %%gs:(%[slot])\n\tjs %l[slow]"
		 : : [one] "i" (EX_RUNDOWN_SLOT_ONE), [slot] "r" (READ_ONCE(ref->slots))
		 : "cc", "memory" : slow);
	return true;
slow:
	return false;
}
#else
static __always_inline bool __ex_slot_add(struct ex_rundown_ref_cache_aware *ref, long one)
{
	atomic_long_t __percpu *slots = READ_ONCE(ref->slots);
	long now;

	barrier();
	now = this_cpu_add_return(slots->counter, one);
	barrier();
	return BITS_PER_LONG == 64 ? now >= 0 : !(now & 1);
}

#define __ex_slot_acquire(ref)	__ex_slot_add(ref, EX_RUNDOWN_SLOT_ONE)
#define __ex_slot_release(ref)	__ex_slot_add(ref, -EX_RUNDOWN_SLOT_ONE)
#endif

/* In a tracked build the fast path, too, checks that the ref was initialized. */
static __always_inline bool __ex_slots_missing(const struct ex_rundown_ref_cache_aware *ref)
{
#ifdef EX_RUNDOWN_TRACK
	return unlikely(!READ_ONCE(ref->slots));
#else
	return false;
#endif
}

/*
 * True if an acquire that met a slot that is not live is to be refused, and that is all. The slot
 * may be another CPU's by now: if that is dead, it comes to the same. A slot far from
 * EX_RUNDOWN_DEAD is for the slow path, and so is ex_rundown_slow_slot, which is.
 */
static __always_inline bool __ex_slot_refuses(struct ex_rundown_ref_cache_aware *ref)
{
#if BITS_PER_LONG == 64 && EX_RUNDOWN_PLAIN_SLOTS
	return this_cpu_read(READ_ONCE(ref->slots)->counter) >> EX_RUNDOWN_DEAD_BAND ==
	       EX_RUNDOWN_DEAD >> EX_RUNDOWN_DEAD_BAND;
#else
	return false;
#endif
}

/**
 * ex_acquire_rundown_protection_cache_aware() - try to acquire protection
 * @ref: the ref of the object to be used
 *
 * May be called by one who holds protection already; every grant wants its own release.
 *
 * Stands for ExAcquireRundownProtectionCacheAware.
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 * Return: true if granted: the object is safe to use until the release. false if the object is
 * running down or run down, and must not be touched.
 */
__ex_rundown_static __ex_rundown_inline __must_check bool
ex_acquire_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	if (__ex_slots_missing(ref))
		return __ex_acquire_rundown_protection_cache_aware(ref);
	if (likely(__ex_slot_acquire(ref)))
		return __ex_tracked(ref, 1, true);
	if (likely(__ex_slot_refuses(ref)))
		return false;
	return __ex_tracked(ref, 1, __ex_acquire_rundown_protection_cache_aware(ref));
}

/**
 * ex_release_rundown_protection_cache_aware() - release protection
 * @ref: the ref it was acquired on
 *
 * Not necessarily by the task, or on the CPU, that acquired it. If it is the last and somebody
 * waits, the wait returns, and @ref may be gone already when this function returns.
 *
 * More than is held: once the object is running down, refused with a warning that names the caller;
 * while it is live, only the sum of all slots can show it, and the wait reports that.
 *
 * Stands for ExReleaseRundownProtectionCacheAware.
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 */
__ex_rundown_static __ex_rundown_inline void
ex_release_rundown_protection_cache_aware(struct ex_rundown_ref_cache_aware *ref)
{
	if (!__ex_slots_missing(ref)) {
		__ex_untrack(ref, 1);
		if (likely(__ex_slot_release(ref)))
			return;
	}
	__ex_release_rundown_protection_cache_aware(ref, __EX_RUNDOWN_CALLER);
}

/**
 * ex_acquire_rundown_protection_cache_aware_ex() - try to acquire protection several times over
 * @ref:   the ref of the object to be used
 * @count: how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * All or none are granted. They may be released one by one, or in any other portions.
 *
 * Stands for ExAcquireRundownProtectionCacheAwareEx.
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 * Return: true if granted. false if the object is running down or run down; also, with a warning
 * that names the caller and nothing changed, if @count is out of range.
 */
__ex_rundown_static __ex_rundown_inline __must_check bool
ex_acquire_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref, u32 count)
{
	if (__builtin_constant_p(count) && count == 1)
		return ex_acquire_rundown_protection_cache_aware(ref);
	return __ex_tracked(ref, count,
			    __ex_acquire_rundown_protection_cache_aware_ex(ref, count,
									   __EX_RUNDOWN_CALLER));
}

/**
 * ex_release_rundown_protection_cache_aware_ex() - release protection several times over
 * @ref:   the ref it was acquired on
 * @count: how many, 1 to EX_RUNDOWN_MAX_COUNT
 *
 * As ex_release_rundown_protection_cache_aware(). A @count that is out of range releases nothing
 * and warns, naming the caller.
 *
 * Stands for ExReleaseRundownProtectionCacheAwareEx.
 *
 * Context: Any: task, preemption, BH or IRQs off, softirq, hardirq, NMI. Does not sleep.
 */
__ex_rundown_static __ex_rundown_inline void
ex_release_rundown_protection_cache_aware_ex(struct ex_rundown_ref_cache_aware *ref, u32 count)
{
	if (__builtin_constant_p(count) && count == 1)
		return ex_release_rundown_protection_cache_aware(ref);
	if (!__ex_slots_missing(ref))
		__ex_untrack(ref, count);
	__ex_release_rundown_protection_cache_aware_ex(ref, count, __EX_RUNDOWN_CALLER);
}

#endif /* !EX_RUNDOWN_OUT_OF_LINE */

#ifndef EX_RUNDOWN_NO_GENERIC
#include "ex_rundown_generic.h"
#endif

#endif /* _EX_RUNDOWN_H */
