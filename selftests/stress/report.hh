// SPDX-License-Identifier: GPL-2.0
//
// What the runs did, on stdout.

#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "options.hh"
#include "verdict.hh"

namespace stress
{

class Report
{
public:
	Report() = default;
	Report(const Report &) = delete;
	Report &operator=(const Report &) = delete;
	virtual ~Report() = default;

	// Before the first run, so that the seed is known even if the machine does not survive.
	virtual void begin(const std::vector<Options::Planned> &planned) = 0;
	virtual void add(const Outcome &outcome) = 0;
	virtual void end() = 0;
	// Instead of end(), and perhaps even of begin().
	virtual void abandon(const std::string &why) = 0;
};

// The options and the stream must outlive it.
std::unique_ptr<Report> make_report(const Options &options, std::ostream &out);

} // namespace stress
