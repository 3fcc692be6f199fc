// SPDX-License-Identifier: GPL-2.0
// Whatever cannot be allocated: does it fail with ENOMEM, and leave nothing behind?
//
// An operation is done again and again, and each time another of its allocations fails: the first,
// the second, ..., until there are no more. Memory (slab and pages) fails by the kernel's fault
// injection, where it has that; per-CPU memory and threads by rundown_fault.ko.
#include <algorithm>
#include <dirent.h>
#include <memory>
#include <sstream>
#include <vector>

#include "ksft.hh"

using namespace ksft;
using std::string;

namespace
{

string stats()
{
	return read_file(debugfs + "stats").value_or("");
}
string run_file()
{
	return read_file(debugfs + "run").value_or("");
}

// What has the Nth allocation of this task fail. Reads 0 when it has.
struct Fault {
	const char *name;
	string file;
	bool there;
};

Fault memory{"memory", "/proc/thread-self/fail-nth", false};
Fault percpu{"per-CPU memory", "/sys/module/rundown_fault/parameters/percpu", false};
Fault thread{"threads", "/sys/module/rundown_fault/parameters/kthread", false};

// Without this most allocations would be spared.
bool arm_memory()
{
	const string debug = "/sys/kernel/debug/";
	if (!exists(memory.file) || !exists(debug + "failslab"))
		return false;
	if (write_file(debug + "failslab/ignore-gfp-wait", "N"))
		bail_out("failslab can't be set");
	write_file(debug + "failslab/verbose", "0");
	// Not every kernel that has the one has the other.
	write_file(debug + "fail_page_alloc/ignore-gfp-wait", "N");
	write_file(debug + "fail_page_alloc/ignore-gfp-highmem", "N");
	write_file(debug + "fail_page_alloc/min-order", "0");
	write_file(debug + "fail_page_alloc/verbose", "0");
	return true;
}

// Threads of the stress module that live.
int threads_left()
{
	int n = 0;
	std::unique_ptr<DIR, int (*)(DIR *)> proc(opendir("/proc"), closedir);
	while (dirent *entry = readdir(proc.get()))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			n += read_file(string("/proc/") + entry->d_name + "/comm")
				     .value_or("")
				     .starts_with("stress/");
	return n;
}

// Something that allocates: @act does it, @undo takes it back, @unchanged says that nothing was
// done.
struct Operation {
	std::function<int()> act;
	std::function<void()> undo;
	std::function<bool()> unchanged;
	// Most of what loading a module allocates is the module loader's, and our part comes last.
	bool most_is_not_ours = false;
};

struct Attempt {
	int error;
	int left; // how many more allocations it would have taken; 0 if one has failed
};

// The operation with its nth allocation failing.
Attempt attempt(const Fault &fault, const Operation &operation, int nth)
{
	// Opened beforehand: an open while it is armed would allocate, too.
	Fd fd(fault.file, O_RDWR);
	write_fd(fd, std::to_string(nth));
	int error = operation.act();
	char left[16] = "-1";
	pread(fd.get(), left, sizeof(left) - 1, 0);
	pwrite(fd.get(), "0", 1, 0);
	if (!error)
		operation.undo();
	return {error, std::atoi(left)};
}

// What became of all those failures.
struct Outcome {
	int allocations = 0;
	int failed = 0;    // with ENOMEM
	int tolerated = 0; // it succeeded all the same
	string wrong;

