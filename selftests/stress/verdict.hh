// SPDX-License-Identifier: GPL-2.0
//
// Was a run clean, and did it try? The kernel side has its verdict; this looks at the figures
// again.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "figures.hh"
#include "options.hh"

namespace stress
{

// A run that was made.
struct Outcome {
	Options::Planned planned;
	Stats stats;
	Histogram waits;
	// It was interrupted by this signal.
	std::optional<int> signal;
	// It was ended early, by this program, as what was expected had shown.
	bool caught = false;
	// It had to be stopped long after its time.
	bool overdue = false;
	// Why it failed; empty if it passed.
	std::vector<std::string> failures;

	bool passed() const { return failures.empty(); }
};

// Why it failed.
std::vector<std::string> judge(const Outcome &outcome, bool expect_violations);

} // namespace stress
