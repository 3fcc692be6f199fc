// SPDX-License-Identifier: GPL-2.0
//
// What the user asks for.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "debugfs.hh"

namespace stress
{

enum class Format { table, json, ktap };

struct Options {
	std::vector<std::string> variants{"ours"};
	std::vector<std::string> contexts{"all"};
	std::optional<std::uint64_t> threads;
	std::optional<std::uint64_t> refs;
	std::optional<std::uint64_t> waiters;
	std::optional<std::uint64_t> live_us;
	std::uint64_t msecs = 10000;
	std::uint64_t seed = 0;
	bool quiet = false;
	bool list = false;
	bool expect_violations = false;
	Format format = Format::table;
	std::filesystem::path debugfs = "/sys/kernel/debug";

	// A run to make.
	struct Planned {
		Variant variant;
		Settings settings;
		// Those that `all` stands for are resolved.
		std::vector<std::string> contexts;
	};

	// Throws UsageError if the kernel side has not what is asked for.
	std::vector<Planned> plan(const std::vector<Variant> &known) const;

	// The command that makes the run again.
	std::string again(const Settings &settings) const;
};

// Of --help it prints the text and returns nothing. Throws UsageError.
std::optional<Options> parse_options(int argc, char **argv);

} // namespace stress
