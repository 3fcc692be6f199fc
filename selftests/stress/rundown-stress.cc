// SPDX-License-Identifier: GPL-2.0
//
// Does run-down protection hold under stress?
//
// Starts a run of rundown_stress.ko for each variant that is asked for, watches it, and says what
// it did. A run passes if it met no violation and tried hard enough to meet one: see verdict.cc.

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iomanip>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

#include "debugfs.hh"
#include "errors.hh"
#include "options.hh"
#include "progress.hh"
#include "report.hh"
#include "text.hh"
#include "verdict.hh"

namespace
{

using namespace stress;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds between_looks{200};

// An emulated machine is slow to end a run. Past this one does not end at all.
constexpr seconds grace{60};

// The signals that ask the program to end. They do not interrupt it: it asks for them where it
// waits, so that none can come between a run's start and its stop.
class Signals
{
public:
	Signals()
	{
		::sigemptyset(&set);
		for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
			struct sigaction old = {};

			// nohup wants it ignored. A shell's SIG_IGN of SIGINT for a job in the
			// background is no such wish: kill -INT must work.
			::sigaction(signal, nullptr, &old);
			if (signal != SIGHUP || old.sa_handler != SIG_IGN)
				::sigaddset(&set, signal);
		}
		::sigprocmask(SIG_BLOCK, &set, nullptr);
		// A reader that goes away must not take us along in the middle of a run.
		::signal(SIGPIPE, SIG_IGN);
	}

	// The signal that came, at once or while it waited that long.
	std::optional<int> wait(milliseconds time) const
	{
		const timespec timeout{static_cast<time_t>(time.count() / 1000),
				       static_cast<long>(time.count() % 1000 * 1000000)};
		const int signal = ::sigtimedwait(&set, nullptr, &timeout);

		return signal < 0 ? std::nullopt : std::optional(signal);
	}

private:
	sigset_t set;
};

Outcome make_run(const KernelSide &kernel_side, const Options::Planned &planned,
		 bool expect_violations, const Signals &signals, Progress &progress)
{
	Run run(kernel_side, planned.settings);
	const auto deadline = steady_clock::now() + milliseconds(planned.settings.msecs) + grace;
	Outcome outcome;

	outcome.planned = planned;
	while ((outcome.stats = run.stats()).state != "idle") {
		progress.show(outcome.stats, run.waits());
		outcome.caught = expect_violations && outcome.stats["violations"];
		outcome.overdue = steady_clock::now() >= deadline;
		if (outcome.caught || outcome.overdue)
			break;
		outcome.signal = signals.wait(between_looks);
		if (outcome.signal)
			break;
	}
	if (outcome.signal)
		progress.note(std::string(::strsignal(*outcome.signal)) + ": stopping the run");
	if (outcome.overdue)
		progress.note(planned.variant.name + " has not ended " +
			      std::to_string(grace.count()) + " s after its time: stopping it");
	if (!run.stop(grace))
		progress.note("the run has not ended " + std::to_string(grace.count()) +
			      " s after it was told to stop");
	progress.clear();
	outcome.stats = run.stats();
	outcome.waits = run.waits();
	outcome.failures = judge(outcome, expect_violations);
	return outcome;
}

// Returns how to exit.
int make_runs(const KernelSide &kernel_side, const Options &options, Report &report)
{
	const auto plan = options.plan(kernel_side.variants());
	Signals signals;
	Progress progress(options.quiet);
	int status = EXIT_SUCCESS;

	report.begin(plan);
	if (options.format == Format::json && !options.quiet)
		progress.note("seed " + std::to_string(options.seed));
	for (const auto &planned : plan) {
		if (auto signal = signals.wait(milliseconds(0))) {
			report.abandon("interrupted");
			return 128 + *signal;
		}

		const Outcome outcome = make_run(kernel_side, planned, options.expect_violations,
						 signals, progress);

		report.add(outcome);
		if (outcome.signal) {
			report.abandon("interrupted");
			return 128 + *outcome.signal;
		}
		if (!outcome.passed())
			status = exit_failed;
	}
	report.end();
	return status;
}

void list(const std::vector<Variant> &variants)
{
	for (const auto &variant : variants)
		std::cout << std::left << std::setw(20) << variant.name << std::setw(8)
			  << variant.kind << joined(variant.contexts, ",") << '\n';
}

int run_program(const Options &options)
{
	const auto report = make_report(options, std::cout);

	try {
		const KernelSide kernel_side(options.debugfs);

		if (options.list) {
			list(kernel_side.variants());
			return EXIT_SUCCESS;
		}
		return make_runs(kernel_side, options, *report);
	} catch (const std::exception &error) {
		report->abandon(error.what());
		throw;
	}
}

int say(const std::exception &error, int status)
{
	std::cerr << "rundown-stress: " << error.what() << '\n';
	return status;
}

} // namespace

int main(int argc, char **argv)
try {
	const auto options = parse_options(argc, argv);
	const int status = options ? run_program(*options) : EXIT_SUCCESS;

	if (!std::cout.flush())
		throw std::runtime_error("not all of the report could be written");
	return status;
} catch (const UsageError &error) {
	return say(error, exit_usage);
} catch (const Unavailable &error) {
	return say(error, exit_unavailable);
} catch (const std::exception &error) {
	return say(error, exit_failed);
}
