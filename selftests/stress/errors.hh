// SPDX-License-Identifier: GPL-2.0
//
// What ends the program early, and how it exits then.

#pragma once

#include <stdexcept>

namespace stress
{

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_unavailable = 4;

// The command line asks for what cannot be had.
struct UsageError : std::runtime_error {
	using std::runtime_error::runtime_error;
};

// Nothing can be run here: no root, no debugfs, no module.
struct Unavailable : std::runtime_error {
	using std::runtime_error::runtime_error;
};

} // namespace stress
