// SPDX-License-Identifier: GPL-2.0
// The subjects' loops, as Kbuild compiled them, in user space: each thread is a CPU, with its
// per-CPU area where the GS base points to, as in the kernel. Google Benchmark does the measuring;
// its options are this program's.
#include "native.h"
#include "../bench.h"

#include <asm/prctl.h>
#include <benchmark/benchmark.h>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sched.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <valgrind/callgrind.h>
#include <vector>

extern "C" {
extern char __executable_start[], etext[];
extern char __start_bench_percpu[], __stop_bench_percpu[];
extern char __start_bench_absent[], __stop_bench_absent[];
extern const char __start_bench_absent_names[], __stop_bench_absent_names[];
void __fentry__();
void __x86_return_thunk();
}

namespace
{

constexpr unsigned long kBatch = 1000;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kSymbol = 16; // of what is absent

[[noreturn]] void fail(const std::string &what)
{
	std::fprintf(stderr, "rundown-bench-native: %s\n", what.c_str());
	std::exit(1);
}

std::string system_error(const std::string &what)
{
	return what + ": " + std::strerror(errno);
}

// A fault in what has an address but is not there tells its name.
void tell_absent(int, siginfo_t *info, void *)
{
	const char *address = static_cast<const char *>(info->si_addr);
	std::string message = "rundown-bench-native: a fault\n";
	if (address >= __start_bench_absent && address < __stop_bench_absent) {
		const char *name = __start_bench_absent_names;
		for (auto nth = (address - __start_bench_absent) / kSymbol; nth; nth--)
			name += std::strlen(name) + 1;
		message = std::string("rundown-bench-native: this wants the kernel's ") + name +
			  ", which is absent here\n";
	}
	[[maybe_unused]] auto written = write(STDERR_FILENO, message.data(), message.size());
	_exit(1);
}

void guard_absent()
{
	struct sigaction action = {};
	action.sa_sigaction = tell_absent;
	action.sa_flags = SA_SIGINFO;
	if (sigaction(SIGSEGV, &action, nullptr))
		fail(system_error("sigaction"));
	if (mprotect(__start_bench_absent, __stop_bench_absent - __start_bench_absent, PROT_NONE))
		fail(system_error("mprotect"));
}

// What the kernel does to its own code as it boots: nobody traces, so the call at the start of each
// function goes; and on a CPU that needs no return thunk, the jump there becomes a return.
void patch()
{
	struct Patch {
		std::uint8_t opcode;
		void (*target)();
		std::uint8_t code[5];
		unsigned done = 0;
	};
	Patch patches[] = {{0xe8, __fentry__, {0x0f, 0x1f, 0x44, 0x00, 0x00}},
			   {0xe9, __x86_return_thunk, {0xc3, 0xcc, 0xcc, 0xcc, 0xcc}}};

	const auto start = reinterpret_cast<std::uintptr_t>(__executable_start) / kPage * kPage;
	const auto end = reinterpret_cast<std::uintptr_t>(etext);
	const auto protect = [&](int how) {
		if (mprotect(reinterpret_cast<void *>(start), end - start, how))
			fail(system_error("mprotect"));
	};
	protect(PROT_READ | PROT_WRITE | PROT_EXEC);
	for (auto at = start; at + 5 <= end; at++) {
		auto *code = reinterpret_cast<std::uint8_t *>(at);
		std::int32_t distance;
		std::memcpy(&distance, code + 1, sizeof(distance));
		for (auto &it : patches) {
			if (*code == it.opcode &&
			    at + 5 + distance == reinterpret_cast<std::uintptr_t>(it.target)) {
				std::memcpy(code, it.code, sizeof(it.code));
				it.done++;
			}
		}
	}
	protect(PROT_READ | PROT_EXEC);
	for (const auto &it : patches)
		if (!it.done)
			fail("found no code of the kernel's to patch");
}

// The CPUs that this process may run on; a thread becomes one of them.
std::vector<int> host_cpus;

std::vector<char *> areas;

void bring_up_cpus()
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set))
		fail(system_error("sched_getaffinity"));
	for (int cpu = 0; cpu < CPU_SETSIZE && host_cpus.size() < BENCH_NATIVE_CPUS; cpu++)
		if (CPU_ISSET(cpu, &set))
			host_cpus.push_back(cpu);

	// From GS on, at the addresses that the variables have: so as much address space as the
	// program takes, of which only the variables' own pages are ever touched.
	const auto variables = reinterpret_cast<std::uintptr_t>(__start_bench_percpu);
	const auto size = reinterpret_cast<std::uintptr_t>(__stop_bench_percpu);
	for (unsigned cpu = 0; cpu < host_cpus.size(); cpu++) {
		void *area = mmap(nullptr, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (area == MAP_FAILED)
			fail(system_error("mmap"));
		areas.push_back(static_cast<char *>(area));
		std::memcpy(areas[cpu] + variables, __start_bench_percpu, size - variables);
		bench_native_cpu(cpu, reinterpret_cast<unsigned long>(area));
	}
}

