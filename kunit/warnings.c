// SPDX-License-Identifier: GPL-2.0
/* The warnings: whom they blame, and how many there are. */
#include <linux/kallsyms.h>
#include <linux/kmsg_dump.h>
#include <linux/module.h>
#include <linux/string.h>

#include "fixture.h"

/* The last report blames @fn, as a warning prints it. */
static void expect_blamed(struct kunit *test, void *fn)
{
	char blamed[128], name[128];
	void *caller = (void *)misuse_caller();

	KUNIT_EXPECT_TRUE(test, within_module((unsigned long)caller, THIS_MODULE));
	snprintf(name, sizeof(name), "%ps", fn);
	/* "name [module]"; what the compiler has put aside of it is "name.cold [module]". */
	*strchrnul(name, ' ') = '\0';
	snprintf(blamed, sizeof(blamed), "%ps", caller);
	KUNIT_EXPECT_TRUE_MSG(test, str_has_prefix(blamed, name), "%s is blamed, not %s", blamed,
			      name);
}

static int rundown_warnings_init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_KPROBES) || !IS_ENABLED(CONFIG_KALLSYMS))
		kunit_skip(test, "no CONFIG_KPROBES or no CONFIG_KALLSYMS");
	return fixture_init(test);
}

static noinline void in_line_basic_culprit(struct ex_rundown_ref *ref)
{
	ex_release_rundown_protection(ref);
}

static noinline void in_line_cache_aware_culprit(struct ex_rundown_ref_cache_aware *ref)
{
	ex_release_rundown_protection_cache_aware(ref);
}

static noinline void acquiring_culprit(struct ex_rundown_ref_cache_aware *ref, u32 count)
{
	if (ex_acquire_rundown_protection_cache_aware_ex(ref, count))
		pr_err("a count of %u was granted\n", count);
}

/* The barriers: no tail call, or the address that is returned to is not in here. */
static noinline void completing_culprit(struct ex_rundown_ref *ref)
{
	ex_rundown_completed(ref);
	barrier();
}

static noinline void reinitializing_culprit(struct ex_rundown_ref_cache_aware *ref)
{
	ex_reinitialize_rundown_protection_cache_aware(ref);
	barrier();
}

static noinline void waiting_culprit(struct ex_rundown_ref_cache_aware *ref)
{
	ex_wait_for_rundown_protection_release_cache_aware(ref);
	barrier();
}

static noinline void freeing_culprit(struct ex_rundown_ref_cache_aware *ref)
{
	ex_free_cache_aware_rundown_protection(ref);
	barrier();
}

static void rundown_warnings_test_basic_release_names_caller(struct kunit *test)
{
	struct ex_rundown_ref ref = EX_RUNDOWN_REF_INIT;

	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, in_line_basic_culprit(&ref));
	expect_blamed(test, in_line_basic_culprit);
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, exported_basic_culprit(&ref));
	expect_blamed(test, exported_basic_culprit);
}

static void rundown_warnings_test_cache_aware_release_names_caller(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	subject_completed(subject);
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, in_line_cache_aware_culprit(subject->ref));
	expect_blamed(test, in_line_cache_aware_culprit);
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, exported_cache_aware_culprit(subject->ref));
	expect_blamed(test, exported_cache_aware_culprit);
}

static void rundown_warnings_test_acquire_names_caller(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	EXPECT_MISUSE(test, EX_MISUSE_ACQUIRE_COUNT, acquiring_culprit(subject->ref, 0));
	expect_blamed(test, acquiring_culprit);
}

static void rundown_warnings_test_completed_names_caller(struct kunit *test)
{
	struct ex_rundown_ref ref = EX_RUNDOWN_REF_INIT;

	KUNIT_ASSERT_TRUE(test, ex_acquire_rundown_protection(&ref));
	EXPECT_MISUSE(test, EX_MISUSE_COMPLETED_HELD, completing_culprit(&ref));
	expect_blamed(test, completing_culprit);
	ex_release_rundown_protection(&ref);
}

static void rundown_warnings_test_reinitialize_names_caller(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	EXPECT_MISUSE(test, EX_MISUSE_REINITIALIZE, reinitializing_culprit(subject->ref));
	expect_blamed(test, reinitializing_culprit);
}

static void rundown_warnings_test_wait_names_caller(struct kunit *test)
{
	struct subject *subject = test_subject(test);

	subject_release(subject);
	EXPECT_MISUSE(test, EX_MISUSE_WAIT_SUM_NEGATIVE, waiting_culprit(subject->ref));
	expect_blamed(test, waiting_culprit);
}

