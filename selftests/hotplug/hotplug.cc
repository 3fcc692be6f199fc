// SPDX-License-Identifier: GPL-2.0
//
// Does a device survive being unplugged a thousand times under its readers?
//
// Reader threads read from a device of rundown_hotplug.ko in a loop while the main thread unplugs
// the backend and plugs a new one in. Readers must get both records and refusals, and never a
// record of an object that was freed before they had finished with it.

#include <fcntl.h>
#include <getopt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <iostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "hotplug.h"

namespace
{

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

// Long enough for readers to be served and to be refused in each cycle.
constexpr std::pair<int, int> plugged_us{200, 1200};
constexpr std::pair<int, int> unplugged_us{100, 500};
constexpr microseconds refused_pause{100};

constexpr std::array<std::string_view, 2> default_devices{"/dev/rundown_hotplug_basic",
							  "/dev/rundown_hotplug_cache_aware"};

constexpr std::array<std::string_view, HOTPLUG_MODES> mode_names{"direct", "after_sleep", "timer",
								 "work"};

constexpr std::string_view usage =
	R"(usage: rundown-hotplug [options]

Unplugs and replugs the devices of rundown_hotplug.ko under their readers, and checks that no
reader ever uses a freed object.

  --device PATH   test this device (default: /dev/rundown_hotplug_basic, then ..._cache_aware)
  --cycles N      how often to unplug and plug in (default 1000)
  --readers N     how many threads read meanwhile (default 4)
  --json          print one JSON object a device instead of a table
  --help          print this

exit: 0 passed, 1 failed, 2 usage, or no such device
)";

struct UsageError : std::runtime_error {
	using std::runtime_error::runtime_error;
};

struct Options {
	std::vector<std::string> devices;
	unsigned cycles = 1000;
	unsigned readers = 4;
	bool json = false;
	bool help = false;
};

unsigned parse_count(std::string_view name, std::string_view text)
{
	unsigned value = 0;
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);

	if (error != std::errc{} || end != text.data() + text.size() || value < 1)
		throw UsageError("--" + std::string(name) + " wants a number of at least 1, not '" +
				 std::string(text) + "'");
	return value;
}

Options parse(int argc, char **argv)
{
	static constexpr option known[] = {
		{"device", required_argument, nullptr, 'd'},
		{"cycles", required_argument, nullptr, 'c'},
		{"readers", required_argument, nullptr, 'r'},
		{"json", no_argument, nullptr, 'j'},
		{"help", no_argument, nullptr, 'h'},
		{},
	};
	Options options;

	for (int which; (which = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
		switch (which) {
		case 'd':
			options.devices.emplace_back(optarg);
			break;
		case 'c':
			options.cycles = parse_count("cycles", optarg);
			break;
		case 'r':
			options.readers = parse_count("readers", optarg);
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			options.help = true;
			break;
		default:
			throw UsageError("see --help");
		}
	}
	if (optind < argc)
		throw UsageError("unexpected '" + std::string(argv[optind]) + "', see --help");
	if (options.devices.empty())
		options.devices.assign(default_devices.begin(), default_devices.end());
	return options;
}

// An open device.
class Device
{
public:
	explicit Device(const std::string &path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC))
	{
		if (fd >= 0)
			return;
		if (errno == ENOENT || errno == ENXIO)
			throw UsageError("no " + path + ": insmod rundown_hotplug.ko first");
		throw std::system_error(errno, std::generic_category(), path);
	}

	Device(const Device &) = delete;
	Device &operator=(const Device &) = delete;
	~Device() { ::close(fd); }

	// False if refused.
	bool read(hotplug_record &record)
	{
		ssize_t got = ::read(fd, &record, sizeof(record));

		if (got == sizeof(record))
			return true;
		if (got >= 0)
			throw std::runtime_error("read returned " + std::to_string(got) + " bytes");
		if (errno != ENODEV)
			throw std::system_error(errno, std::generic_category(), "read");
		return false;
	}

	hotplug_unplugged unplug()
	{
		hotplug_unplugged unplugged{};

		command("unplug", HOTPLUG_UNPLUG, &unplugged);
		return unplugged;
	}

	void plug() { command("plug", HOTPLUG_PLUG, nullptr); }

	void make_plugged()
	{
		if (::ioctl(fd, HOTPLUG_PLUG) && errno != EBUSY)
			throw std::system_error(errno, std::generic_category(), "plug");
	}

	hotplug_stats stats()
	{
		hotplug_stats stats{};

		command("stats", HOTPLUG_STATS, &stats);
		return stats;
	}

private:
	void command(const char *name, unsigned long number, void *argument)
	{
		if (::ioctl(fd, number, argument))
			throw std::system_error(errno, std::generic_category(), name);
	}

	int fd;
};

