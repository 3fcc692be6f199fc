// SPDX-License-Identifier: GPL-2.0
// Does a wait outlast every signal, as on Windows, and does the signal arrive afterwards?
#include <memory>
#include <vector>

#include "ksft.hh"

using namespace ksft;
using std::string;

namespace
{

volatile sig_atomic_t handled;

// Exit status: how the wait ended, and 100 more if a signal was handled.
int wait_for(const string &kind)
{
	struct sigaction action = {};
	action.sa_handler = [](int) { handled = 1; };
	sigaction(SIGUSR1, &action, nullptr);
	int error = manual("wait " + kind);
	return error + (handled ? 100 : 0);
}

struct Expected {
	int signal;
	const char *name;
	int status; // of the task: 128 + the signal that killed it
};

const Expected expected[] = {
	{SIGTERM, "SIGTERM", 128 + SIGTERM},
	{SIGINT, "SIGINT", 128 + SIGINT},
	{SIGKILL, "SIGKILL", 128 + SIGKILL},
	{SIGUSR1, "SIGUSR1", 100},
	{SIGSTOP, "SIGSTOP", 0},
};

void test_signal(const string &kind, const Expected &expect)
{
	string name = kind + ", " + expect.name + ": ";
	manual("acquire " + kind);
	Process waiter([&] { return wait_for(kind); });
	bool blocked = is_blocked(waiter, kind);

	waiter.signal(expect.signal);
	std::this_thread::sleep_for(100ms);
	check(blocked && waiter.state() == 'D' && waiting(kind, 1),
	      name + "the wait stays, uninterruptible");

	manual("release " + kind);
	if (expect.signal == SIGSTOP) {
		bool stopped = within(5s, [&] { return waiter.state() == 'T'; });
		if (!stopped)
			say(string("not stopped but ") + waiter.state());
		waiter.signal(SIGCONT);
	}
	bool in_time = within(5s, [&] { return waiter.ended(); });
	int status = in_time ? waiter.exit_status() : -1;
	if (status != expect.status)
		say("status " + std::to_string(status) + ", not " + std::to_string(expect.status));
	check(in_time && status == expect.status, name + "after the release it ends, and arrives");
	manual("reinitialize " + kind);
}

void test_together(const string &kind)
{
	manual("acquire " + kind);
	std::vector<std::unique_ptr<Process>> waiters;
	bool blocked = true;
	for (size_t i = 0; i < 4 * std::size(expected); i++) {
		waiters.push_back(std::make_unique<Process>([&] { return wait_for(kind); }));
	}
	for (auto &waiter : waiters)
		blocked &= is_blocked(*waiter, kind, waiters.size());
	for (size_t i = 0; i < waiters.size(); i++)
		waiters[i]->signal(expected[i % std::size(expected)].signal);
	std::this_thread::sleep_for(50ms);
	for (auto &waiter : waiters)
		blocked &= waiter->state() == 'D';

	// The machine is in order meanwhile.
	write_file(debugfs + "run", "start variant=" + kind + " msecs=1000");
	std::this_thread::sleep_for(1s);
	bool passed = within(10s, [] {
		return read_file(debugfs + "stats").value_or("").find("\nverdict passed\n") !=
		       string::npos;
	});
	total("acquires", number_of(read_file(debugfs + "stats").value_or(""), "grants"));
	total("rundowns", number_of(read_file(debugfs + "stats").value_or(""), "rundowns"));
	check(blocked && passed && waiting(kind, waiters.size()),
	      kind + ": under 20 waits with signals a stress run passes");

	manual("release " + kind);
	bool all = true;
	for (size_t i = 0; i < waiters.size(); i++) {
		const Expected &expect = expected[i % std::size(expected)];
		if (expect.signal == SIGSTOP)
			all &= within(5s, [&] { return waiters[i]->state() == 'T'; });
		waiters[i]->signal(SIGCONT);
		all &= within(5s, [&] { return waiters[i]->ended(); }) &&
		       waiters[i]->exit_status() == expect.status;
	}
	check(all, kind + ": one release ends them all, each by its signal");
	check(manual("acquire " + kind) == ENODEV && manual("reinitialize " + kind) == 0 &&
		      manual("acquire " + kind) == 0 && manual("release " + kind) == 0,
	      kind + ": then it refuses, until it is opened again");
}

} // namespace

int main()
{
	begin(2 * (2 * std::size(expected) + 3) + 1);
	if (load("rundown") || load("rundown_stress"))
		bail_out("rundown.ko and rundown_stress.ko do not load");
	for (string kind : {"basic", "percpu"}) {
		for (auto &expect : expected)
			test_signal(kind, expect);
		test_together(kind);
	}
	check(unload("rundown_stress") == 0 && unload("rundown") == 0, "the modules unload");
	ksft_finished();
}