static void rundown_warnings_test_free_names_caller(struct kunit *test)
{
	struct subject *subject = subject_create(test, &no_ipi_ops);

	EXPECT_MISUSE(test, EX_MISUSE_FREE_FOREIGN, freeing_culprit(subject->ref));
	expect_blamed(test, freeing_culprit);
}

/* What comes before the caller in a line that a warning prints. */
#define PREFIX	"rundown: "

static void rundown_warnings_test_printed_line_names_caller(struct kunit *test)
{
	struct ex_rundown_ref ref = EX_RUNDOWN_REF_INIT;
	char name[128] = "", printed[128] = "", *caller;
	char *line = kunit_kzalloc(test, 1024, GFP_KERNEL);
	struct kmsg_dump_iter log;
	size_t length;

	KUNIT_ASSERT_NOT_NULL(test, line);
	EXPECT_MISUSE(test, EX_MISUSE_RELEASE_TOO_MANY, in_line_basic_culprit(&ref));
	kmsg_dump_rewind(&log);
	while (kmsg_dump_get_line(&log, false, line, 1023, &length)) {
		line[length] = '\0';
		caller = strstr(line, PREFIX);
		if (caller)
			strscpy(printed, caller + strlen(PREFIX), sizeof(printed));
	}
	snprintf(name, sizeof(name), "%ps", in_line_basic_culprit);
	*strchrnul(name, ' ') = '\0';
	KUNIT_EXPECT_TRUE_MSG(test, str_has_prefix(printed, name), "%s is blamed, not %s", printed,
			      name);
}

#define STORM	1000

static void rundown_warnings_test_storm_is_not_all_printed(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct call_probe warn = { .kp.symbol_name = "__warn" };
	unsigned long begin;
	int printed, most, i;

	KUNIT_ASSERT_TRUE(test, subject_acquire_ex(subject, 2));
	misuse_begin(test, EX_MISUSE_RELEASE_COUNT, STORM);
	call_probe_begin(test, &warn);
	begin = jiffies;
	for (i = 0; i < STORM; i++)
		subject_release_ex(subject, 0);
	most = DEFAULT_RATELIMIT_BURST * (2 + (jiffies - begin) / DEFAULT_RATELIMIT_INTERVAL);
	printed = call_probe_end(&warn);
	misuse_end();
	/* The burst, and once more for each interval that ended within the storm. */
	KUNIT_EXPECT_GE(test, printed, 1);
	KUNIT_EXPECT_LE(test, printed, most);
	/* All of it was refused. */
	subject_release(subject);
	expect_exactly_held(test, subject, 1);
}

/* Not once a boot: after the interval. Nothing of this kind is printed before that. */
static void rundown_warnings_test_prints_again_after_storm(struct kunit *test)
{
	struct subject *subject = subject_create(test, &basic_ops);
	struct call_probe warn = { .kp.symbol_name = "__warn" };

	misuse_begin(test, EX_MISUSE_RELEASE_COUNT, 1);
	call_probe_begin(test, &warn);
	subject_release_ex(subject, 0);
	KUNIT_EXPECT_EQ(test, call_probe_end(&warn), 1);
	misuse_end();
}

static struct kunit_case rundown_warnings_cases[] = {
	KUNIT_CASE(rundown_warnings_test_basic_release_names_caller),
	KUNIT_CASE_PARAM(rundown_warnings_test_cache_aware_release_names_caller,
			 each_main_cache_aware_kind),
	KUNIT_CASE_PARAM(rundown_warnings_test_acquire_names_caller, each_main_cache_aware_kind),
	KUNIT_CASE(rundown_warnings_test_completed_names_caller),
	KUNIT_CASE_PARAM(rundown_warnings_test_reinitialize_names_caller,
			 each_main_cache_aware_kind),
	KUNIT_CASE_PARAM(rundown_warnings_test_wait_names_caller, each_main_cache_aware_kind),
	KUNIT_CASE(rundown_warnings_test_free_names_caller),
	KUNIT_CASE(rundown_warnings_test_printed_line_names_caller),
	KUNIT_CASE(rundown_warnings_test_storm_is_not_all_printed),
	KUNIT_CASE(rundown_warnings_test_prints_again_after_storm),
	{}
};

static struct kunit_suite rundown_warnings_suite = {
	.name = "rundown_warnings",
	.init = rundown_warnings_init,
	.exit = fixture_exit,
	.test_cases = rundown_warnings_cases,
};

kunit_test_suite(rundown_warnings_suite);