// What one reader saw. Written by its thread, read when that has ended.
struct Reader {
	std::uint64_t served = 0;
	std::uint64_t refused = 0;
	std::uint64_t violations = 0;
	std::string error;

	void run(const std::stop_token &stop, const std::string &path)
	try {
		Device device(path);
		std::uint64_t newest = 0;

		while (!stop.stop_requested()) {
			hotplug_record record{};

			if (!device.read(record)) {
				refused++;
				std::this_thread::sleep_for(refused_pause);
				continue;
			}
			served++;
			// An older object than before was freed before this read began.
			if (record.flags & HOTPLUG_VIOLATION || record.serial < newest)
				violations++;
			newest = std::max<std::uint64_t>(newest, record.serial);
		}
	} catch (const std::exception &exception) {
		error = exception.what();
	}
};

struct Result {
	std::string device;
	unsigned cycles = 0;
	std::uint64_t served = 0;
	std::uint64_t refused = 0;
	std::uint64_t violations = 0;
	std::array<std::uint64_t, HOTPLUG_MODES> released{};
	std::uint64_t served_in_kernel = 0;
	std::vector<std::uint64_t> waits_ns;
	double seconds = 0;
	std::string error;

	// Of the run-downs' latencies; the highest for 1.
	double wait_us(double quantile) const
	{
		if (waits_ns.empty())
			return 0;
		auto last = static_cast<double>(waits_ns.size() - 1);

		return static_cast<double>(
			       waits_ns[static_cast<std::size_t>(last * quantile + 0.5)]) /
		       1e3;
	}

	// Why it failed; empty if it passed.
	std::string failure(unsigned cycles_wanted) const
	{
		std::uint64_t released_sum = 0;

		for (auto count : released)
			released_sum += count;
		if (!error.empty())
			return error;
		if (violations)
			return std::to_string(violations) + " uses of a freed object";
		if (cycles != cycles_wanted)
			return "did " + std::to_string(cycles) + " cycles of " +
			       std::to_string(cycles_wanted);
		if (released_sum != served_in_kernel)
			return "run down, but of " + std::to_string(served_in_kernel) +
			       " acquired " + std::to_string(released_sum) + " are released";
		if (!served)
			return "no read was served";
		if (!refused)
			return "no read was refused";
		if (!released[HOTPLUG_TIMER])
			return "no release came from the timer";
		if (!released[HOTPLUG_WORK])
			return "no release came from the work item";
		return {};
	}
};

void cycle(Device &device, unsigned cycles, Result &result)
{
	std::mt19937 random(std::random_device{}());
	auto pause = [&random](std::pair<int, int> range) {
		std::uniform_int_distribution distribution(range.first, range.second);

		std::this_thread::sleep_for(microseconds(distribution(random)));
	};

	device.make_plugged();
	while (result.cycles < cycles) {
		pause(plugged_us);
		result.waits_ns.push_back(device.unplug().wait_ns);
		pause(unplugged_us);
		device.plug();
		result.cycles++;
	}
}

