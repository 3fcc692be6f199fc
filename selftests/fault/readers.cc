// SPDX-License-Identifier: GPL-2.0
// The files in /sys/kernel/debug/rundown: who may read them, and do they hold while everything that
// they tell of changes?
#include "ksft.hh"

#include <array>
#include <map>
#include <sstream>
#include <sys/stat.h>
#include <vector>

using namespace ksft;
using std::string;

namespace
{

const string directory = "/sys/kernel/debug/rundown/";
const std::array<const char *, 3> files = {"waiters", "tracked", "stats"};

// Not by the path, which others may not walk anyway: by a descriptor that root has opened.
bool refuses_others(const string &file)
{
	struct stat status;
	if (stat((directory + file).c_str(), &status) || (status.st_mode & 07777) != 0400)
		return false;
	Fd root(directory, O_PATH | O_DIRECTORY);
	auto open_as = [&](uid_t uid) {
		Process other([&] {
			if (uid && (setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
				return 255;
			Fd fd(openat(root.get(), file.c_str(), O_RDONLY | O_CLOEXEC));
			return fd ? 0 : errno;
		});
		return other.exit_status();
	};
	// Or it would be the descriptor that does not serve.
	return open_as(0) == 0 && open_as(65534) == EACCES;
}

// The sums that must never fall: "KEY: NUMBER" lines.
std::map<string, unsigned long long> sums(const string &text)
{
	std::map<string, unsigned long long> sums;
	std::istringstream lines(text);
	for (string line; std::getline(lines, line);) {
		size_t at = line.rfind(": ");
		if (at != line.npos)
			sums[line.substr(0, at)] =
				std::strtoull(line.c_str() + at + 2, nullptr, 10);
	}
	return sums;
}

// Waits that slept, by the times they took.
unsigned long long slept(const std::map<string, unsigned long long> &sums)
{
	unsigned long long sum = 0;
	for (const auto &[key, value] : sums)
		if (key.starts_with("slept "))
			sum += value;
	return sum;
}

// Lines that tell of somebody in the stress module: not those of stacks, nor the first.
long entries(const string &text)
{
	long n = 0;
	std::istringstream lines(text);
	for (string line; std::getline(lines, line);)
		n += !line.starts_with("#") && !line.starts_with(" ") &&
		     line.find("[rundown_stress]") != line.npos;
	return n;
}

// One who reads all of them, over and over. Written by its thread.
struct Reader {
	long rounds = 0;
	long failed = 0;
	long fell = 0;
	long waiters = 0;
	long holders = 0;
	string complaint;

	void fail(const string &why)
	{
		if (!failed++)
			complaint = why;
	}

	void look_at_stats(const string &text)
	{
		auto now = sums(text);
		for (auto key : {"run-downs", "waits", "refused in slow paths"})
			if (!now.contains(key))
				fail("stats has no " + string(key));
		for (const auto &[key, before] : last) {
			if (now.contains(key) && now[key] >= before)
				continue;
			if (!fell++)
				say(key + " fell from " + std::to_string(before) + " to " +
				    std::to_string(now[key]));
		}
		last = std::move(now);
	}

	void round()
	{
		for (string file : files) {
			std::optional<string> text = read_file(directory + file);
			if (!text || text->empty()) {
				fail(file + ": " + (text ? "empty" : errno_name(errno)));
				continue;
			}
			if (file == "waiters")
				waiters += entries(*text);
			else if (file == "tracked")
				holders += entries(*text);
			else
				look_at_stats(*text);
		}
		rounds++;
	}

private:
	std::map<string, unsigned long long> last;
};

bool run_passes(const string &variant, int msecs)
{
	if (int error = write_file(debugfs + "run", "start variant=" + variant + " threads=4" +
							    " msecs=" + std::to_string(msecs))) {
		say("start: " + errno_name(error));
		return false;
	}
	std::this_thread::sleep_for(std::chrono::milliseconds(msecs));
	bool ended = within(60s, [] {
		return read_file(debugfs + "stats").value_or("").starts_with("state idle\n");
	});
	string stats = read_file(debugfs + "stats").value_or("");
	total("acquires", number_of(stats, "grants"));
	total("rundowns", number_of(stats, "rundowns"));
	if (stats.find("\nverdict passed\n") != stats.npos)
		return ended;
	say(variant + ":\n" + stats);
	return false;
}

// Reads while the stress runs.
std::array<Reader, 2> read_under_stress(int msecs, bool &passed)
{
	std::array<Reader, 2> readers;
	std::vector<std::jthread> threads;
	for (auto &reader : readers)
		threads.emplace_back([&reader](const std::stop_token &stop) {
			do
				reader.round();
			while (!stop.stop_requested());
		});
	for (auto variant : {"tracked", "percpu", "tracked_basic", "basic"})
		passed &= run_passes(variant, msecs);
	threads.clear();
	return readers;
}

} // namespace

int main()
{
	begin(9);
	if (load("rundown") || load("rundown_stress"))
		bail_out("rundown.ko and rundown_stress.ko do not load");
	bool for_root = true;
	for (auto file : files)
		for_root &= refuses_others(file);
	check(for_root, "the files are for root alone");

	auto before = sums(read_file(directory + "stats").value_or(""));
	bool passed = true;
	auto readers = read_under_stress(is_long() ? 10000 : 1000, passed);
	auto after = sums(read_file(directory + "stats").value_or(""));

	check(passed, "variants pass, tracked and not, while somebody reads");
	bool read = true, risen = true;
	long waiters = 0, holders = 0;
	for (const auto &reader : readers) {
		say("a reader: " + std::to_string(reader.rounds) + " rounds, saw " +
		    std::to_string(reader.waiters) + " waiters, " + std::to_string(reader.holders) +
		    " holders " + reader.complaint);
		read &= !reader.failed && reader.rounds >= 3;
		risen &= !reader.fell;
		waiters += reader.waiters;
		holders += reader.holders;
		total("debugfs_reads", reader.rounds * static_cast<long>(files.size()));
	}
	check(read, "each file could be read each time");
	check(risen, "no number in stats ever falls");
	check(waiters > 0, "waiters has listed some");
	check(holders > 0, "tracked has listed holders");

	bool counted = slept(after) > slept(before);
	for (auto key : {"run-downs", "waits", "waits that slept", "refused in slow paths",
			 "inter-processor interrupts"}) {
		bool one_cpu = std::thread::hardware_concurrency() == 1;
		say(string(key) + ": " + std::to_string(after[key] - before[key]));
		counted &= after[key] > before[key] ||
			   (one_cpu && key == string("inter-processor interrupts"));
	}
	check(counted && slept(after) == after["waits that slept"],
	      "stats has counted what went on, and the times of all that slept");
	check(entries(read_file(directory + "tracked").value_or("[none]")) == 0 &&
		      entries(read_file(directory + "waiters").value_or("[none]")) == 0,
	      "after the run nobody is listed");
	check(unload("rundown_stress") == 0 && unload("rundown") == 0 && !exists(directory),
	      "the modules unload, and the files go");
	ksft_finished();
}
