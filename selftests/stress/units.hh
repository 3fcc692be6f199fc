// SPDX-License-Identifier: GPL-2.0
//
// Figures as people read them.

#pragma once

#include <cstdint>
#include <string>

namespace stress
{

// 1234567 as 1,234,567.
std::string grouped(std::uint64_t number);

// 1234567 as 1.23M.
std::string rounded(double number);

// 1234567 as 1.23ms.
std::string duration(std::uint64_t ns);

} // namespace stress
