// SPDX-License-Identifier: GPL-2.0
//
// Results as text.

#pragma once

#include <string>
#include <vector>

#include "results.hh"

namespace bench
{

// Tables, and whether the targets are met.
void print_text(const Results &results);

// Puts the tables between the marks in README; or, to check, throws if they are not there.
void readme(const Results &results, const std::string &path, bool check);

// Google Benchmark's JSON of two revisions.
void compare(const std::vector<std::string> &base_files, const std::vector<std::string> &now_files);

// KTAP: is the order of magnitude right?
bool quick(const std::string &path);

} // namespace bench