void become(unsigned cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(host_cpus[cpu], &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail(system_error("sched_setaffinity"));
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, areas[cpu]))
		fail(system_error("arch_prctl"));
}

// An object of a subject, live, for as long as the program runs.
bench_object *create(const bench_subject &subject)
{
	void *memory = std::aligned_alloc(64, bench_object_size);
	if (!memory)
		fail("out of memory");
	std::memset(memory, 0, bench_object_size);
	auto *object = static_cast<bench_object *>(memory);
	if (subject.create && subject.create(object))
		fail(std::string("can't create an object of ") + subject.name);
	return object;
}

using Loop = bool (*)(bench_object *, unsigned long);

void measure(benchmark::State &state, Loop loop, const std::vector<bench_object *> &objects)
{
	become(state.thread_index());
	auto *object = objects[state.thread_index() % objects.size()];
	for (auto _ : state) {
		if (!loop(object, kBatch)) {
			state.SkipWithError("an acquire went the wrong way");
			break;
		}
	}
	state.SetItemsProcessed(state.iterations() * kBatch);
}

void add(const std::string &name, Loop loop, std::vector<bench_object *> objects, int threads)
{
	benchmark::RegisterBenchmark(
		name.c_str(),
		[loop, objects](benchmark::State &state) { measure(state, loop, objects); })
		->Threads(threads)
		->UseRealTime();
}

void add_subject(const bench_subject &subject)
{
	const std::string name = subject.name;
	const int cpus = static_cast<int>(host_cpus.size());
	auto *const object = create(subject);
	add("pairs/" + name, subject.pairs, {object}, 1);
	if (cpus > 1) {
		add("shared/" + name, subject.pairs, {object}, cpus);
		// Static objects there are but two.
		if (std::string_view(subject.name).substr(0, 6) != "static") {
			std::vector<bench_object *> own;
			for (int cpu = 0; cpu < cpus; cpu++)
				own.push_back(create(subject));
			add("own/" + name, subject.pairs, own, cpus);
		}
	}
	if (subject.refused) {
		auto *const refusing = create(subject);
		subject.refuse(refusing);
		add("refused/" + name, subject.refused, {refusing}, 1);
		if (cpus > 1)
			add("refused/" + name, subject.refused, {refusing}, cpus);
	}
}

// Under callgrind, which then writes a file for each of them: its instructions.
void run_once(unsigned long pairs)
{
	for (auto *subject = bench_subjects; *subject; subject++) {
		if (!(*subject)->pairs || (*subject)->in_kernel)
			continue;
		auto *const object = create(**subject);
		CALLGRIND_ZERO_STATS;
		const bool granted = (*subject)->pairs(object, pairs);
		CALLGRIND_DUMP_STATS_AT((*subject)->name);
		if (!granted)
			fail(std::string("refused: ") + (*subject)->name);
	}
}

} // namespace

int main(int argc, char **argv)
{
	guard_absent();
	patch();
	bring_up_cpus();
	become(0);
	if (argc == 3 && std::string_view(argv[1]) == "--once") {
		run_once(std::strtoul(argv[2], nullptr, 10));
		return 0;
	}
	for (auto *subject = bench_subjects; *subject; subject++)
		if ((*subject)->pairs && !(*subject)->in_kernel)
			add_subject(**subject);
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 2;
	if (!benchmark::RunSpecifiedBenchmarks())
		fail("no benchmark of that name");
	benchmark::Shutdown();
	return 0;
}
