// SPDX-License-Identifier: GPL-2.0

#include "figures.hh"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <stdexcept>
#include <utility>

#include "text.hh"

namespace stress
{

namespace
{

[[noreturn]] void bad(std::string_view file, const std::string &why)
{
	throw std::runtime_error("rundown_stress/" + std::string(file) + ": " + why);
}

std::string quoted(std::string_view text)
{
	return "'" + std::string(text) + "'";
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words)
{
	return std::ranges::find(words, word) != words.end();
}

// The two words of a line, separated by one blank.
std::pair<std::string_view, std::string_view> two_words(std::string_view file,
							std::string_view line)
{
	auto blank = line.find(' ');

	if (blank == 0 || blank == line.npos || blank + 1 == line.size() ||
	    line.find(' ', blank + 1) != line.npos)
		bad(file, "cannot make sense of the line " + quoted(line));
	return {line.substr(0, blank), line.substr(blank + 1)};
}

} // namespace

const std::vector<std::string> &Stats::number_keys()
{
	static const std::vector<std::string> keys = [] {
		std::vector<std::string> all{"threads",  "refs",     "waiters",    "live_us",
					     "seed",     "msecs",    "elapsed_ms", "grants",
					     "refusals", "releases", "ex_grants",  "handovers"};

		for (std::string_view key : {"grants", "refusals", "releases"})
			for (auto context : context_names)
				all.push_back(std::string(key) + '.' + std::string(context));
		for (auto key : {"rundowns", "waits", "reinitialized", "replaced", "mutex_waits",
				 "nmi_lost", "violations"})
			all.emplace_back(key);
		for (auto kind : violation_kinds)
			all.push_back("violation." + std::string(kind));
		return all;
	}();

	return keys;
}

Stats Stats::parse(std::string_view text)
{
	constexpr std::string_view file = "stats";
	static const std::set<std::string, std::less<>> known(number_keys().begin(),
							      number_keys().end());
	Stats stats;
	std::set<std::string, std::less<>> seen;

	for_each_line(file, text, [&](std::string_view line) {
		auto [key, value] = two_words(file, line);

		if (!seen.emplace(key).second)
			bad(file, quoted(key) + " is there twice");
		if (key == "state" && one_of(value, {"idle", "running", "stopping"})) {
			stats.state = value;
		} else if (key == "verdict" &&
			   one_of(value, {"none", "running", "passed", "failed"})) {
			stats.verdict = value;
		} else if (key == "variant") {
			stats.variant = value;
		} else if (auto number = parse_decimal(value);
			   key == "first_violation_ms" && (number || value == "-1")) {
			stats.first_violation_ms = number;
		} else if (known.contains(key) && number) {
			stats.numbers.emplace(key, *number);
		} else {
			bad(file, "cannot make sense of the line " + quoted(line));
		}
	});
	for (auto key : {"state", "verdict", "variant", "first_violation_ms"})
		if (!seen.contains(key))
			bad(file, "there is no " + quoted(key));
	for (const auto &key : number_keys())
		if (!seen.contains(key))
			bad(file, "there is no " + quoted(key));
	return stats;
}

std::uint64_t Stats::operator[](std::string_view key) const
{
	auto found = numbers.find(key);

	if (found == numbers.end())
		throw std::logic_error("no number called " + quoted(key));
	return found->second;
}

std::uint64_t Stats::by_context(std::string_view key, std::string_view context) const
{
	return (*this)[std::string(key) + '.' + std::string(context)];
}

std::uint64_t Stats::violations(std::string_view kind) const
{
	return (*this)["violation." + std::string(kind)];
}

Histogram Histogram::parse(std::string_view text)
{
	constexpr std::string_view file = "latency";
	Histogram histogram;

	for_each_line(file, text, [&](std::string_view line) {
		auto [upper, count] = two_words(file, line);
		auto upper_ns = parse_decimal(upper);
		auto number = parse_decimal(count);

		if (!upper_ns || !number)
			bad(file, "cannot make sense of the line " + quoted(line));
		if (!histogram.ascending.empty() &&
		    histogram.ascending.back().upper_ns >= *upper_ns)
			bad(file, "not in ascending order at the line " + quoted(line));
		histogram.ascending.push_back({*upper_ns, *number});
	});
	return histogram;
}

std::uint64_t Histogram::count() const
{
	std::uint64_t sum = 0;

	for (const auto &bucket : ascending)
		sum += bucket.count;
	return sum;
}

std::uint64_t Histogram::quantile_ns(double quantile) const
{
	auto rank = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count()) * quantile));
	std::uint64_t below = 0;

	for (const auto &bucket : ascending) {
		below += bucket.count;
		if (below >= rank && bucket.count)
			return bucket.upper_ns;
	}
	return 0;
}

std::vector<Histogram::Bucket> Histogram::rows(std::size_t most) const
{
	// Its upper bound is at most this power of two.
	auto octave = [](const Bucket &bucket) {
		return bucket.upper_ns ? static_cast<int>(std::bit_width(bucket.upper_ns - 1)) : 0;
	};
	std::vector<Bucket> wide;

	if (ascending.empty())
		return wide;

	const int first = octave(ascending.front()), last = octave(ascending.back());
	const int step = 1 + (last - first) / static_cast<int>(most);

	for (int row = 0; row <= (last - first) / step; row++) {
		const int power = std::min(first + (row + 1) * step - 1, 63);

		wide.push_back({std::uint64_t{1} << power, 0});
	}
	for (const auto &bucket : ascending)
		wide[static_cast<std::size_t>((octave(bucket) - first) / step)].count +=
			bucket.count;
	return wide;
}

} // namespace stress
