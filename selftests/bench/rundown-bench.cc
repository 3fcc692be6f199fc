// SPDX-License-Identifier: GPL-2.0
// Drives rundown_bench.ko through debugfs: run-downs and pairs of each subject, in rounds, so that
// what disturbs the machine for a while disturbs all of them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

using nlohmann::ordered_json;

namespace
{

constexpr int kFailed = 1, kUsage = 2, kUnavailable = 4;
constexpr unsigned kRoundsOfMany = 3;

struct Failure {
	int status;
	std::string what;
};

struct Subject {
	std::string name, kind, title;
	unsigned bytes, bytes_percpu;
	bool pairs, refused, down, settles;
};

struct Options {
	std::string debugfs = "/sys/kernel/debug";
	std::vector<std::string> only;
	unsigned rounds = 5, samples = 40, refs = 1000;
	unsigned long pairs = 1000000;
	bool idle_only = false, json = false;
};

std::string slurp(const std::string &path)
{
	std::ifstream file(path);
	std::ostringstream text;
	text << file.rdbuf();
	if (!file)
		throw Failure{kUnavailable, path + " can't be read"};
	return text.str();
}

class Bench
{
public:
	explicit Bench(const std::string &debugfs) : m_directory(debugfs + "/rundown_bench")
	{
		if (geteuid())
			throw Failure{kUnavailable, "only root can do this"};
		if (access(debugfs.c_str(), R_OK))
			throw Failure{kUnavailable,
				      "no debugfs there: mount -t debugfs none " + debugfs};
		if (access(m_directory.c_str(), F_OK))
			throw Failure{kUnavailable,
				      "the module is missing: insmod rundown.ko rundown_bench.ko"};
	}

	std::vector<Subject> subjects() const
	{
		std::vector<Subject> all;
		std::istringstream lines(slurp(m_directory + "/subjects"));
		for (std::string line; std::getline(lines, line);) {
			Subject it;
			std::string can;
			std::istringstream words(line);
			words >> it.name >> it.kind >> it.bytes >> it.bytes_percpu >> can;
			std::getline(words >> std::ws, it.title);
			if (!words || can.size() != 4)
				throw Failure{kFailed, "what is this subject? " + line};
			it.pairs = can[0] == 'p';
			it.refused = can[1] == 'r';
			it.down = can[2] == 'd';
			it.settles = can[3] == 's';
			all.push_back(it);
		}
		return all;
	}

	std::vector<double> measure(const std::string &command) const
	{
		const int fd = open((m_directory + "/run").c_str(), O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			throw Failure{kUnavailable, m_directory + "/run: " + std::strerror(errno)};
		const ssize_t written = write(fd, command.data(), command.size());
		const int error = errno;
		close(fd);
		if (written < 0)
			throw Failure{kFailed, "'" + command + "': " + std::strerror(error)};
		std::vector<double> samples;
		std::istringstream lines(slurp(m_directory + "/result"));
		for (double ns; lines >> ns;)
			samples.push_back(ns);
		if (samples.empty())
			throw Failure{kFailed, "'" + command + "' had no result"};
		return samples;
	}

private:
	std::string m_directory;
};

// Function-call interrupts so far, on all CPUs; none is told where there is no such line (x86 has
// it).
std::optional<double> calls()
{
	std::istringstream lines(slurp("/proc/interrupts"));
	for (std::string line; std::getline(lines, line);) {
		std::istringstream words(line);
		std::string name;
		words >> name;
		if (name != "CAL:")
			continue;
		double sum = 0;
		for (double n; words >> n;)
			sum += n;
		return sum;
	}
	return std::nullopt;
}

class Measurements
{
public:
	Measurements(const Bench &bench, const Options &options)
		: m_bench(bench), m_options(options)
	{
	}

	void round(const Subject &subject, unsigned cpus, unsigned number)
	{
		if (subject.down) {
			down(subject, 1, 0);
			if (subject.pairs && cpus > 1 && !m_options.idle_only)
				down(subject, 1, cpus - 1);
			// Seconds for some of the peers.
			if (number < kRoundsOfMany && m_options.refs > 1 &&
			    !subject.name.starts_with("static"))
				down(subject, m_options.refs, 0);
		}
		if (m_options.idle_only)
			return;
		if (subject.pairs) {
			loop("pairs", subject, 1, "shared");
			if (cpus > 1)
				loop("pairs", subject, cpus, "shared");
		}
		if (subject.refused) {
			loop("refused", subject, 1, "shared");
			if (cpus > 1)
				loop("refused", subject, cpus, "shared");
		}
	}

