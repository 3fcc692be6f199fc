// SPDX-License-Identifier: GPL-2.0
/* How a number is written into a slot, for 64 and for 32 bits, on any machine. */
#include "fixture.h"

#define HALF_ZONE	((s64)BIT_ULL(61))

static void rundown_slots_test_count_dead_zone_bounds(struct kunit *test)
{
	const long low = EX_RUNDOWN_DEAD / 2 * 3, high = EX_RUNDOWN_DEAD / 2;

	KUNIT_EXPECT_TRUE(test, ex_count_dead(EX_RUNDOWN_DEAD));
	KUNIT_EXPECT_FALSE(test, ex_count_dead(low));
	KUNIT_EXPECT_TRUE(test, ex_count_dead(low + 1));
	KUNIT_EXPECT_TRUE(test, ex_count_dead(high - 1));
	KUNIT_EXPECT_FALSE(test, ex_count_dead(high));
	KUNIT_EXPECT_FALSE(test, ex_count_dead(-1));
	KUNIT_EXPECT_FALSE(test, ex_count_dead(0));
	KUNIT_EXPECT_FALSE(test, ex_count_dead(LONG_MAX));
	KUNIT_EXPECT_FALSE(test, ex_count_dead(LONG_MIN));
}

static void rundown_slots_test_active_is_dead(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, ex_count_dead(EX_RUNDOWN_ACTIVE));
	KUNIT_EXPECT_TRUE(test, ex_slot_dead(EX_SLOT_DEAD));
	KUNIT_EXPECT_FALSE(test, ex_slot_dead(EX_RUNDOWN_SLOT_LIVE));
	/* What the in-line functions of this machine look at. */
	if (BITS_PER_LONG == 64)
		KUNIT_EXPECT_LT(test, (long)EX_SLOT_DEAD, 0L);
	else
		KUNIT_EXPECT_EQ(test, (long)EX_SLOT_DEAD & 1, 1L);
}

static void rundown_slots_test_64_dead_zone_bounds(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead(-3 * HALF_ZONE));
	KUNIT_EXPECT_TRUE(test, ex_slot64_dead(-3 * HALF_ZONE + 1));
	KUNIT_EXPECT_TRUE(test, ex_slot64_dead(EX_SLOT64_DEAD));
	KUNIT_EXPECT_TRUE(test, ex_slot64_dead(-HALF_ZONE - 1));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead(-HALF_ZONE));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead(-1));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead(0));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead(EX_SLOT64_LIVE));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead(S64_MAX));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead(S64_MIN));
}

static void rundown_slots_test_64_wrapped_is_negative_and_live(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, ex_slot64_wrapped(S64_MIN));
	KUNIT_EXPECT_TRUE(test, ex_slot64_wrapped(-3 * HALF_ZONE));
	KUNIT_EXPECT_FALSE(test, ex_slot64_wrapped(-3 * HALF_ZONE + 1));
	KUNIT_EXPECT_FALSE(test, ex_slot64_wrapped(EX_SLOT64_DEAD));
	KUNIT_EXPECT_FALSE(test, ex_slot64_wrapped(-HALF_ZONE - 1));
	KUNIT_EXPECT_TRUE(test, ex_slot64_wrapped(-HALF_ZONE));
	KUNIT_EXPECT_TRUE(test, ex_slot64_wrapped(-1));
	KUNIT_EXPECT_FALSE(test, ex_slot64_wrapped(0));
	KUNIT_EXPECT_FALSE(test, ex_slot64_wrapped(EX_SLOT64_LIVE));
}

/* One step of the largest count after the bound, and before, must stay in the same zone. */
static void rundown_slots_test_64_drift_bound_leaves_room(struct kunit *test)
{
	const s64 drift = EX_SLOT64_MAX_DRIFT, dead_drift = EX_SLOT64_MAX_DEAD_DRIFT;
	const s64 step = EX_RUNDOWN_MAX_COUNT;

	KUNIT_EXPECT_FALSE(test, ex_slot64_drifted(EX_SLOT64_LIVE));
	KUNIT_EXPECT_FALSE(test, ex_slot64_drifted(EX_SLOT64_LIVE + drift));
	KUNIT_EXPECT_TRUE(test, ex_slot64_drifted(EX_SLOT64_LIVE + drift + 1));
	KUNIT_EXPECT_FALSE(test, ex_slot64_drifted(EX_SLOT64_LIVE - drift));
	KUNIT_EXPECT_TRUE(test, ex_slot64_drifted(EX_SLOT64_LIVE - drift - 1));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead(EX_SLOT64_LIVE + drift + step));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead(EX_SLOT64_LIVE - drift - step));

	KUNIT_EXPECT_FALSE(test, ex_slot64_dead_drifted(EX_SLOT64_DEAD));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead_drifted(EX_SLOT64_DEAD + dead_drift));
	KUNIT_EXPECT_TRUE(test, ex_slot64_dead_drifted(EX_SLOT64_DEAD + dead_drift + 1));
	KUNIT_EXPECT_FALSE(test, ex_slot64_dead_drifted(EX_SLOT64_DEAD - dead_drift));
	KUNIT_EXPECT_TRUE(test, ex_slot64_dead_drifted(EX_SLOT64_DEAD - dead_drift - 1));
	KUNIT_EXPECT_TRUE(test, ex_slot64_dead(EX_SLOT64_DEAD + dead_drift + step));
	KUNIT_EXPECT_TRUE(test, ex_slot64_dead(EX_SLOT64_DEAD - dead_drift - step));
}

