// SPDX-License-Identifier: GPL-2.0

#include "progress.hh"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <sstream>

#include "units.hh"

namespace stress
{

namespace
{

constexpr std::chrono::seconds between_plain_lines{5};
constexpr auto erase_line = "\r\033[K";

std::size_t terminal_width()
{
	winsize size{};

	if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 2)
		return 79;
	return size.ws_col - 1u;
}

struct Wording {
	const char *left, *violations, *rate, *refused, *run_down;
};

constexpr Wording in_full{" s left, ", " violations, ", " acquires/s, ", " refused, ",
			  " run down, wait p50 "};
constexpr Wording in_brief{"s, ", " bad, ", "/s, ", " refused, ", " down, p50 "};

std::string line(const Stats &stats, const Histogram &waits, double rate, const Wording &words)
{
	const auto left_ms = stats["msecs"] - std::min(stats["msecs"], stats["elapsed_ms"]);
	std::ostringstream text;

	text << stats.variant << ": " << (left_ms + 999) / 1000 << words.left
	     << rounded(static_cast<double>(stats["violations"])) << words.violations
	     << rounded(rate) << words.rate << rounded(static_cast<double>(stats["refusals"]))
	     << words.refused << rounded(static_cast<double>(stats["rundowns"])) << words.run_down
	     << duration(waits.quantile_ns(0.5)) << " p99 " << duration(waits.quantile_ns(0.99));
	return text.str();
}

} // namespace

Progress::Progress(bool be_quiet) : quiet(be_quiet), on_terminal(::isatty(STDERR_FILENO)) {}

double Progress::acquires_a_second(const Stats &stats, clock::time_point now)
{
	const Sample sample{stats.variant, now, stats.acquires()};
	double rate = 0;

	if (last && last->variant == sample.variant && last->time < now) {
		const std::chrono::duration<double> passed = now - last->time;

		rate = static_cast<double>(sample.acquires - last->acquires) / passed.count();
	}
	last = sample;
	return rate;
}

void Progress::show(const Stats &stats, const Histogram &waits)
{
	const auto now = clock::now();

	if (quiet)
		return;
	// There is no rate yet.
	if (!last || last->variant != stats.variant) {
		acquires_a_second(stats, now);
		return;
	}
	if (!on_terminal && now - last->time < between_plain_lines)
		return;

	const double rate = acquires_a_second(stats, now);
	const std::string text = line(stats, waits, rate, in_full);

	if (!on_terminal) {
		std::cerr << text << std::endl;
		return;
	}
	// One that is wider than the terminal would be wrapped, and then not be overwritten.
	const std::size_t width = terminal_width();

	std::cerr << erase_line
		  << (text.size() <= width ? text
					   : line(stats, waits, rate, in_brief).substr(0, width))
		  << std::flush;
	shown = true;
}

void Progress::clear()
{
	if (shown)
		std::cerr << erase_line << std::flush;
	shown = false;
}

void Progress::note(const std::string &text)
{
	clear();
	std::cerr << "rundown-stress: " << text << std::endl;
}

} // namespace stress