	int hits() const { return failed + tolerated; }
};

Outcome exhaust(const Fault &fault, const Operation &operation)
{
	const int many = 1000000;
	Outcome outcome;
	Attempt all = attempt(fault, operation, many);
	outcome.allocations = many - all.left;
	if (all.error) {
		outcome.wrong = "without a failure: " + errno_name(all.error);
		return outcome;
	}
	const int last = outcome.allocations - 40;
	const int stride = std::max(4, outcome.allocations / 50);
	for (int nth = 1; nth < many;
	     nth += operation.most_is_not_ours && !is_long() && nth < last ? stride : 1) {
		auto [error, left] = attempt(fault, operation, nth);
		if (left && !error)
			break;
		error ? outcome.failed++ : outcome.tolerated++;
		if (left)
			outcome.wrong = errno_name(error) + " without a failure";
		else if (error && error != ENOMEM)
			outcome.wrong = errno_name(error) + ", not ENOMEM";
		else if (!operation.unchanged())
			outcome.wrong = "something has changed";
		if (!outcome.wrong.empty()) {
			outcome.wrong = "number " + std::to_string(nth) + ": " + outcome.wrong;
			return outcome;
		}
	}
	// One may be on its last instructions when its kthread_stop() has returned.
	if (!within(10s, [] { return threads_left() == 0; }))
		outcome.wrong = std::to_string(threads_left()) + " threads are left";
	return outcome;
}

void test(const string &what, const Fault &fault, const Operation &operation, int at_least)
{
	const string name = what + ": " + fault.name + " that can't be had";
	if (!fault.there) {
		skip(name, "the kernel can't inject that");
		return;
	}
	Outcome outcome = exhaust(fault, operation);
	if (!outcome.wrong.empty())
		say(outcome.wrong);
	say(std::to_string(outcome.allocations) + " allocations; " +
	    std::to_string(outcome.failed) + " times ENOMEM, " + std::to_string(outcome.tolerated) +
	    " times done without");
	total("injected_failures", outcome.hits());
	check(outcome.wrong.empty() && outcome.hits() >= at_least, name);
}

// The kernel warns if there is no memory for what a module's tracepoints have in tracefs.
void test_with_tracepoints(const string &what, const Operation &operation, int at_least)
{
	bool warns = memory.there && exists("/sys/kernel/tracing/events");
	if (warns)
		write_file("/dev/kmsg", "expect-splat begin: kernel/trace/trace_events.c\n");
	test(what, memory, operation, at_least);
	if (warns)
		write_file("/dev/kmsg", "expect-splat end\n");
}

std::vector<string> variants()
{
	std::vector<string> names;
	std::istringstream lines(read_file(debugfs + "variants").value_or(""));
	for (string line; std::getline(lines, line);)
		names.push_back(line.substr(0, line.find(' ')));
	return names;
}

Operation loading(const string &module)
{
	// Not finit_module(): the kernel warns if it can't read the file for lack of memory.
	auto image = std::make_shared<string>(read_file("./" + module + ".ko").value_or(""));
	return {[=] { return load_image(*image); }, [=] { unload(module); },
		[=] { return !loaded(module); }, true};
}

// The file is open beforehand, so that opening it does not allocate.
Operation starting(const string &variant)
{
	auto fd = std::make_shared<Fd>(debugfs + "run", O_WRONLY);
	string line = "start variant=" + variant + " threads=2 refs=2 waiters=2 msecs=60000";
	auto before = std::make_shared<string>(run_file());
	return {[=] { return write_fd(*fd, line); },
		[=] {
			write_fd(*fd, "stop");
			*before = run_file();
		},
		[=] { return run_file() == *before; }};
}

Operation by_hand(const string &kind)
{
	auto fd = std::make_shared<Fd>(debugfs + "manual", O_WRONLY);
	return {[=] {
			for (auto word : {"acquire ", "release ", "wait ", "reinitialize "})
				if (int error = write_fd(*fd, word + kind))
					return error;
			return 0;
		},
		[] {}, [] { return true; }};
}

const char *const variant_names[] = {
	"basic",  "percpu",         "percpu_ex",        "static",           "in_place",
	"no_ipi", "tracked",        "tracked_basic",    "percpu_ref",       "srcu",
	"rwsem",  "broken_no_bias", "broken_two_steps", "broken_no_offline"};

// Passes that need no memory of their own.
bool uses_percpu(const string &variant)
{
	return variant == "percpu" || variant == "percpu_ex" || variant == "no_ipi" ||
	       variant == "tracked" || variant == "percpu_ref" || variant == "srcu" ||
	       variant.starts_with("broken");
}

bool allocates_as_others(const string &variant)
{
	return variant.starts_with("tracked") || variant == "rwsem" || variant == "srcu" ||
	       variant == "broken_two_steps" || variant == "broken_no_offline";
}

} // namespace

int main()
{
	const int variants_tested =
		std::size(variant_names) -
		(is_long() ? 0 : std::ranges::count_if(variant_names, allocates_as_others));

	begin(2 * 3 + 3 * variants_tested + 2 + 3);
	memory.there = arm_memory();
	// Not built where the kernel has no kretprobes. Any other reason is a failure.
	if (exists("./rundown_fault.ko")) {
		if (int error = load("rundown_fault"))
			bail_out("rundown_fault.ko does not load: " + errno_name(error));
		percpu.there = thread.there = true;
	}

	test_with_tracepoints("loading rundown.ko", loading("rundown"), 10);
	test("loading rundown.ko", percpu, loading("rundown"), 1);
	if (load("rundown"))
		bail_out("rundown.ko does not load");
	test("loading rundown_user.ko", memory, loading("rundown_user"), 10);
	test("loading rundown_user.ko", percpu, loading("rundown_user"), 1);
	test("loading rundown_user.ko", thread, loading("rundown_user"), 3);
	test("loading rundown_stress.ko", memory, loading("rundown_stress"), 10);
	if (load("rundown_stress"))
		bail_out("rundown_stress.ko does not load");

	check(variants() == std::vector<string>(std::begin(variant_names), std::end(variant_names)),
	      "all variants are in this test");
	for (const string variant : variant_names) {
		if (!is_long() && allocates_as_others(variant))
			continue;
		// Two refs, and for each the counts of its holders; the counts of the run.
		int slots = 3 + (uses_percpu(variant) ? 2 : 0);
		test("starting " + variant, memory, starting(variant), 15);
		test("starting " + variant, percpu, starting(variant), slots);
		test("starting " + variant, thread, starting(variant), 2 + 2 + 2);
	}
	for (const string kind : {"basic", "percpu"})
		test("using a ref, " + kind, memory, by_hand(kind), 0);

	write_file(debugfs + "run", "start msecs=1000");
	std::this_thread::sleep_for(1s);
	check(within(10s, [] { return stats().find("\nverdict passed\n") != string::npos; }),
	      "after all that, a run passes");
	check(unload("rundown_stress") == 0 && unload("rundown") == 0, "the modules unload");
	ksft_finished();
}
