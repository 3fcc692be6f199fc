// SPDX-License-Identifier: GPL-2.0
/*
 * Holders, waits, completed and reinitialize all at once, for a while.
 *
 * The object is a word. Its owner poisons it whenever it is run down; no holder may see that. A
 * completed with holders, or a reinitialize too early, is misuse by nature here: it is counted and
 * not printed. What nobody may be blamed for is a release, or a sum that came out wrong.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>

#include "fixture.h"

#define RACE_MS		250
#define PAUSE_US	20
#define ALIVE		0x0b1ec7
#define POISON		0xdead

struct race {
	struct subject *subject;
	int object;
	bool end;
	atomic_t grants;
	atomic_t refusals;
	atomic_t poison_seen;
	atomic_t lives;
};

static struct race *race_create(struct kunit *test)
{
	struct race *race = share_zalloc(test, sizeof(*race));

	race->subject = test_subject(test);
	race->object = ALIVE;
	return race;
}

static void look(struct race *race)
{
	if (READ_ONCE(race->object) != ALIVE)
		atomic_inc(&race->poison_seen);
}

static void hold(void *arg)
{
	struct race *race = arg;

	while (!READ_ONCE(race->end)) {
		if (subject_acquire(race->subject)) {
			atomic_inc(&race->grants);
			look(race);
			subject_release(race->subject);
		} else {
			atomic_inc(&race->refusals);
		}
		if (subject_acquire_ex(race->subject, 3)) {
			look(race);
			subject_release_ex(race->subject, 2);
			look(race);
			subject_release(race->subject);
		}
		cond_resched();
	}
}

/* Acquires on one CPU and releases on another. */
static void hold_and_migrate(void *arg)
{
	struct race *race = arg;
	int cpu = cpumask_first(cpu_online_mask);

	while (!READ_ONCE(race->end)) {
		bool granted;

		set_cpus_allowed_ptr(current, cpumask_of(cpu));
		granted = subject_acquire(race->subject);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		if (granted) {
			atomic_inc(&race->grants);
			set_cpus_allowed_ptr(current, cpumask_of(cpu));
			look(race);
			subject_release(race->subject);
		} else {
			atomic_inc(&race->refusals);
		}
		cond_resched();
	}
}

static void own(void *arg)
{
	struct race *race = arg;

	for (;;) {
		subject_wait(race->subject);
		WRITE_ONCE(race->object, POISON);
		udelay(PAUSE_US);
		if (READ_ONCE(race->end))
			return;
		WRITE_ONCE(race->object, ALIVE);
		subject_reinitialize(race->subject);
		atomic_inc(&race->lives);
		udelay(PAUSE_US);
		cond_resched();
	}
}

static void keep_waiting(void *arg)
{
	struct race *race = arg;

	while (!READ_ONCE(race->end)) {
		subject_wait(race->subject);
		usleep_range(50, 100);
	}
}

static void keep_completing(void *arg)
{
	struct race *race = arg;

	while (!READ_ONCE(race->end)) {
		subject_completed(race->subject);
		usleep_range(50, 100);
	}
}

static void keep_reinitializing(void *arg)
{
	struct race *race = arg;

	while (!READ_ONCE(race->end)) {
		subject_reinitialize(race->subject);
		cond_resched();
	}
}

static bool race_has_run(struct race *race, int lives)
{
	return atomic_read(&race->grants) && atomic_read(&race->refusals) &&
	       atomic_read(&race->lives) >= lives;
}

/*
 * Run @fns at once, until there were some grants, some refusals and @lives lives, and then see that
 * the ref still works and nobody was blamed for a release.
 */
static void race_run(struct kunit *test, struct race *race, void (*const fns[])(void *), int n,
		     int lives)
{
	struct thread *threads[8];
	bool stuck = false;
	int i, ms;

	misuse_quiet_begin(test);
	for (i = 0; i < n; i++)
		threads[i] = thread_run(test, fns[i], race, ANY_CPU);
	msleep(RACE_MS);
	/* A machine whose CPUs wait for their turn may take longer. */
	for (ms = 0; !race_has_run(race, lives) && ms < STUCK_MS; ms += 20)
		msleep(20);
	WRITE_ONCE(race->end, true);
	for (i = 0; i < n; i++)
		stuck |= !thread_join(test, threads[i]);
	if (stuck)
		return;
	subject_completed(race->subject);
	misuse_quiet_end(test);

	kunit_info(test, "%d grants, %d refusals, %d lives, %u completed too early",
		   atomic_read(&race->grants), atomic_read(&race->refusals),
		   atomic_read(&race->lives), misuse_count(EX_MISUSE_COMPLETED_HELD));
	misuse_allow(EX_MISUSE_COMPLETED_HELD);
	KUNIT_EXPECT_GT(test, atomic_read(&race->grants), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&race->refusals), 0);
	KUNIT_EXPECT_GE(test, atomic_read(&race->lives), lives);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&race->poison_seen), 0, "a holder saw the poison");
	KUNIT_EXPECT_FALSE(test, subject_acquire(race->subject));
	subject_reinitialize(race->subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(race->subject));
	expect_exactly_held(test, race->subject, 1);
}

static void rundown_races_test_holders_and_owner(struct kunit *test)
{
	static void (*const fns[])(void *) = { own, hold, hold, hold_and_migrate };
	struct race *race = race_create(test);

	race_run(test, race, fns, ARRAY_SIZE(fns), 3);
	/* Only completed may find holders. */
	KUNIT_EXPECT_EQ(test, misuse_count(EX_MISUSE_COMPLETED_HELD), 0);
}

