// SPDX-License-Identifier: GPL-2.0
/*
 * Compiled with EX_RUNDOWN_TRACK: what is known of holders when the numbers of grants wrap, and
 * when there are more grants than records.
 */
#include <linux/bits.h>
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/kmsg_dump.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "fixture.h"

static noinline bool older_holder(struct ex_rundown_ref *ref)
{
	return ex_acquire_rundown_protection(ref);
}

static noinline bool newer_holder(struct ex_rundown_ref *ref)
{
	return ex_acquire_rundown_protection_ex(ref, 2);
}

static noinline bool many_holder(struct ex_rundown_ref_cache_aware *ref, u32 count)
{
	return ex_acquire_rundown_protection_cache_aware_ex(ref, count);
}

static unsigned int times(const char *text, const char *part)
{
	unsigned int n = 0;

	while ((text = strstr(text, part))) {
		n++;
		text++;
	}
	return n;
}

/* The holders that the log lists since the last splat was announced: "O" older, "N" newer. */
static void listed(struct kunit *test, char *holders, size_t size)
{
	char *line = kunit_kzalloc(test, 1024, GFP_KERNEL);
	struct kmsg_dump_iter log;
	size_t length, n = 0;

	KUNIT_ASSERT_NOT_NULL(test, line);
	kmsg_dump_rewind(&log);
	while (kmsg_dump_get_line(&log, false, line, 1023, &length)) {
		line[length] = '\0';
		if (strstr(line, "expect-splat begin"))
			n = 0;
		else if (strstr(line, " is held ") && n < size - 1)
			holders[n++] = strstr(line, "older_holder") ? 'O' : 'N';
	}
	holders[n] = '\0';
}

/* With two grants each, more than there are from the load of the module to the wrap. */
#define ROUNDS_TO_WRAP	60

/*
 * Two are held all the time, and pairs of another ref come and go: of each pair, the newer is
 * released first. With an even number before them, the wrap is between the two of a pair. Kbuild
 * has this suite before the other that tracks, which begins after the wrap.
 */
static void rundown_tracking_room_test_numbers_wrap(struct kunit *test)
{
	struct ex_rundown_ref *refs = share_zalloc(test, 2 * sizeof(*refs));
	unsigned int newer_left = 0, round;
	char holders[8];

	KUNIT_ASSERT_TRUE(test, older_holder(&refs[0]));
	KUNIT_ASSERT_TRUE(test, older_holder(&refs[0]));
	for (round = 0; round < ROUNDS_TO_WRAP; round++) {
		char *tracked;

		KUNIT_ASSERT_TRUE(test, older_holder(&refs[1]));
		KUNIT_ASSERT_TRUE(test, newer_holder(&refs[1]));
		ex_release_rundown_protection_ex(&refs[1], 2);
		tracked = debugfs_read(test, "tracked");
		newer_left += times(tracked, " newer_holder+") > 0;
		kunit_kfree(test, tracked);
		ex_release_rundown_protection(&refs[1]);
	}
	KUNIT_EXPECT_EQ(test, newer_left, 0);
	KUNIT_ASSERT_TRUE(test, newer_holder(&refs[0]));
	EXPECT_MISUSE(test, EX_MISUSE_COMPLETED_HELD, ex_rundown_completed(&refs[0]));
	listed(test, holders, sizeof(holders));
	KUNIT_EXPECT_STREQ(test, holders, "OON");
	ex_release_rundown_protection_ex(&refs[0], 4);
}

/* As many as there are records, and as many refs as have counts when there is no record left. */
#define SMALL_RECORDS	64
#define RECORDS		(SMALL_RECORDS + 4096)
#define COUNTS		1024

struct room {
	struct ex_rundown_ref fillers[RECORDS];
	struct ex_rundown_ref refs[COUNTS];
	struct ex_rundown_ref beyond;
};

