// SPDX-License-Identifier: GPL-2.0
// Does rundown.ko load and unload, over and over, with modules that use it all the time it is
// there?
#include <memory>
#include <sstream>
#include <vector>

#include "ksft.hh"

using namespace ksft;
using std::string;

namespace
{

std::string counts(const std::string &module)
{
	return read_file("/sys/module/" + module + "/parameters/counts").value_or("");
}

// That the module has used the refs, and goes on to.
bool is_at_work(const std::string &module)
{
	long long before = number_of(counts(module), "uses");
	return before >= 0 &&
	       within(5s, [&] { return number_of(counts(module), "uses") > before; });
}

std::string attribute(const std::string &module, const std::string &name)
{
	std::string text = read_file("/sys/module/" + module + "/" + name).value_or("none\n");
	return text.substr(0, text.find('\n'));
}

// What would grow if each round left something behind, in kB.
struct Memory {
	long long vmalloc, percpu, slab;

	static Memory now()
	{
		std::istringstream in(read_file("/proc/meminfo").value_or(""));
		Memory memory{};
		std::string key, line;
		for (long long kb; in >> key >> kb; std::getline(in, line)) {
			if (key == "VmallocUsed:")
				memory.vmalloc = kb;
			else if (key == "Percpu:")
				memory.percpu = kb;
			else if (key == "SUnreclaim:")
				memory.slab = kb;
		}
		return memory;
	}
};

struct Sum {
	long long uses = 0, violations = 0, rundowns = 0;

	void add(const std::string &module)
	{
		std::string text = counts(module);
		uses += number_of(text, "uses");
		violations += number_of(text, "violations");
		rundowns += number_of(text, "rundowns");
	}
} sum;

// Loads both, sees them work, unloads both. What went wrong, or nothing.
std::string round()
{
	if (int error = load("rundown"))
		return "rundown.ko: " + errno_name(error);
	if (int error = load("rundown_user"))
		return "rundown_user.ko: " + errno_name(error);
	if (!is_at_work("rundown_user"))
		return "the user does not use it: " + counts("rundown_user");
	if (int error = unload("rundown"); error != EWOULDBLOCK)
		return "unload under use: " + errno_name(error) + ", not EWOULDBLOCK";
	sum.add("rundown_user");
	if (int error = unload("rundown_user"))
		return "unload the user: " + errno_name(error);
	if (int error = unload("rundown"))
		return "unload: " + errno_name(error);
	return "";
}

void test_rounds()
{
	// A kernel that checks its locks takes its time.
	const int rounds = is_long() ? 2000 : exists("/proc/lockdep") ? 60 : 200, warm = 20;
	const string expedited = "/sys/kernel/rcu_expedited";
	const string as_it_was = read_file(expedited).value_or("0");
	Memory before{};
	std::string wrong;
	int done = 0;

	for (; done < rounds && wrong.empty(); done++) {
		if (done == warm) {
			before = Memory::now();
			// The rest of them with grace periods that do not take all the time there
			// is.
			write_file(expedited, "1");
		}
		wrong = round();
	}
	write_file(expedited, as_it_was);
	if (!wrong.empty())
		say("round " + std::to_string(done) + ": " + wrong);
	check(wrong.empty(), "loads, is used and unloads " + std::to_string(rounds) + " times");
	unload_all();

	Memory after = Memory::now();
	std::ostringstream grown;
	grown << "vmalloc " << after.vmalloc - before.vmalloc << " kB, per-CPU "
	      << after.percpu - before.percpu << " kB, slab " << after.slab - before.slab << " kB";
	say("grown since round " + std::to_string(warm) + ": " + grown.str());
	// A page of code or data for each round would be 720 kB. KASAN keeps what was freed for a
	// while.
	const bool has_kasan =
		read_file("/proc/kallsyms").value_or("").find(" kasan_quarantine_put\n") !=
		string::npos;
	check(wrong.empty() && after.vmalloc - before.vmalloc < 512 &&
		      after.percpu - before.percpu < 64 + 16 * sysconf(_SC_NPROCESSORS_CONF) &&
		      (has_kasan || after.slab - before.slab < 512),
	      "memory does not grow with the rounds");
}

void test_states()
{
	check(load("rundown_user") == ENOENT, "a user does not load without rundown.ko");
	check(load("rundown") == 0 && attribute("rundown", "initstate") == "live" &&
		      attribute("rundown", "refcnt") == "0",
	      "loaded, it is live and unused in /sys/module");
	check(load("rundown") == EEXIST, "it does not load twice");
	check(load("rundown_second_user") == ENOENT,
	      "the second user does not load without the first");
	check(load("rundown_user") == 0 && attribute("rundown", "refcnt") == "1" &&
		      exists("/sys/module/rundown/holders/rundown_user"),
	      "a user is counted and named as holder");
	check(load("rundown_second_user") == 0 && attribute("rundown", "refcnt") == "2" &&
		      attribute("rundown_user", "refcnt") == "1",
	      "a second user loads beside the first");
	check(is_at_work("rundown_user") && is_at_work("rundown_second_user"),
	      "both use the same refs");
	long long before = number_of(counts("rundown_user"), "rundowns");
	check(within(5s,
		     [&] { return number_of(counts("rundown_user"), "rundowns") > before + 20; }),
	      "which are run down and opened again meanwhile");
	check(unload("rundown") == EWOULDBLOCK && unload("rundown_user") == EWOULDBLOCK &&
		      attribute("rundown", "initstate") == "live",
	      "neither rundown.ko nor the first user unloads under the second");
	check(is_at_work("rundown_user") && is_at_work("rundown_second_user"),
	      "after the refusals both work on");
	sum.add("rundown_second_user");
	check(unload("rundown_second_user") == 0 && unload("rundown") == EWOULDBLOCK &&
		      is_at_work("rundown_user"),
	      "the second unloads under the first, which works on");
	sum.add("rundown_user");
	check(unload("rundown_user") == 0 && unload("rundown") == 0 && !loaded("rundown") &&
		      !loaded("rundown_user"),
	      "in this order all unload, and are gone from /sys/module");
	check(unload("rundown") == ENOENT, "what is not loaded does not unload");
}

// Several processes at once: one wins, whoever it is.
void test_race()
{
	const int racers = 4, rounds = is_long() ? 100 : 10;
	bool one_each = true;

	for (int i = 0; i < rounds && one_each; i++) {
		std::vector<std::unique_ptr<Process>> loaders, unloaders;
		int won = 0, lost = 0;
		for (int k = 0; k < racers; k++)
			loaders.push_back(
				std::make_unique<Process>([] { return load_copy("rundown"); }));
		for (auto &loader : loaders) {
			int error = loader->exit_status();
			won += error == 0;
			lost += error == EEXIST || error == EBUSY;
		}
		one_each = won == 1 && lost == racers - 1;
		won = lost = 0;
		for (int k = 0; k < racers; k++)
			unloaders.push_back(
				std::make_unique<Process>([] { return unload("rundown"); }));
		for (auto &unloader : unloaders) {
			int error = unloader->exit_status();
			won += error == 0;
			lost += error == ENOENT || error == EBUSY || error == EWOULDBLOCK;
		}
		one_each &= won == 1 && lost == racers - 1;
	}
	check(one_each,
	      "of " + std::to_string(racers) + " that load or unload it at once, one succeeds");
}

} // namespace

int main()
{
	begin(17);
	test_states();
	test_race();
	test_rounds();
	check(sum.violations == 0, "no user met a ref's object that was run down");
	total("acquires", sum.uses);
	total("rundowns", sum.rundowns);
	ksft_finished();
}
