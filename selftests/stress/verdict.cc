// SPDX-License-Identifier: GPL-2.0

#include "verdict.hh"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace stress
{

namespace
{

// A shorter run may not get around to every context. A machine that is slow wants more: debug
// kernels in an emulator need some seconds.
constexpr std::uint64_t long_enough_ms = 500;

class Judge
{
public:
	explicit Judge(const Outcome &judged) : outcome(judged), stats(judged.stats) {}

	std::vector<std::string> for_clean()
	{
		ended();
		in_full();
		clean();
		tried();
		adds_up();
		if (stats["msecs"] >= long_enough_ms)
			tried_everywhere();
		return std::move(failures);
	}

	std::vector<std::string> for_violations()
	{
		ended();
		if (!stats["violations"]) {
			in_full();
			fail("no violation was found, but this variant must have some");
		} else {
			// What a fault does to holders, not what it does to the books.
			if (stats["violations"] ==
			    stats.violations("balance") + stats.violations("warned"))
				fail("no holder saw a violation");
			if (stats.verdict != "failed")
				fail("violations were found, but the kernel's verdict is '" +
				     stats.verdict + "'");
			if (!stats.first_violation_ms)
				fail("violations were found, but no time of the first one");
			kinds_add_up();
		}
		return std::move(failures);
	}

private:
	void fail(std::string why) { failures.push_back(std::move(why)); }

	void ended()
	{
		if (outcome.signal)
			fail("interrupted by SIG" + std::string(::sigabbrev_np(*outcome.signal)));
		if (outcome.overdue)
			fail("had not ended long after its time");
		if (stats.state != "idle")
			fail("has not ended: its state is '" + stats.state + "'");
	}

	void in_full()
	{
		if (!outcome.signal && !outcome.overdue && stats["elapsed_ms"] < stats["msecs"])
			fail("was cut short by somebody else: ended after " +
			     std::to_string(stats["elapsed_ms"]) + " ms of " +
			     std::to_string(stats["msecs"]));
	}

	void clean()
	{
		if (stats["violations"]) {
			std::string kinds;

			for (auto kind : violation_kinds)
				if (stats.violations(kind))
					kinds += ' ' + std::string(kind) + ' ' +
						 std::to_string(stats.violations(kind));
			fail(std::to_string(stats["violations"]) + " violations:" + kinds);
		}
		if (stats.verdict != "passed")
			fail("the kernel's verdict is '" + stats.verdict + "'");
		if (stats.first_violation_ms && !stats["violations"])
			fail("a time of the first violation, but no violation");
		kinds_add_up();
		if (stats["releases"] != stats["grants"])
			fail("granted " + std::to_string(stats["grants"]) + " times, released " +
			     std::to_string(stats["releases"]) + " times");
	}

	void tried()
	{
		for (auto [key, what] : {std::pair{"grants", "no acquire was granted"},
					 std::pair{"refusals", "no acquire was refused"},
					 std::pair{"rundowns", "no ref was run down"},
					 std::pair{"waits", "no wait returned"}})
			if (!stats[key])
				fail(what);
		// The first run-down of each ref comes before anything is made of it.
		if (stats["rundowns"] > stats["refs"] &&
		    !(stats["reinitialized"] + stats["replaced"]))
			fail("no ref was reinitialized or replaced after its run-down");
	}

	// What a run that counts itself cannot contradict.
	void adds_up()
	{
		for (std::string_view key : {"grants", "refusals", "releases"}) {
			std::uint64_t sum = 0;

			for (auto context : context_names)
				sum += stats.by_context(key, context);
			if (sum != stats[key])
				fail(std::string(key) + " are " + std::to_string(stats[key]) +
				     ", but of all contexts " + std::to_string(sum));
		}
		if (outcome.waits.count() != stats["rundowns"])
			fail("run down " + std::to_string(stats["rundowns"]) +
			     " times, but latencies are of " +
			     std::to_string(outcome.waits.count()));
	}

	void kinds_add_up()
	{
		std::uint64_t sum = 0;

		for (auto kind : violation_kinds)
			sum += stats.violations(kind);
		if (sum != stats["violations"])
			fail("violations are " + std::to_string(stats["violations"]) +
			     ", but of all kinds " + std::to_string(sum));
	}

	void tried_everywhere()
	{
		const auto &contexts = outcome.planned.contexts;

		for (const auto &context : contexts)
			if (!stats.by_context("grants", context) &&
			    !stats.by_context("refusals", context) &&
			    !stats.by_context("releases", context))
				fail("the context " + context + " did nothing");
		if (can_hand_over() && !stats["handovers"])
			fail("no hold was handed over");
	}

	// Threads that sleep hand over to what is no thread, and that to work items. The kernel
	// side does not say which variants cannot be released elsewhere.
	bool can_hand_over() const
	{
		constexpr std::array<std::string_view, 2> stay{"srcu", "rwsem"};
		constexpr std::array<std::string_view, 4> no_threads{"softirq", "hardirq",
								     "irq_work", "nmi"};
		auto has = [this](std::string_view context) {
			return std::ranges::find(outcome.planned.contexts, context) !=
			       outcome.planned.contexts.end();
		};
		const bool carried = std::ranges::any_of(no_threads, has);

		return std::ranges::find(stay, outcome.planned.variant.name) == stay.end() &&
		       (has("sleep") ? carried || has("work") : carried && has("work"));
	}

	const Outcome &outcome;
	const Stats &stats;
	std::vector<std::string> failures;
};

} // namespace

std::vector<std::string> judge(const Outcome &outcome, bool expect_violations)
{
	Judge judge(outcome);

	return expect_violations ? judge.for_violations() : judge.for_clean();
}

} // namespace stress