Result test(const std::string &path, const Options &options)
{
	Device device(path);
	Result result;
	std::vector<Reader> readers(options.readers);
	hotplug_stats before = device.stats();
	auto start = steady_clock::now();

	result.device = path;

	try {
		std::vector<std::jthread> threads;

		for (auto &reader : readers)
			threads.emplace_back([&reader, &path](const std::stop_token &stop) {
				reader.run(stop, path);
			});
		cycle(device, options.cycles, result);
		// The threads are stopped and joined here.
	} catch (const std::exception &exception) {
		result.error = exception.what();
	}
	result.seconds = std::chrono::duration<double>(steady_clock::now() - start).count();

	// Run down once more: then what was handed over is released and counted, too.
	device.make_plugged();
	device.unplug();
	hotplug_stats after = device.stats();
	device.plug();

	for (const auto &reader : readers) {
		result.served += reader.served;
		result.refused += reader.refused;
		result.violations += reader.violations;
		if (result.error.empty() && !reader.error.empty())
			result.error = "a reader failed: " + reader.error;
	}
	for (std::size_t mode = 0; mode < result.released.size(); mode++)
		result.released[mode] = after.released[mode] - before.released[mode];
	result.served_in_kernel = after.served - before.served;
	// The kernel sees those in the timer and the work item, too; one reader can see one twice.
	result.violations =
		std::max<std::uint64_t>(result.violations, after.violations - before.violations);
	std::ranges::sort(result.waits_ns);
	return result;
}

void print_table(const Result &result, const std::string &failure)
{
	auto row = [](std::string_view name, const auto &value) {
		std::cout << "  " << std::left << std::setw(36) << name << std::right
			  << std::setw(14) << value << '\n';
	};

	std::cout << std::fixed << std::setprecision(1);
	std::cout << result.device << ", " << result.seconds << " s\n";
	row("cycles", result.cycles);
	row("reads served", result.served);
	row("reads refused (ENODEV)", result.refused);
	row("released by the reader", result.released[HOTPLUG_DIRECT]);
	row("released by the reader after a sleep", result.released[HOTPLUG_SLEPT]);
	row("released in a timer interrupt", result.released[HOTPLUG_TIMER]);
	row("released by a work item", result.released[HOTPLUG_WORK]);
	row("uses of a freed object", result.violations);
	row("run-down latency, p50, us", result.wait_us(0.5));
	row("run-down latency, p99, us", result.wait_us(0.99));
	row("run-down latency, max, us", result.wait_us(1));
	if (failure.empty())
		std::cout << "PASS\n\n";
	else
		std::cout << "FAIL: " << failure << "\n\n";
	std::cout.flush();
}

std::string quoted(std::string_view text)
{
	std::ostringstream out;

	out << '"';
	for (char c : text) {
		if (c == '"' || c == '\\')
			out << '\\' << c;
		else if (static_cast<unsigned char>(c) < ' ')
			out << "\\u" << std::hex << std::setw(4) << std::setfill('0') << int{c};
		else
			out << c;
	}
	out << '"';
	return out.str();
}

void print_json(const Result &result, const std::string &failure)
{
	std::cout << std::fixed << std::setprecision(3);
	std::cout << "{\"device\":" << quoted(result.device) << ",\"cycles\":" << result.cycles
		  << ",\"seconds\":" << result.seconds << ",\"served\":" << result.served
		  << ",\"refused\":" << result.refused << ",\"released\":{";
	for (std::size_t mode = 0; mode < mode_names.size(); mode++)
		std::cout << (mode ? "," : "") << quoted(mode_names[mode]) << ':'
			  << result.released[mode];
	std::cout << "},\"violations\":" << result.violations
		  << ",\"wait_p50_us\":" << result.wait_us(0.5)
		  << ",\"wait_p99_us\":" << result.wait_us(0.99)
		  << ",\"wait_max_us\":" << result.wait_us(1)
		  << ",\"passed\":" << (failure.empty() ? "true" : "false")
		  << ",\"failure\":" << quoted(failure) << '}' << std::endl;
}

} // namespace

int main(int argc, char **argv)
try {
	Options options = parse(argc, argv);
	int status = EXIT_SUCCESS;

	if (options.help) {
		std::cout << usage;
		return EXIT_SUCCESS;
	}
	for (const auto &device : options.devices) {
		Result result = test(device, options);
		std::string failure = result.failure(options.cycles);

		if (options.json)
			print_json(result, failure);
		else
			print_table(result, failure);
		if (!failure.empty())
			status = exit_failed;
	}
	return status;
} catch (const UsageError &error) {
	std::cerr << "rundown-hotplug: " << error.what() << '\n';
	return exit_usage;
} catch (const std::exception &error) {
	std::cerr << "rundown-hotplug: " << error.what() << '\n';
	return exit_failed;
}
