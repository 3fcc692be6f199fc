// SPDX-License-Identifier: GPL-2.0
/* Which scopes a ref has been in is remembered in a table: what happens when that is full. */
#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/kmsg_dump.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "ex_rundown_scope.h"
#include "fixture.h"

#if defined(CONFIG_DEBUG_LOCK_ALLOC) && defined(CONFIG_TRACEPOINTS)

/* Far more than there is room for. */
#define REFS		4096
/* So many places of one ref. */
#define PLACES		16

static struct tracepoint *lock_acquire_tracepoint;
static struct task_struct *waiter;
static unsigned int writes;

/* A wait acquires each place that is remembered, as a writer. */
static void see_lock(void *data, struct lockdep_map *lock, unsigned int subclass, int trylock,
		     int read, int check, struct lockdep_map *nest_lock, unsigned long ip)
{
	if (current == waiter && !read && lock->name && strstarts(lock->name, "ex_rundown("))
		writes++;
}

static void find_tracepoint(struct tracepoint *tracepoint, void *data)
{
	if (!strcmp(tracepoint->name, "lock_acquire"))
		lock_acquire_tracepoint = tracepoint;
}

/* Skips the test before it has entered any scope. */
static struct ex_rundown_ref *refs_create(struct kunit *test)
{
	if (!debug_locks)
		kunit_skip(test, "lockdep is off");
	for_each_kernel_tracepoint(find_tracepoint, NULL);
	KUNIT_ASSERT_NOT_NULL(test, lock_acquire_tracepoint);
	waiter = current;
	/* Zero-filled, they are live. */
	return share_zalloc(test, REFS * sizeof(struct ex_rundown_ref));
}

/* Run these down. Returns how many places were remembered; now there are none. */
static unsigned int wait_and_count(struct ex_rundown_ref *refs, unsigned int n)
{
	unsigned int i;

	writes = 0;
	tracepoint_probe_register(lock_acquire_tracepoint, see_lock, NULL);
	for (i = 0; i < n; i++)
		ex_wait_for_rundown_protection_release(&refs[i]);
	tracepoint_probe_unregister(lock_acquire_tracepoint, see_lock, NULL);
	tracepoint_synchronize_unregister();
	for (i = 0; i < n; i++)
		ex_reinitialize_rundown_protection(&refs[i]);
	return writes;
}

#define ENTER_SCOPE(ref)	ex_with_rundown_protection(ref, return) barrier()

/* All in the same place. */
static void enter_scopes(struct ex_rundown_ref *refs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		ENTER_SCOPE(&refs[i]);
}

/* How often the log has it since @begin. */
static unsigned int lines_since(struct kunit *test, const char *begin, const char *text)
{
	char *line = kunit_kzalloc(test, 1024, GFP_KERNEL);
	struct kmsg_dump_iter log;
	unsigned int lines = 0;
	size_t length;

	KUNIT_ASSERT_NOT_NULL(test, line);
	kmsg_dump_rewind(&log);
	while (kmsg_dump_get_line(&log, false, line, 1023, &length)) {
		line[length] = '\0';
		if (strstr(line, begin))
			lines = 0;
		else if (strstr(line, text))
			lines++;
	}
	kunit_kfree(test, line);
	return lines;
}

/* The first of the suite: the others make it full, too. */
static void rundown_scopes_room_test_full_is_said_once(struct kunit *test)
{
	static const char begin[] = "rundown_scopes_room: begin";
	struct ex_rundown_ref *refs = refs_create(test);
	static bool again;
	unsigned int known, i;

	/* When a module goes, it is ready to say so again. */
	if (again)
		kunit_skip(test, "has run since this module was loaded");
	again = true;
	pr_info("%s\n", begin);
	enter_scopes(refs, REFS);
	/* An irq_work prints it, on some architectures at the next tick. */
	for (i = 0; i < STUCK_MS / 20 && !lines_since(test, begin, "no room to remember"); i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, 1, lines_since(test, begin, "no room to remember"));
	known = wait_and_count(refs, REFS);
	KUNIT_EXPECT_GT(test, known, 0);
	KUNIT_EXPECT_LT(test, known, REFS);
}

static void rundown_scopes_room_test_forgotten_makes_room(struct kunit *test)
{
	struct ex_rundown_ref *refs = refs_create(test);
	int i;

	enter_scopes(refs, REFS);
	KUNIT_EXPECT_LT(test, wait_and_count(refs, REFS), REFS);
	for (i = 0; i < 10; i++) {
		enter_scopes(&refs[i], 1);
		KUNIT_EXPECT_EQ(test, wait_and_count(&refs[i], 1), 1);
	}
}

static void enter_4_scopes(struct ex_rundown_ref *ref)
{
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
}

static void enter_20_scopes(struct ex_rundown_ref *ref)
{
	enter_4_scopes(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
	ENTER_SCOPE(ref);
}

static void rundown_scopes_room_test_places_of_one_ref(struct kunit *test)
{
	struct ex_rundown_ref *refs = refs_create(test);

	enter_4_scopes(refs);
	enter_4_scopes(refs);
	KUNIT_EXPECT_EQ(test, wait_and_count(refs, 1), 4);
	enter_20_scopes(refs);
	KUNIT_EXPECT_EQ(test, wait_and_count(refs, 1), PLACES);
}

#else

static void rundown_scopes_room_test_needs_lockdep(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_DEBUG_LOCK_ALLOC, or no CONFIG_TRACEPOINTS");
}

#endif

static struct kunit_case rundown_scopes_room_cases[] = {
#if defined(CONFIG_DEBUG_LOCK_ALLOC) && defined(CONFIG_TRACEPOINTS)
	KUNIT_CASE(rundown_scopes_room_test_full_is_said_once),
	KUNIT_CASE(rundown_scopes_room_test_forgotten_makes_room),
	KUNIT_CASE(rundown_scopes_room_test_places_of_one_ref),
#else
	KUNIT_CASE(rundown_scopes_room_test_needs_lockdep),
#endif
	{}
};

static struct kunit_suite rundown_scopes_room_suite = {
	.name = "rundown_scopes_room",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = rundown_scopes_room_cases,
};

kunit_test_suite(rundown_scopes_room_suite);
