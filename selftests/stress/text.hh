// SPDX-License-Identifier: GPL-2.0
//
// Lines and words.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stress
{

// The whole text is a decimal number; nothing else is.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

// Calls with each line, without its newline. Throws if the last line has none: then it is cut
// short.
void for_each_line(std::string_view file, std::string_view text,
		   const std::function<void(std::string_view)> &call);

std::vector<std::string> split(std::string_view text, char separator);

std::string joined(const std::vector<std::string> &words, std::string_view separator);

} // namespace stress
