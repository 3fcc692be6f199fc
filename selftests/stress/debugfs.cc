// SPDX-License-Identifier: GPL-2.0

#include "debugfs.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "errors.hh"
#include "text.hh"

namespace stress
{

namespace
{

constexpr long debugfs_magic = 0x64626720;
constexpr std::string_view subdirectory = "rundown_stress";
constexpr std::chrono::seconds destructor_stop_limit{60};

class File
{
public:
	File(const std::filesystem::path &path, int flags)
		: fd(::open(path.c_str(), flags | O_CLOEXEC)), open_error(fd < 0 ? errno : 0)
	{
	}
	File(const File &) = delete;
	File &operator=(const File &) = delete;
	~File()
	{
		if (fd >= 0)
			::close(fd);
	}

	int descriptor() const { return fd; }
	int error() const { return open_error; }

private:
	int fd;
	int open_error;
};

// While it lives, a system call that sleeps ends with EINTR when that time has passed.
class TimeLimit
{
public:
	explicit TimeLimit(std::chrono::seconds limit)
	{
		struct sigaction interrupt = {};

		// No SA_RESTART. The signal comes every second, as the first might come just before
		// the call.
		interrupt.sa_handler = [](int) {};
		::sigaction(SIGALRM, &interrupt, &old);

		const itimerval timer{.it_interval = {1, 0},
				      .it_value = {static_cast<time_t>(limit.count()), 0}};
		::setitimer(ITIMER_REAL, &timer, nullptr);
	}
	TimeLimit(const TimeLimit &) = delete;
	TimeLimit &operator=(const TimeLimit &) = delete;
	~TimeLimit()
	{
		const itimerval off{};

		::setitimer(ITIMER_REAL, &off, nullptr);
		::sigaction(SIGALRM, &old, nullptr);
	}

private:
	struct sigaction old = {};
};

struct Range {
	const char *key;
	std::optional<std::uint64_t> value;
	std::uint64_t highest;
};

// Why the kernel side said EINVAL. It is the one that knows; this only puts it into words.
std::string out_of_range(const Settings &settings)
{
	const bool is_static = settings.variant == "static";
	const bool is_broken = settings.variant.starts_with("broken_");
	const std::array<Range, 5> ranges{
		{{"threads", settings.threads, 256},
		 {"refs", settings.refs, is_static ? 8u : 1024u},
		 {"waiters", settings.waiters, 16},
		 {"live_us", settings.live_us, 10000000},
		 {"seconds * 1000", settings.msecs, is_broken ? 60000u : 86400000u}}};
	std::vector<std::string> culprits, all;

	for (const auto &range : ranges) {
		auto text = std::string(range.key) + " is 1.." + std::to_string(range.highest);

		all.push_back(text);
		if (range.value && (*range.value < 1 || *range.value > range.highest))
			culprits.push_back(text + ", not " + std::to_string(*range.value));
	}
	return "out of range for " + settings.variant + ": " +
	       joined(culprits.empty() ? all : culprits, "; ");
}

} // namespace

std::string Settings::start_line() const
{
	std::string line = "start variant=" + variant;
	auto add = [&line](const char *key, std::optional<std::uint64_t> value) {
		if (value)
			line += ' ' + std::string(key) + '=' + std::to_string(*value);
	};

	add("threads", threads);
	add("refs", refs);
	add("waiters", waiters);
	add("live_us", live_us);
	add("msecs", msecs);
	add("seed", seed);
	return line + " contexts=" + joined(contexts, ",");
}

KernelSide::KernelSide(std::filesystem::path mounted)
	: debugfs(std::move(mounted)), directory(debugfs / subdirectory)
{
	File run(directory / "run", O_RDWR);

	if (run.descriptor() < 0)
		unavailable(run.error(), "run");
}

void KernelSide::unavailable(int error, std::string_view file) const
{
	struct statfs mounted = {};

	if (::geteuid() && (error == EACCES || error == EPERM || error == ENOENT))
		throw Unavailable("only root can do this");
	if (error == EPERM)
		throw Unavailable("debugfs is closed, even for root: is the kernel locked down?");
	if (error != ENOENT && error != ENOTDIR)
		throw std::system_error(error, std::generic_category(), directory / file);
	if (std::filesystem::exists(directory))
		throw Unavailable("there is no " + (directory / file).string() +
				  ": is that rundown_stress.ko another version?");
	if (::statfs(debugfs.c_str(), &mounted) || mounted.f_type != debugfs_magic)
		throw Unavailable("debugfs is not mounted: mount -t debugfs none " +
				  debugfs.string());
	throw Unavailable("rundown_stress.ko is not loaded: "
			  "insmod rundown.ko && insmod rundown_stress.ko");
}

std::string KernelSide::read(std::string_view name) const
{
	File file(directory / name, O_RDONLY);
	std::string text;

	if (file.descriptor() < 0)
		unavailable(file.error(), name);
	for (std::array<char, 4096> part;;) {
		const ssize_t got = ::read(file.descriptor(), part.data(), part.size());

		if (!got)
			return text;
		if (got > 0)
			text.append(part.data(), static_cast<std::size_t>(got));
		else if (errno != EINTR)
			throw std::system_error(errno, std::generic_category(), directory / name);
	}
}

int KernelSide::write_run(std::string_view line) const
{
	File file(directory / "run", O_WRONLY);

	if (file.descriptor() < 0)
		return file.error();

	const ssize_t put = ::write(file.descriptor(), line.data(), line.size());

	if (put < 0)
		return errno;
	return static_cast<std::size_t>(put) == line.size() ? 0 : EIO;
}

std::vector<Variant> KernelSide::variants() const
{
	std::vector<Variant> variants;

	for_each_line("variants", read("variants"), [&variants](std::string_view line) {
		auto words = split(line, ' ');

		if (words.size() != 3 || words[0].empty() || words[1].empty())
			throw std::runtime_error("rundown_stress/variants: cannot make sense of "
						 "the line '" +
						 std::string(line) + "'");
		variants.push_back({words[0], words[1], split(words[2], ',')});
	});
	return variants;
}

Run::Run(const KernelSide &side, const Settings &wanted) : kernel_side(side), settings(wanted)
{
	const std::string line = settings.start_line();
	const int error = kernel_side.write_run(line + '\n');

	switch (error) {
	case 0:
		return;
	case EBUSY:
		throw std::runtime_error("another run is on");
	case EINVAL:
		throw UsageError(out_of_range(settings));
	case EOPNOTSUPP:
		throw UsageError(settings.variant + " cannot have these contexts here: " +
				 joined(settings.contexts, ","));
	default:
		throw std::system_error(error, std::generic_category(), line);
	}
}

Run::~Run()
try {
	stop(destructor_stop_limit);
} catch (const std::exception &error) {
	std::cerr << "rundown-stress: cannot stop the run: " << error.what() << '\n';
}

bool Run::is_ours(const Stats &stats) const
{
	return stats.variant == settings.variant && stats["seed"] == settings.seed &&
	       stats["msecs"] == settings.msecs;
}

Stats Run::stats()
{
	Stats stats = Stats::parse(read("stats"));

	if (!is_ours(stats)) {
		on = false;
		throw std::runtime_error(
			"somebody started another run before the figures of this one were read");
	}
	if (stats.state == "idle")
		on = false;
	return stats;
}

Histogram Run::waits()
{
	return Histogram::parse(read("latency"));
}

std::string Run::read(std::string_view file)
try {
	return kernel_side.read(file);
} catch (const Unavailable &) {
	// Its module took the run with it.
	on = false;
	throw std::runtime_error("rundown_stress.ko was unloaded in the middle of the run");
}

bool Run::stop(std::chrono::seconds limit)
{
	if (!on)
		return true;

	// It may be over, and what is on now somebody else's. If nobody can tell, it is ours still.
	try {
		stats();
	} catch (const std::exception &) {
	}
	if (!on)
		return true;

	TimeLimit time_limit(limit);
	const int error = kernel_side.write_run("stop\n");

	// Told once is enough, even if it takes longer than we wait.
	on = false;
	if (error && error != EINTR)
		throw std::system_error(error, std::generic_category(), "stop");
	return !error;
}

} // namespace stress
