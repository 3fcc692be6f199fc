// SPDX-License-Identifier: GPL-2.0
// A holder that never releases: is it only the wait that suffers, and can one see who waits?
#include "ksft.hh"

#include <sstream>

using namespace ksft;
using std::string;

namespace
{

// The kernel's log from here on.
class Log
{
public:
	Log() : fd_("/dev/kmsg", O_RDWR | O_NONBLOCK) { lseek(fd_.get(), 0, SEEK_END); }

	void say(const string &line) const { write_fd(fd_, line + "\n"); }

	string read_on() const
	{
		string text;
		char record[8192];
		ssize_t n;
		// EPIPE: some were overwritten before they could be read.
		while ((n = read(fd_.get(), record, sizeof(record))) > 0 || errno == EPIPE)
			if (n > 0)
				text.append(record, n);
		return text;
	}

	// On, until nothing has come for two seconds.
	string read_to_silence() const
	{
		string text, more;
		do {
			std::this_thread::sleep_for(2s);
			more = read_on();
			text += more;
		} while (!more.empty());
		return text;
	}

private:
	Fd fd_;
};

// Who is blocked, as the kernel tells it, in traces without a header: see selftests/vm/splats.
string blocked_tasks()
{
	Log log;
	string text;
	log.say("expect-splat begin: Call");
	if (int error = write_file("/proc/sysrq-trigger", "w"))
		say("/proc/sysrq-trigger: " + errno_name(error));
	within(5s, [&] {
		text += log.read_on();
		return text.find("ex_cache_aware_") != text.npos &&
		       text.find("ex_basic_wait") != text.npos;
	});
	log.say("expect-splat end");
	return text;
}

const string hung_warn_secs = "/sys/module/rundown/parameters/hung_warn_secs";

// How many waits that began in the module are reported.
size_t reports(const string &text)
{
	size_t n = 0;
	std::istringstream lines(text);
	for (string line; std::getline(lines, line);) {
		n += line.find("[rundown_stress] has been waiting for ") != line.npos &&
		     line.find(": 1 held") != line.npos;
	}
	return n;
}

// Each wait is reported, and again, with the waiter's stack; and not any more once that is off.
bool long_waits_are_reported()
{
	Log log;
	string text;
	log.say("expect-splat begin: Call");
	write_file(hung_warn_secs, "1");
	bool twice = within(20s, [&] {
		text += log.read_on();
		return reports(text) >= 4;
	});
	write_file(hung_warn_secs, "0");
	// A report may be under way.
	text += log.read_to_silence();
	log.say("expect-splat end");
	bool stacks = text.find("ex_basic_wait") != text.npos &&
		      text.find("ex_cache_aware_") != text.npos;
	std::this_thread::sleep_for(5s);
	return twice && stacks && !reports(log.read_on());
}

// The line of each wait, with what is outstanding.
bool waiters_file_shows_both()
{
	string text = read_file("/sys/kernel/debug/rundown/waiters").value_or("");
	int n = 0;
	std::istringstream lines(text);
	for (string line; std::getline(lines, line);) {
		std::istringstream words(line);
		string ref, outstanding, seconds, task, comm, caller;
		words >> ref >> outstanding >> seconds >> task >> comm >> caller;
		string module;
		words >> module;
		n += outstanding == "1" && module == "[rundown_stress]";
	}
	return n == 2;
}

bool run_passes(const string &variant)
{
	int msecs = is_long() ? 10000 : 1000;
	write_file(debugfs + "run", "start variant=" + variant + " msecs=" + std::to_string(msecs));
	std::this_thread::sleep_for(std::chrono::milliseconds(msecs));
	bool ended = within(20s, [] {
		return read_file(debugfs + "stats").value_or("").starts_with("state idle\n");
	});
	string stats = read_file(debugfs + "stats").value_or("");
	total("acquires", number_of(stats, "grants"));
	total("rundowns", number_of(stats, "rundowns"));
	return ended && stats.find("\nverdict passed\n") != stats.npos;
}

} // namespace

int main()
{
	begin(13);
	if (load("rundown") || load("rundown_stress"))
		bail_out("rundown.ko and rundown_stress.ko do not load");

	manual("acquire basic");
	manual("acquire percpu");
	Process basic([] { return manual("wait basic"); });
	Process percpu([] { return manual("wait percpu"); });
	check(is_blocked(basic, "basic") && is_blocked(percpu, "percpu"),
	      "both kinds of wait block");

	check(manual("acquire basic") == ENODEV && manual("acquire percpu") == ENODEV,
	      "new holders are refused");
	check(run_passes("basic") && run_passes("percpu"),
	      "meanwhile objects of others are run down as ever");
	check(unload("rundown_stress") == EWOULDBLOCK && unload("rundown") == EWOULDBLOCK,
	      "neither module unloads");
	std::this_thread::sleep_for(is_long() ? 60s : 2s);
	check(basic.state() == 'D' && percpu.state() == 'D', "the waits stay");

	check(waiters_file_shows_both(), "debugfs shows who waits, for how many");
	check(long_waits_are_reported(), "the log reports waits that take long");
	bool refused = true;
	for (const char *bad : {"-1", "x", "4294967296", "4294967295"})
		refused &= write_file(hung_warn_secs, bad) != 0;
	check(refused && read_file(hung_warn_secs) == "0\n", "bad values for that are refused");

	string log = blocked_tasks();
	// Inlining and sibling calls may hide the one that is called, never the exported function.
	check(log.find("ex_basic_wait") != log.npos, "sysrq-w shows who waits, basic");
	check(log.find("ex_cache_aware_") != log.npos, "sysrq-w shows who waits, per CPU");

	manual("release basic");
	manual("release percpu");
	check(within(5s, [&] { return basic.ended() && percpu.ended(); }) &&
		      basic.exit_status() == 0 && percpu.exit_status() == 0,
	      "released after all, both waits return");
	check(manual("reinitialize basic") == 0 && manual("reinitialize percpu") == 0 &&
		      manual("acquire basic") == 0 && manual("acquire percpu") == 0,
	      "and both refs can be opened and acquired again");
	check(unload("rundown_stress") == 0 && unload("rundown") == 0, "the modules unload");
	ksft_finished();
}
