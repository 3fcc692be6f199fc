// SPDX-License-Identifier: GPL-2.0

#include "results.hh"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace bench
{

using nlohmann::ordered_json;

namespace
{

[[noreturn]] void fail(const std::string &what)
{
	throw std::runtime_error(what);
}

ordered_json load(const std::string &path)
{
	std::ifstream file(path);
	if (!file)
		fail(path + " can't be read");
	return ordered_json::parse(file);
}

} // namespace

Results::Results(const std::string &path) : m_json(load(path)) {}

std::vector<std::string> Results::subjects() const
{
	std::vector<std::string> names;
	for (const auto &[name, it] : m_json.at("subjects").items())
		names.push_back(name);
	return names;
}

std::string Results::title(const std::string &subject) const
{
	return m_json.at("subjects").at(subject).at("title");
}

std::string Results::main_cpus() const
{
	for (const auto &[cpus, context] : m_json.at("kernel").items())
		if (find("kernel " + cpus + " pairs percpu 1"))
			return cpus;
	fail("no run in a kernel");
}

// What Google Benchmark wrote: ns of CPU time a pair, on each thread.
void merge_native(ordered_json &all, const std::string &path)
{
	constexpr double batch = 1000; // native.cc
	const auto native = load(path);
	const auto &context = native.at("context");
	int cpus = 1;
	for (const auto &it : native.at("benchmarks")) {
		if (it.value("error_occurred", false))
			fail(it.at("name").get<std::string>() + ": " +
			     it.at("error_message").get<std::string>());
		if (it.at("run_type") != "iteration")
			continue;
		std::string name = it.at("run_name");
		name = name.substr(0, name.find("/real_time"));
		cpus = std::max(cpus, it.at("threads").get<int>());
		std::ranges::replace(name, '/', ' ');
		all["measurements"]
		   ["native " + name + ' ' + std::to_string(it.at("threads").get<int>())]
			   .push_back(it.at("cpu_time").get<double>() / batch);
	}
	all["native"] = {{"date", context.at("date").get<std::string>().substr(0, 10)},
			 {"cpus", cpus}};
}

// "SUBJECT N" a line: instructions a pair.
void merge_instructions(ordered_json &all, const std::string &path)
{
	std::ifstream lines(path);
	std::string name;
	double n;
	while (lines >> name >> n)
		all["measurements"]["native instructions " + name].push_back(n);
	if (!lines.eof())
		fail(path + " can't be read");
}

// polling: its CPUs do not halt.
void merge_kernel(ordered_json &all, const std::string &path, bool polling)
{
	const auto kernel = load(path);
	const auto &context = kernel.at("context");
	const std::string cpus = std::to_string(context.at("cpus").get<int>());
	const std::string run = polling ? "polling " : "kernel " + cpus + ' ';
	if (!polling)
		all["kernel"][cpus] = context;
	for (const auto &it : kernel.at("subjects"))
		all["subjects"][it.at("name").get<std::string>()] = it;
	for (const auto &it : kernel.at("measurements")) {
		const std::string what = it.at("what"), subject = it.at("subject");
		std::string key = run + what + ' ' + subject;
		if (what == "down")
			key += ' ' + std::to_string(it.at("refs").get<int>()) +
			       (it.at("holders") != 0 ? " held" : " idle");
		else
			key += ' ' + std::to_string(it.at("threads").get<int>());
		all["measurements"][key] = it.at("ns");
		if (it.contains("calls"))
			all["measurements"][run + "calls " + subject] = it.at("calls");
	}
}

} // namespace bench
