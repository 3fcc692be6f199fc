// SPDX-License-Identifier: GPL-2.0
//
// The figures of a run: the files `stats` and `latency` of the kernel side, read strictly. A key
// that is missing, unknown or no number is an error and never a zero: zeros are what a clean run
// shows.

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stress
{

constexpr std::array<std::string_view, 10> context_names{
	"sleep",   "migrate", "pinned",   "preempt_off", "irq_off",
	"softirq", "hardirq", "irq_work", "nmi",         "work"};

constexpr std::array<std::string_view, 7> violation_kinds{
	"stamp_start", "stamp_middle", "stamp_end", "held", "granted", "balance", "warned"};

class Stats
{
public:
	static Stats parse(std::string_view text);

	// A number by its key. All keys are there: parse() saw to it.
	std::uint64_t operator[](std::string_view key) const;

	// by_context("grants", "nmi") and the like.
	std::uint64_t by_context(std::string_view key, std::string_view context) const;

	std::uint64_t violations(std::string_view kind) const;

	std::uint64_t acquires() const { return (*this)["grants"] + (*this)["refusals"]; }

	std::string state;
	std::string verdict;
	std::string variant;
	// None if there was no violation.
	std::optional<std::uint64_t> first_violation_ms;

	// All keys that have numbers, in the order of the documentation.
	static const std::vector<std::string> &number_keys();

private:
	std::map<std::string, std::uint64_t, std::less<>> numbers;
};

// Of the time that owners waited.
class Histogram
{
public:
	struct Bucket {
		std::uint64_t upper_ns;
		std::uint64_t count;
	};

	static Histogram parse(std::string_view text);

	std::uint64_t count() const;

	// The upper bound of the bucket in which the quantile lies; 0 if all are empty.
	std::uint64_t quantile_ns(double quantile) const;

	const std::vector<Bucket> &buckets() const { return ascending; }

	// The same in at most that many rows, each a power of two times as wide as the one before.
	// Rows in which nothing is are there, too.
	std::vector<Bucket> rows(std::size_t most) const;

private:
	std::vector<Bucket> ascending;
};

} // namespace stress