	ordered_json json() const
	{
		ordered_json all = ordered_json::array();
		for (const auto &key : m_order)
			all.push_back(m_results.at(key));
		return all;
	}

private:
	ordered_json &result(const std::string &key, const ordered_json &what)
	{
		if (!m_results.contains(key)) {
			m_order.push_back(key);
			m_results[key] = what;
		}
		return m_results[key];
	}

	void down(const Subject &subject, unsigned refs, unsigned holders)
	{
		const unsigned samples = refs > 1 ? 1 : m_options.samples;
		const std::string key = "down " + subject.name + ' ' + std::to_string(samples) +
					' ' + std::to_string(refs) + ' ' + std::to_string(holders);
		const auto before = calls();
		const auto ns = m_bench.measure(key);
		const auto after = calls();
		auto &it = result(key, {{"what", "down"},
					{"subject", subject.name},
					{"refs", refs},
					{"holders", holders},
					{"ns", ordered_json::array()}});
		for (const double sample : ns)
			it["ns"].push_back(sample);
		// The way up may interrupt, too. To settle is no part of either.
		if (before && after && !holders && refs == 1 && !subject.settles)
			it["calls"].push_back((*after - *before) / static_cast<double>(ns.size()));
	}

	void loop(const std::string &what, const Subject &subject, unsigned threads,
		  const std::string &objects)
	{
		const std::string key = what + ' ' + subject.name + ' ' +
					std::to_string(m_options.pairs) + ' ' +
					std::to_string(threads) + ' ' + objects;
		const auto ns = m_bench.measure(key);
		auto &it = result(key, {{"what", what},
					{"subject", subject.name},
					{"threads", threads},
					{"ns", ordered_json::array()}});
		double sum = 0;
		for (const double sample : ns)
			sum += sample;
		it["ns"].push_back(sum / static_cast<double>(ns.size() * m_options.pairs));
	}

