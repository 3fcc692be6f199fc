// SPDX-License-Identifier: GPL-2.0

#include "text.hh"

#include <charconv>
#include <stdexcept>
#include <system_error>

namespace stress
{

std::optional<std::uint64_t> parse_decimal(std::string_view text)
{
	std::uint64_t value = 0;
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);

	if (error != std::errc{} || end != text.data() + text.size())
		return std::nullopt;
	return value;
}

void for_each_line(std::string_view file, std::string_view text,
		   const std::function<void(std::string_view)> &call)
{
	while (!text.empty()) {
		auto newline = text.find('\n');

		if (newline == text.npos)
			throw std::runtime_error("rundown_stress/" + std::string(file) +
						 ": ends in the middle of the line '" +
						 std::string(text) + "'");
		call(text.substr(0, newline));
		text.remove_prefix(newline + 1);
	}
}

std::vector<std::string> split(std::string_view text, char separator)
{
	std::vector<std::string> words;

	for (;;) {
		auto end = text.find(separator);

		words.emplace_back(text.substr(0, end));
		if (end == text.npos)
			return words;
		text.remove_prefix(end + 1);
	}
}

std::string joined(const std::vector<std::string> &words, std::string_view separator)
{
	std::string line;

	for (const auto &word : words) {
		if (!line.empty())
			line += separator;
		line += word;
	}
	return line;
}

} // namespace stress