/* The large table is made by a work item, after the first grant. */
static void wait_for_large_table(struct kunit *test)
{
	struct ex_rundown_ref *ref = share_zalloc(test, sizeof(*ref));
	unsigned long end = jiffies + msecs_to_jiffies(STUCK_MS);
	unsigned int records, i;

	do {
		char *tracked;

		for (i = 0; i < SMALL_RECORDS + 1; i++)
			KUNIT_ASSERT_TRUE(test, older_holder(ref));
		tracked = debugfs_read(test, "tracked");
		records = times(tracked, " older_holder+");
		kunit_kfree(test, tracked);
		ex_release_rundown_protection_ex(ref, SMALL_RECORDS + 1);
		if (records > SMALL_RECORDS)
			return;
		msleep(20);
	} while (time_before(jiffies, end));
	KUNIT_FAIL(test, "there is no large table");
}

/* From here on no record is free. */
static struct room *room_fill(struct kunit *test)
{
	struct room *room = share_zalloc(test, sizeof(*room));
	unsigned int i;

	wait_for_large_table(test);
	for (i = 0; i < RECORDS; i++) {
		KUNIT_ASSERT_TRUE(test, older_holder(&room->fillers[i]));
		cond_resched();
	}
	return room;
}

static void room_empty(struct room *room)
{
	unsigned int i;

	for (i = 0; i < RECORDS; i++) {
		ex_release_rundown_protection(&room->fillers[i]);
		cond_resched();
	}
}

/* Exactly as many releases are right as there were grants, of each ref. */
static void rundown_tracking_room_test_counts_by_ref(struct kunit *test)
{
	struct room *room = room_fill(test);
	struct ex_rundown_ref *one = &room->refs[0], *other = &room->refs[1];

	KUNIT_ASSERT_TRUE(test, newer_holder(one));
	KUNIT_ASSERT_TRUE(test, newer_holder(one));
	KUNIT_ASSERT_TRUE(test, newer_holder(other));
	ex_release_rundown_protection_ex(one, 3);
	ex_release_rundown_protection(one);
	KUNIT_ASSERT_TRUE(test, basic_ops.acquire(one));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, ex_release_rundown_protection(one));
	ex_release_rundown_protection_ex(other, 2);
	room_empty(room);
}

/* More than one count can be: on 64 bits so many can be held on a cache-aware ref. */
static void rundown_tracking_room_test_counts_do_not_overflow(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);
	struct ex_rundown_ref_cache_aware *ref = subject->ref;
	struct room *room;
	int i;

	if (3ull * EX_RUNDOWN_MAX_COUNT <= U32_MAX)
		kunit_skip(test, "EX_RUNDOWN_MAX_COUNT is too small");
	room = room_fill(test);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_TRUE(test, many_holder(ref, EX_RUNDOWN_MAX_COUNT));
	for (i = 0; i < 3; i++)
		ex_release_rundown_protection_cache_aware_ex(ref, EX_RUNDOWN_MAX_COUNT);
	room_empty(room);
}

/* Released by code that does not track; with the end of the run-down nothing is held. */
static void rundown_tracking_room_test_forgets_counts(struct kunit *test)
{
	struct subject *subject = subject_create(test, &allocated_ops);
	struct room *room = room_fill(test);
	struct ex_rundown_ref *basic = &room->refs[0];

	KUNIT_ASSERT_TRUE(test, newer_holder(basic));
	basic_ops.release_ex(basic, 2);
	KUNIT_ASSERT_TRUE(test, many_holder(subject->ref, 1));
	subject_release(subject);
	room_empty(room);
	basic_ops.wait(basic);
	basic_ops.reinitialize(basic);
	KUNIT_ASSERT_TRUE(test, basic_ops.acquire(basic));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, ex_release_rundown_protection(basic));
	subject_completed(subject);
	subject_reinitialize(subject);
	KUNIT_ASSERT_TRUE(test, subject_acquire(subject));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED,
		      ex_release_rundown_protection_cache_aware(subject->ref));
}

/* Of one hash in any table that has no more places than the smallest. */
static struct ex_rundown_ref *neighbour(struct room *room, struct ex_rundown_ref *ref)
{
	unsigned int i;

	for (i = 0; i < COUNTS; i++)
		if (&room->refs[i] != ref &&
		    hash_ptr(&room->refs[i], 6) == hash_ptr(ref, 6))
			return &room->refs[i];
	return NULL;
}

