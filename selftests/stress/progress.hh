// SPDX-License-Identifier: GPL-2.0
//
// What a run is doing right now, on stderr: one line rewritten on a terminal, else a line from time
// to time.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "figures.hh"

namespace stress
{

class Progress
{
public:
	explicit Progress(bool quiet);
	Progress(const Progress &) = delete;
	Progress &operator=(const Progress &) = delete;
	~Progress() { clear(); }

	void show(const Stats &stats, const Histogram &waits);

	// Before something else is printed.
	void clear();

	// Something that is not to be overwritten.
	void note(const std::string &text);

private:
	using clock = std::chrono::steady_clock;

	struct Sample {
		std::string variant;
		clock::time_point time;
		std::uint64_t acquires;
	};

	double acquires_a_second(const Stats &stats, clock::time_point now);

	const bool quiet;
	const bool on_terminal;
	bool shown = false;
	std::optional<Sample> last;
};

} // namespace stress