	const Bench &m_bench;
	const Options &m_options;
	std::vector<std::string> m_order;
	std::map<std::string, ordered_json> m_results;
};

std::string date()
{
	const std::time_t now = std::time(nullptr);
	char text[32];
	std::strftime(text, sizeof(text), "%Y-%m-%d", std::gmtime(&now));
	return text;
}

ordered_json to_json(const Options &options, const std::vector<Subject> &subjects, unsigned cpus,
		     const ordered_json &measurements)
{
	utsname kernel;
	uname(&kernel);
	ordered_json told = ordered_json::array();
	for (const auto &it : subjects)
		told.push_back({{"name", it.name},
				{"kind", it.kind},
				{"title", it.title},
				{"bytes", it.bytes},
				{"bytes_percpu", it.bytes_percpu}});
	return {{"context",
		 {{"kernel", kernel.release},
		  {"machine", kernel.machine},
		  {"cpus", cpus},
		  {"date", date()},
		  {"rounds", options.rounds}}},
		{"subjects", told},
		{"measurements", measurements}};
}

void print_table(const std::vector<Subject> &subjects, unsigned cpus,
		 const ordered_json &measurements)
{
	// The median of all that was measured so, in that unit.
	const auto cell = [&](const Subject &subject, const ordered_json &what, double unit) {
		for (const auto &it : measurements) {
			if (it.at("subject") != subject.name ||
			    !std::ranges::all_of(what.items(), [&](const auto &key) {
				    return it.contains(key.key()) &&
					   it.at(key.key()) == key.value();
			    }))
				continue;
			auto ns = it.at("ns").get<std::vector<double>>();
			const auto middle = ns.begin() + static_cast<std::ptrdiff_t>(ns.size() / 2);
			std::nth_element(ns.begin(), middle, ns.end());
			std::ostringstream text;
			text << std::setprecision(3) << *middle / unit;
			return text.str();
		}
		return std::string("-");
	};
	const auto row = [](const auto &...column) {
		std::size_t n = 0;
		((std::cout << (n++ ? std::setw(13) : std::setw(0)) << column), ...);
		std::cout << '\n';
	};
	const auto name = [](std::string text) {
		text.resize(std::max<std::size_t>(text.size(), 38), ' ');
		return text;
	};

	unsigned refs = 0, holders = 0;
	for (const auto &it : measurements) {
		if (it.at("what") != "down")
			continue;
		refs = std::max(refs, it.at("refs").get<unsigned>());
		holders = std::max(holders, it.at("holders").get<unsigned>());
	}
	std::cout << "ns: a pair, or a refused acquire, on each thread; us, ms: a run-down. "
		     "Medians.\n\n";
	row(name(""), "pair ns", std::to_string(cpus) + " threads", "refused ns", "run-down us",
	    std::to_string(refs) + " refs ms", "held us");
	for (const auto &it : subjects) {
		const auto down = [&](unsigned n, unsigned by, double unit) {
			return cell(it, {{"what", "down"}, {"refs", n}, {"holders", by}}, unit);
		};
		row(name(it.title), cell(it, {{"what", "pairs"}, {"threads", 1}}, 1),
		    cell(it, {{"what", "pairs"}, {"threads", cpus}}, 1),
		    cell(it, {{"what", "refused"}, {"threads", 1}}, 1), down(1, 0, 1e3),
		    refs > 1 ? down(refs, 0, 1e6) : "-", holders ? down(1, holders, 1e3) : "-");
	}
}

void run(const Options &options)
{
	const Bench bench(options.debugfs);
	std::vector<Subject> subjects;
	for (const auto &subject : bench.subjects())
		if (options.only.empty() ||
		    std::ranges::find(options.only, subject.name) != options.only.end())
			subjects.push_back(subject);
	const std::set<std::string> only(options.only.begin(), options.only.end());
	if (subjects.empty() || (!only.empty() && subjects.size() != only.size()))
		throw Failure{kUsage, "no subject of that name; see rundown_bench/subjects"};

	const unsigned cpus = std::max(1u, std::thread::hardware_concurrency());
	Measurements measurements(bench, options);
	for (unsigned round = 0; round < options.rounds; round++) {
		for (const auto &subject : subjects) {
			std::cerr << "round " << round + 1 << " of " << options.rounds << ": "
				  << subject.name << '\n';
			measurements.round(subject, cpus, round);
		}
	}

	if (options.json)
		std::cout << to_json(options, subjects, cpus, measurements.json()).dump()
			  << std::endl;
	else
		print_table(subjects, cpus, measurements.json());
}

} // namespace

int main(int argc, char **argv)
{
	Options options;
	CLI::App app("Measures run-down protection and its peers in the kernel, through "
		     "rundown_bench.ko.");
	app.add_option("--subject", options.only, "only these")->delimiter(',');
	app.add_option("--rounds", options.rounds, "measure everything so often")
		->check(CLI::Range(1, 1000))
		->capture_default_str();
	app.add_option("--samples", options.samples, "run-downs of one ref, a round")
		->check(CLI::Range(1, 10000))
		->capture_default_str();
	app.add_option("--refs", options.refs, "refs run down one after the other; 1: do not")
		->check(CLI::Range(1, 10000))
		->capture_default_str();
	app.add_option("--pairs", options.pairs, "acquires and releases a thread, a round")
		->check(CLI::Range(1UL, 1000000000UL))
		->capture_default_str();
	app.add_flag("--idle-only", options.idle_only, "only run-downs of refs that nobody holds");
	app.add_flag("--json", options.json, "JSON instead of the table");
	app.add_option("--debugfs", options.debugfs, "where it is mounted")->capture_default_str();
	app.footer(
		"exit: 0 measured, 1 a measurement failed, 2 usage, 4 no root, debugfs or module");
	try {
		app.parse(argc, argv);
		run(options);
	} catch (const CLI::ParseError &error) {
		return app.exit(error) ? kUsage : 0;
	} catch (const Failure &failure) {
		std::cerr << "rundown-bench: " << failure.what << '\n';
		return failure.status;
	}
	return 0;
}
