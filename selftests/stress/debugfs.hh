// SPDX-License-Identifier: GPL-2.0
//
// The kernel side: the files of rundown_stress.ko in debugfs, and a run as an object.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "figures.hh"

namespace stress
{

// What a run is started with. What is not set is left to the kernel side.
struct Settings {
	std::string variant;
	std::optional<std::uint64_t> threads;
	std::optional<std::uint64_t> refs;
	std::optional<std::uint64_t> waiters;
	std::optional<std::uint64_t> live_us;
	std::uint64_t msecs = 0;
	std::uint64_t seed = 0;
	std::vector<std::string> contexts{"all"};

	// As it is written into the file `run`.
	std::string start_line() const;
};

struct Variant {
	std::string name;
	std::string kind; // ours, peer or broken
	std::vector<std::string> contexts;
};

class KernelSide
{
public:
	// Throws Unavailable if it is not there.
	explicit KernelSide(std::filesystem::path debugfs);

	std::vector<Variant> variants() const;
	std::string read(std::string_view file) const;

	// Writes the line at once. Returns 0 or the errno.
	int write_run(std::string_view line) const;

private:
	[[noreturn]] void unavailable(int error, std::string_view file) const;

	std::filesystem::path debugfs;
	std::filesystem::path directory;
};

// A run of ours. It ends with the object at the latest; a run that somebody else started never
// does.
class Run
{
public:
	Run(const KernelSide &kernel_side, const Settings &settings);
	Run(const Run &) = delete;
	Run &operator=(const Run &) = delete;
	~Run();

	// Both throw if the run is over and the module unloaded, the first one also if somebody has
	// started another run since.
	Stats stats();
	Histogram waits();

	// Makes it end, and waits until it has, but not longer than that. False if it has not.
	bool stop(std::chrono::seconds limit);

private:
	bool is_ours(const Stats &stats) const;
	std::string read(std::string_view file);

	const KernelSide &kernel_side;
	Settings settings;
	bool on = true;
};

} // namespace stress