static void rundown_slots_test_64_twice_held(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ex_slot64_twice_held(EX_SLOT64_LIVE), 0);
	KUNIT_EXPECT_EQ(test, ex_slot64_twice_held(EX_SLOT64_LIVE + 3), 6);
	KUNIT_EXPECT_EQ(test, ex_slot64_twice_held(EX_SLOT64_LIVE - 3), -6);
	KUNIT_EXPECT_EQ(test, ex_slot64_twice_held(0), S64_MIN);
	/* More than 2^62 off in either direction: modulo 2^64. */
	KUNIT_EXPECT_EQ(test, ex_slot64_twice_held(-1), S64_MAX - 1);
	KUNIT_EXPECT_EQ(test, ex_slot64_twice_held(S64_MIN), S64_MIN);
	KUNIT_EXPECT_EQ(test, ex_slot64_twice_held(S64_MIN + 1), S64_MIN + 2);
}

/* The fast path must not refuse on behalf of it, however far a CPU's own drifts. */
static void rundown_slots_test_64_slow_slot_is_far_from_the_others(struct kunit *test)
{
	const s64 drift[] = { 0, 1LL << 60, -(1LL << 60) };
	int i;

	for (i = 0; i < ARRAY_SIZE(drift); i++) {
		s64 slot = EX_SLOT64_SLOW + drift[i];

		KUNIT_EXPECT_LT(test, slot, 0LL);
		KUNIT_EXPECT_NE(test, slot >> EX_RUNDOWN_DEAD_BAND,
				EX_SLOT64_DEAD >> EX_RUNDOWN_DEAD_BAND);
	}
}

static void rundown_slots_test_64_sum_of_drifted_slots(struct kunit *test)
{
	/* Acquired here, released there, and two more than that are held. */
	static const s64 drift[] = {
		HALF_ZONE * 3 - 5, -HALF_ZONE, -HALF_ZONE * 2 + 5, 17, -15,
	};
	u64 sum = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(drift); i++) {
		s64 slot = (s64)((u64)EX_SLOT64_LIVE + (u64)drift[i]);

		KUNIT_EXPECT_FALSE(test, ex_slot64_dead(slot));
		sum += (u64)ex_slot64_twice_held(slot);
	}
	KUNIT_EXPECT_EQ(test, (s64)sum, 4);
}

static void rundown_slots_test_32_dead_is_bit_0(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, ex_slot32_dead(EX_SLOT32_LIVE));
	KUNIT_EXPECT_TRUE(test, ex_slot32_dead(EX_SLOT32_DEAD));
	/* Counting in twos never changes it. */
	KUNIT_EXPECT_FALSE(test, ex_slot32_dead(S32_MIN));
	KUNIT_EXPECT_FALSE(test, ex_slot32_dead(S32_MAX - 1));
	KUNIT_EXPECT_FALSE(test, ex_slot32_dead(-2));
	KUNIT_EXPECT_TRUE(test, ex_slot32_dead(S32_MIN + 1));
	KUNIT_EXPECT_TRUE(test, ex_slot32_dead(S32_MAX));
	KUNIT_EXPECT_TRUE(test, ex_slot32_dead(-1));
}

static void rundown_slots_test_32_sum_of_drifted_slots(struct kunit *test)
{
	/* In units of one: halved before the sum, the first two would be 2^31 wrong. */
	static const s64 drift[] = { 1LL << 30, (1LL << 30) + 5, -(1LL << 31) - 2, -1 };
	u32 sum = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(drift); i++) {
		s32 slot = (s32)(u32)(EX_SLOT32_LIVE + drift[i] * 2);

		KUNIT_EXPECT_FALSE(test, ex_slot32_dead(slot));
		sum += (u32)ex_slot32_twice_held(slot);
	}
	KUNIT_EXPECT_EQ(test, (s32)sum, 4);
}

static struct kunit_case rundown_slots_cases[] = {
	KUNIT_CASE(rundown_slots_test_count_dead_zone_bounds),
	KUNIT_CASE(rundown_slots_test_active_is_dead),
	KUNIT_CASE(rundown_slots_test_64_dead_zone_bounds),
	KUNIT_CASE(rundown_slots_test_64_wrapped_is_negative_and_live),
	KUNIT_CASE(rundown_slots_test_64_drift_bound_leaves_room),
	KUNIT_CASE(rundown_slots_test_64_twice_held),
	KUNIT_CASE(rundown_slots_test_64_slow_slot_is_far_from_the_others),
	KUNIT_CASE(rundown_slots_test_64_sum_of_drifted_slots),
	KUNIT_CASE(rundown_slots_test_32_dead_is_bit_0),
	KUNIT_CASE(rundown_slots_test_32_sum_of_drifted_slots),
	{}
};

static struct kunit_suite rundown_slots_suite = {
	.name = "rundown_slots",
	.test_cases = rundown_slots_cases,
};

kunit_test_suite(rundown_slots_suite);