static void rundown_races_test_other_waits_and_completed(struct kunit *test)
{
	static void (*const fns[])(void *) = {
		own, hold, hold_and_migrate, keep_waiting, keep_waiting, keep_completing,
	};
	struct race *race = race_create(test);

	race_run(test, race, fns, ARRAY_SIZE(fns), 3);
}

/* Nobody owns it, so nothing is poisoned: all that must hold is the count. */
static void rundown_races_test_wait_completed_reinitialize(struct kunit *test)
{
	static void (*const fns[])(void *) = {
		hold, hold_and_migrate, keep_waiting, keep_completing, keep_reinitializing,
		keep_reinitializing,
	};
	struct race *race = race_create(test);

	race_run(test, race, fns, ARRAY_SIZE(fns), 0);
	kunit_info(test, "%u reinitialized too early", misuse_count(EX_MISUSE_REINITIALIZE));
	misuse_allow(EX_MISUSE_REINITIALIZE);
}

/* Two threads that do the same at the same time, again and again. */
#define ROUNDS	30

struct twins {
	struct subject *subject;
	atomic_t go;		/* the round */
	atomic_t done;
	bool end;
};

static void reinitialize_on_go(void *arg)
{
	struct twins *twins = arg;
	int round;

	for (round = 1; round <= ROUNDS; round++) {
		while (atomic_read(&twins->go) < round) {
			if (READ_ONCE(twins->end))
				return;
			cond_resched();
			cpu_relax();
		}
		subject_reinitialize(twins->subject);
		atomic_inc(&twins->done);
	}
}

static void rundown_races_test_one_of_two_reinitializes(struct kunit *test)
{
	struct twins *twins = share_zalloc(test, sizeof(*twins));
	unsigned long end;
	int round, live = 0;

	twins->subject = test_subject(test);
	misuse_quiet_begin(test);
	subject_completed(twins->subject);
	thread_run(test, reinitialize_on_go, twins, ANY_CPU);
	thread_run(test, reinitialize_on_go, twins, ANY_CPU);
	for (round = 1; round <= ROUNDS; round++) {
		atomic_inc(&twins->go);
		end = jiffies + msecs_to_jiffies(STUCK_MS);
		while (atomic_read(&twins->done) < 2 * round && time_before(jiffies, end))
			usleep_range(100, 200);
		if (misuse_count(EX_MISUSE_REINITIALIZE) != round)
			break;
		if (subject_acquire(twins->subject)) {
			live++;
			subject_release(twins->subject);
		}
		subject_completed(twins->subject);
	}
	WRITE_ONCE(twins->end, true);
	KUNIT_EXPECT_EQ(test, misuse_count(EX_MISUSE_REINITIALIZE), ROUNDS);
	KUNIT_EXPECT_EQ(test, live, ROUNDS);
	misuse_allow(EX_MISUSE_REINITIALIZE);
}

/* A crowd acquires, the owners wait, the crowd releases: every wait returns, again and again. */
#define CROWD	4
#define OWNERS	3

struct crowd {
	struct subject *subject;
	struct completion release;
	atomic_t holders;
	atomic_t left;
};

static void release_with_the_crowd(void *arg)
{
	struct crowd *crowd = arg;

	if (!subject_acquire(crowd->subject))
		return;
	atomic_inc(&crowd->holders);
	wait_for_completion(&crowd->release);
	atomic_dec(&crowd->holders);
	subject_release(crowd->subject);
}

static void wait_for_the_crowd(void *arg)
{
	struct crowd *crowd = arg;

	subject_wait(crowd->subject);
	atomic_add(atomic_read(&crowd->holders), &crowd->left);
}

static void rundown_races_test_waiters_and_releasers(struct kunit *test)
{
	struct crowd *crowd = share_zalloc(test, sizeof(*crowd));
	struct thread *holders[CROWD], *owners[OWNERS];
	unsigned long end;
	int round, i;

	crowd->subject = test_subject(test);
	for (round = 0; round < 4; round++) {
		init_completion(&crowd->release);
		for (i = 0; i < CROWD; i++)
			holders[i] = thread_run(test, release_with_the_crowd, crowd, ANY_CPU);
		end = jiffies + msecs_to_jiffies(STUCK_MS);
		while (atomic_read(&crowd->holders) < CROWD && time_before(jiffies, end))
			usleep_range(500, 1000);
		for (i = 0; i < OWNERS; i++)
			owners[i] = thread_run(test, wait_for_the_crowd, crowd, ANY_CPU);
		for (i = 0; i < OWNERS; i++)
			waiter_expect_blocked(test, crowd->subject, owners[i]);
		complete_all(&crowd->release);
		for (i = 0; i < CROWD; i++) {
			if (!thread_join(test, holders[i]))
				return;
		}
		for (i = 0; i < OWNERS; i++) {
			if (!thread_join(test, owners[i]))
				return;
		}
		KUNIT_EXPECT_EQ(test, atomic_read(&crowd->left), 0);
		subject_reinitialize(crowd->subject);
	}
}

static struct kunit_case rundown_races_cases[] = {
	KUNIT_CASE_PARAM(rundown_races_test_holders_and_owner, each_main_kind),
	KUNIT_CASE_PARAM(rundown_races_test_other_waits_and_completed, each_main_kind),
	KUNIT_CASE_PARAM(rundown_races_test_wait_completed_reinitialize, each_main_kind),
	KUNIT_CASE_PARAM(rundown_races_test_one_of_two_reinitializes, each_main_kind),
	KUNIT_CASE_PARAM(rundown_races_test_waiters_and_releasers, each_main_kind),
	{}
};

static struct kunit_suite rundown_races_suite = {
	.name = "rundown_races",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_races_cases,
};

kunit_test_suite(rundown_races_suite);