/* One's run-down, and releases of its, leave another's count alone. */
static void rundown_tracking_room_test_forgets_no_other(struct kunit *test)
{
	struct room *room = room_fill(test);
	struct ex_rundown_ref *one = &room->refs[0], *other = neighbour(room, one);

	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_TRUE(test, newer_holder(other));
	KUNIT_ASSERT_TRUE(test, newer_holder(one));
	basic_ops.release_ex(one, 2);
	ex_rundown_completed(one);
	ex_reinitialize_rundown_protection(one);
	KUNIT_ASSERT_TRUE(test, basic_ops.acquire(one));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, ex_release_rundown_protection(one));
	ex_release_rundown_protection_ex(other, 2);
	room_empty(room);
}

#define HAMMER_MS	200

struct hammer {
	struct ex_rundown_ref *ref;
	bool end;
};

static void hammer(void *arg)
{
	struct hammer *run = arg;

	while (!READ_ONCE(run->end)) {
		if (newer_holder(run->ref)) {
			if (older_holder(run->ref))
				ex_release_rundown_protection_ex(run->ref, 2);
			ex_release_rundown_protection(run->ref);
		}
		cond_resched();
	}
}

/* All of them at one ref's counts, and none is blamed. */
static void rundown_tracking_room_test_counts_at_once(struct kunit *test)
{
	struct hammer *run = share_zalloc(test, sizeof(*run));
	struct room *room = room_fill(test);
	struct thread *threads[4];
	unsigned int i;

	run->ref = &room->refs[0];
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = thread_run(test, hammer, run, ANY_CPU);
	msleep(HAMMER_MS);
	WRITE_ONCE(run->end, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		thread_join(test, threads[i]);
	/* All have been released, and nothing is left of them. */
	KUNIT_ASSERT_TRUE(test, basic_ops.acquire(run->ref));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED, ex_release_rundown_protection(run->ref));
	room_empty(room);
}

/*
 * As many refs as can be counted, and one more, of which nothing is known: whatever is released of
 * that one is not reported. That the others are, depends on their hashes, so not many may follow.
 */
static void rundown_tracking_room_test_no_room_at_all(struct kunit *test)
{
	struct room *room = room_fill(test);
	unsigned int i;

	for (i = 0; i < COUNTS; i++) {
		KUNIT_ASSERT_TRUE(test, older_holder(&room->refs[i]));
		cond_resched();
	}
	KUNIT_ASSERT_TRUE(test, older_holder(&room->beyond));
	/* Neither by a release that is wrong, nor by the others' end. */
	KUNIT_ASSERT_TRUE(test, basic_ops.acquire(&room->beyond));
	ex_release_rundown_protection(&room->beyond);
	for (i = 0; i < COUNTS; i++) {
		ex_release_rundown_protection(&room->refs[i]);
		cond_resched();
	}
	room_empty(room);
	ex_release_rundown_protection(&room->beyond);
	if (hash_ptr(&room->beyond, 15) == hash_ptr(&room->refs[0], 15))
		return;
	KUNIT_ASSERT_TRUE(test, basic_ops.acquire(&room->refs[0]));
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_UNTRACKED,
		      ex_release_rundown_protection(&room->refs[0]));
}

static struct kunit_case rundown_tracking_room_cases[] = {
	KUNIT_CASE(rundown_tracking_room_test_numbers_wrap),
	KUNIT_CASE(rundown_tracking_room_test_counts_by_ref),
	KUNIT_CASE(rundown_tracking_room_test_counts_do_not_overflow),
	KUNIT_CASE(rundown_tracking_room_test_forgets_counts),
	KUNIT_CASE(rundown_tracking_room_test_forgets_no_other),
	KUNIT_CASE(rundown_tracking_room_test_counts_at_once),
	KUNIT_CASE(rundown_tracking_room_test_no_room_at_all),
	{}
};

static struct kunit_suite rundown_tracking_room_suite = {
	.name = "rundown_tracking_room",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_tracking_room_cases,
};

kunit_test_suite(rundown_tracking_room_suite);
