// SPDX-License-Identifier: GPL-2.0
//
// Results as pictures, by gnuplot.

#pragma once

#include <string>

#include "results.hh"

namespace bench
{

// pairs.svg, threads.svg, latency.svg, cpus.svg
void plot_all(const Results &results, const std::string &directory);

} // namespace bench
