// SPDX-License-Identifier: GPL-2.0

#include "units.hh"

#include <array>
#include <cstdio>

namespace stress
{

namespace
{

// Three digits that count.
template <std::size_t n> std::string scaled(double number, const std::array<const char *, n> &units)
{
	std::array<char, 64> text;
	std::size_t unit = 0;

	// 999.5 would be shown as 1000.
	while (number >= 999.5 && unit + 1 < n) {
		number /= 1000;
		unit++;
	}

	const int decimals = !unit || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;

	std::snprintf(text.data(), text.size(), "%.*f%s", decimals, number, units[unit]);
	return text.data();
}

} // namespace

std::string grouped(std::uint64_t number)
{
	std::string digits = std::to_string(number);

	for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4)
		digits.insert(digits.size() - from_end, 1, ',');
	return digits;
}

std::string rounded(double number)
{
	return scaled(number, std::array<const char *, 5>{"", "k", "M", "G", "T"});
}

std::string duration(std::uint64_t ns)
{
	return scaled(static_cast<double>(ns), std::array<const char *, 4>{"ns", "us", "ms", "s"});
}

} // namespace stress
