// SPDX-License-Identifier: GPL-2.0
// Reads what the benchmarks measured, and shows it: tables, README's chapter, plots, a verdict.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

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

std::string format(const char *how, double value)
{
	char text[64];
	std::snprintf(text, sizeof(text), how, value);
	return text;
}

// Three digits are more than these measurements are good for.
std::string figure(double value)
{
	return format(value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
}

std::string grouped(double value)
{
	std::string text = format("%.0f", value);
	for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
		text.insert(static_cast<std::size_t>(at), ",");
	return text;
}

// A ratio: large ones without a fraction.
std::string times(double ratio)
{
	return ratio < 10 ? format("%.2f", ratio) : grouped(std::round(ratio));
}

struct Sample {
	std::vector<double> values;

	double quantile(double q) const
	{
		auto sorted = values;
		std::ranges::sort(sorted);
		const double at = q * static_cast<double>(sorted.size() - 1);
		const auto low = static_cast<std::size_t>(at);
		const auto high = std::min(low + 1, sorted.size() - 1);
		return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
	}
	double median() const { return quantile(0.5); }
	// Half the distance of the quartiles, in percent of the median.
	double spread() const { return (quantile(0.75) - quantile(0.25)) / 2 / median() * 100; }
};

// bench.json: contexts, subjects, and measurements by a key such as "native pairs percpu 1".
class Results
{
public:
	explicit Results(const std::string &path) : m_json(load(path)) {}

	const ordered_json &json() const { return m_json; }

	std::optional<Sample> find(const std::string &key) const
	{
		const auto &all = m_json.at("measurements");
		if (!all.contains(key))
			return std::nullopt;
		return Sample{all.at(key).get<std::vector<double>>()};
	}
	std::optional<double> median(const std::string &key) const
	{
		const auto sample = find(key);
		return sample ? std::optional(sample->median()) : std::nullopt;
	}
	// How many times as much as ours.
	std::optional<double> ratio(const std::string &key, const std::string &to) const
	{
		const auto a = median(key), b = median(to);
		return a && b ? std::optional(*a / *b) : std::nullopt;
	}
	int native_cpus() const { return m_json.at("native").at("cpus").get<int>(); }
	const std::string all_cpus() const { return std::to_string(native_cpus()); }

private:
	ordered_json m_json;
};

// What Google Benchmark wrote: ns of CPU time a pair, on each thread.
void merge_native(ordered_json &all, const std::string &path)
{
	constexpr double batch = 1000; // native.cc
	const auto native = load(path);
	const auto &context = native.at("context");
	all["native"] = {{"date", context.at("date").get<std::string>().substr(0, 10)},
			 {"cpus", context.at("num_cpus")}};
	for (const auto &it : native.at("benchmarks")) {
		if (it.value("error_occurred", false))
			fail(it.at("name").get<std::string>() + ": " +
			     it.at("error_message").get<std::string>());
		if (it.at("run_type") != "iteration")
			continue;
		std::string name = it.at("run_name");
		name = name.substr(0, name.find("/real_time"));
		std::ranges::replace(name, '/', ' ');
		all["measurements"]
		   ["native " + name + ' ' + std::to_string(it.at("threads").get<int>())]
			   .push_back(it.at("cpu_time").get<double>() / batch);
	}
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

void merge_kernel(ordered_json &all, const std::string &path)
{
	const auto kernel = load(path);
	const auto &context = kernel.at("context");
	const std::string cpus = std::to_string(context.at("cpus").get<int>());
	all["kernel"][cpus] = context;
	for (const auto &it : kernel.at("subjects"))
		all["subjects"][it.at("name").get<std::string>()] = it;
	for (const auto &it : kernel.at("measurements")) {
		const std::string what = it.at("what"), subject = it.at("subject");
		std::string key = "kernel " + cpus + ' ' + what + ' ' + subject;
		if (what == "down")
			key += ' ' + std::to_string(it.at("refs").get<int>()) +
			       (it.at("holders") != 0 ? " held" : " idle");
		else
			key += ' ' + std::to_string(it.at("threads").get<int>());
		all["measurements"][key] = it.at("ns");
		if (it.contains("calls"))
			all["measurements"]["kernel " + cpus + " calls " + subject] =
				it.at("calls");
	}
}

// A table as text or as Markdown; the first column to the left, the others to the right.
class Table
{
public:
	explicit Table(std::vector<std::string> header) : m_rows{std::move(header)} {}

	void add(std::vector<std::string> row) { m_rows.push_back(std::move(row)); }

	void print(std::ostream &out, bool markdown) const
	{
		std::vector<std::size_t> widths(m_rows[0].size());
		for (const auto &row : m_rows)
			for (std::size_t i = 0; i < row.size(); i++)
				widths[i] = std::max(widths[i], row[i].size());
		for (const auto &row : m_rows) {
			std::string line;
			for (std::size_t i = 0; i < row.size(); i++) {
				const std::string pad(markdown ? 0 : widths[i] - row[i].size(),
						      ' ');
				line += markdown ? "| " : i ? "  " : "";
				line += i ? pad + row[i] : row[i] + pad;
				line += markdown ? " " : "";
			}
			out << line << (markdown ? "|" : "") << '\n';
			if (markdown && &row == &m_rows[0]) {
				for (std::size_t i = 0; i < row.size(); i++)
					out << (i ? "| ---: " : "| --- ");
				out << "|\n";
			}
		}
	}

private:
	std::vector<std::vector<std::string>> m_rows;
};

std::string or_dash(const std::optional<double> &value, std::string (*show)(double))
{
	return value ? show(*value) : "-";
}

// The subjects in the order of the table in subjects.c.
std::vector<std::string> subjects(const Results &results)
{
	std::vector<std::string> names;
	for (const auto &[name, it] : results.json().at("subjects").items())
		names.push_back(name);
	return names;
}

std::string title(const Results &results, const std::string &name)
{
	return results.json().at("subjects").at(name).at("title");
}

Table pairs_table(const Results &results)
{
	const std::string n = results.all_cpus();
	Table table({"acquire and release", "ns", "+-%", "x ours", "x limit", "instr.",
		     n + " thr., one", n + " thr., own", "refused"});
	for (const auto &name : subjects(results)) {
		const auto pair = results.find("native pairs " + name + " 1");
		if (!pair)
			continue;
		const auto show = [&](const std::string &key) {
			return or_dash(results.median("native " + key), figure);
		};
		table.add({title(results, name), figure(pair->median()),
			   format("%.0f", pair->spread()),
			   times(pair->median() / *results.median("native pairs percpu 1")),
			   times(pair->median() / *results.median("native pairs limit 1")),
			   or_dash(results.median("native instructions " + name),
				   [](double n) { return format("%.0f", n); }),
			   show("shared " + name + ' ' + n), show("own " + name + ' ' + n),
			   show("refused " + name + " 1")});
	}
	return table;
}

// The kernel run with everything: the others have the idle run-down only.
std::string main_cpus(const Results &results)
{
	for (const auto &[cpus, context] : results.json().at("kernel").items())
		if (results.find("kernel " + cpus + " pairs percpu 1"))
			return cpus;
	fail("no run in a kernel");
}

Table down_table(const Results &results)
{
	const std::string cpus = main_cpus(results), at = "kernel " + cpus + ' ';
	const std::string refs = "1000";
	Table table({"run-down", "x ours", "p99, x ours", "1,000 refs", "with holders", "calls",
		     "bytes", "and a CPU"});
	const auto ours = *results.find(at + "down percpu 1 idle");
	for (const auto &name : subjects(results)) {
		const auto &it = results.json().at("subjects").at(name);
		const auto idle = results.find(at + "down " + name + " 1 idle");
		if (!idle || name.ends_with("_exported"))
			continue;
		const auto ratio = [&](const std::string &what) {
			return or_dash(results.ratio(at + "down " + name + what,
						     at + "down percpu" + what),
				       times);
		};
		table.add({title(results, name), times(idle->median() / ours.median()),
			   times(idle->quantile(0.99) / ours.quantile(0.99)),
			   ratio(' ' + refs + " idle"), ratio(" 1 held"),
			   or_dash(results.median(at + "calls " + name), figure),
			   it.at("bytes") != 0 ? grouped(it.at("bytes").get<double>()) : "-",
			   it.at("bytes_percpu") != 0 ? grouped(it.at("bytes_percpu").get<double>())
						      : "-"});
	}
	return table;
}

struct Target {
	std::string what;
	std::optional<double> value;
	double bound;
	bool at_least;
};

std::vector<Target> targets(const Results &results)
{
	const std::string n = results.all_cpus();
	const std::string down = "kernel " + main_cpus(results) + " down ";
	const auto native = [&](const std::string &a, const std::string &b) {
		return results.ratio("native " + a, "native " + b);
	};
	const auto in_kernel = [&](const std::string &a, const std::string &b) {
		return results.ratio(down + a, down + b);
	};
	std::vector<Target> all = {
		{"cache-aware pair / limit", native("pairs percpu 1", "pairs limit 1"), 1.15,
		 false},
		{"percpu_ref / cache-aware pair", native("pairs percpu_ref 1", "pairs percpu 1"), 5,
		 true},
		{"refcount_t / cache-aware pair", native("pairs refcount 1", "pairs percpu 1"), 10,
		 true},
		{"Windows' scheme a CPU / cache-aware pair",
		 native("pairs windows_percpu 1", "pairs percpu 1"), 10, true},
		{"rcu_read_lock(), preemptible / cache-aware pair",
		 native("pairs rcu 1", "pairs percpu 1"), 1, true},
		{"all CPUs on one ref / one CPU, cache-aware",
		 native("shared percpu " + n, "pairs percpu 1"), 1.05, false},
		{"exported / in-line, cache-aware",
		 native("pairs percpu_exported 1", "pairs percpu 1"), 3, false},
		{"percpu_ref / exported cache-aware",
		 native("pairs percpu_ref 1", "pairs percpu_exported 1"), 1, true},
		{"basic pair / refcount_t", native("pairs basic 1", "pairs refcount 1"), 1, false},
		{"basic pair / Windows' scheme", native("pairs basic 1", "pairs windows 1"), 1,
		 false},
		{"basic / refcount_t, all CPUs on one ref",
		 native("shared basic " + n, "shared refcount " + n), 1, false},
		{"basic / Windows' scheme, all CPUs on one ref",
		 native("shared basic " + n, "shared windows " + n), 1, false},
		{"refused / granted pair, cache-aware",
		 native("refused percpu 1", "pairs percpu 1"), 1, false},
		{"refused / granted pair, basic", native("refused basic 1", "pairs basic 1"), 1,
		 false},
		{"run-down of percpu_ref / cache-aware, idle",
		 in_kernel("percpu_ref 1 idle", "percpu 1 idle"), 100, true},
		{"run-down of 1,000 percpu_ref / cache-aware",
		 in_kernel("percpu_ref 1000 idle", "percpu 1000 idle"), 500, true},
	};
	std::erase_if(all, [](const Target &it) { return !it.value; });
	return all;
}

bool print_targets(std::ostream &out, const Results &results)
{
	Table table({"target", "measured", "wanted", ""});
	bool all_met = true;
	for (const auto &it : targets(results)) {
		const bool met = it.at_least ? *it.value >= it.bound : *it.value <= it.bound;
		all_met = all_met && met;
		table.add({it.what, times(*it.value),
			   (it.at_least ? ">= " : "<= ") + times(it.bound),
			   met ? "met" : "MISSED"});
	}
	table.print(out, false);
	return all_met;
}

std::string where(const Results &results)
{
	const auto &native = results.json().at("native");
	const auto &kernel = results.json().at("kernel").at(main_cpus(results));
	return "Native: " + native.at("machine").get<std::string>() + ", " +
	       native.at("cpus").dump() + " CPUs, compiled as for " +
	       native.at("compiled_for").get<std::string>() + ", " +
	       native.at("date").get<std::string>() +
	       ". In the kernel: " + kernel.at("kernel").get<std::string>() + ", " +
	       kernel.at("cpus").dump() + " CPUs, " + kernel.at("accel").get<std::string>() + ", " +
	       kernel.at("date").get<std::string>() + ".";
}

void print_text(const Results &results)
{
	std::cout << where(results) << "\n\n";
	pairs_table(results).print(std::cout, false);
	std::cout << '\n';
	down_table(results).print(std::cout, false);
	std::cout << '\n';
	print_targets(std::cout, results);
}

std::string markdown(const Results &results)
{
	std::ostringstream out;
	out << where(results) << "\n\n"
	    << "Acquire and release, native; CPU time in ns, medians of interleaved repetitions; "
	       "+-% is half "
	       "the distance of\nthe quartiles; \"thr.\": threads on CPUs of their own, on one "
	       "object, "
	       "or each on its own:\n\n";
	pairs_table(results).print(out, true);
	out << "\n![pair cost by primitive](selftests/bench/results/pairs.svg)\n"
	    << "![throughput against threads](selftests/bench/results/threads.svg)\n\n"
	    << "Run-down, in the kernel; each figure is a multiple of what the cache-aware ref "
	       "takes in "
	       "the same run. \"1,000\nrefs\": run down one after the other; \"with holders\": all "
	       "other CPUs acquire and release meanwhile; \"calls\":\nfunction-call interrupts a "
	       "run-down and the opening after it, all CPUs together:\n\n";
	down_table(results).print(out, true);
	out << "\n![run-down latency by primitive](selftests/bench/results/latency.svg)\n"
	    << "![run-down latency against CPUs](selftests/bench/results/cpus.svg)\n";
	return out.str();
}

// What is between the two marks in README.
constexpr auto kBegin = "<!-- made by make bench-publish -->\n";
constexpr auto kEnd = "<!-- end -->\n";

void readme(const Results &results, const std::string &path, bool check)
{
	std::ifstream file(path);
	std::stringstream content;
	content << file.rdbuf();
	const std::string text = content.str();
	const auto begin = text.find(kBegin), end = text.find(kEnd);
	if (!file || begin == std::string::npos || end == std::string::npos || end < begin)
		fail(path + " has no place for the results");
	const auto start = begin + std::string(kBegin).size();
	const std::string wanted = markdown(results);
	if (check) {
		if (text.substr(start, end - start) != wanted)
			fail(path + " does not show the results that are kept beside it");
		return;
	}
	file.close();
	std::ofstream(path) << text.substr(0, start) << wanted << text.substr(end);
}

// Gnuplot's data between names in quotes.
std::string quoted(const std::string &text)
{
	return '"' + text + '"';
}

struct Plot {
	std::string directory, name;
	std::ostringstream script;

	Plot(const std::string &where, const std::string &what) : directory(where), name(what)
	{
		// Opaque, for pages with a dark background.
		script << "set terminal svg size 900,480 font 'sans-serif,13' background "
			  "'#ffffff'\n"
		       << "set output '" << where << '/' << what << ".svg'\n"
		       << "set border 3\nset tics nomirror\nset grid ytics lc '#dddddd'\n";
	}
	void draw() const
	{
		const std::string path = directory + '/' + name + ".gnuplot";
		std::ofstream(path) << script.str();
		if (std::system(("gnuplot '" + path + "'").c_str()))
			fail("gnuplot can't draw " + path);
		std::remove(path.c_str());
	}
};

const char *colour(const Results &results, const std::string &name)
{
	return results.json().at("subjects").at(name).at("kind") == "ours" ? "0x2060a0"
									   : "0xa0a0a0";
}

// Bars, the smallest first. Each is a line: title, value, colour.
void bars(Plot &plot, std::vector<std::tuple<double, std::string, const char *>> rows)
{
	std::ranges::sort(rows);
	plot.script << "set boxwidth 0.7\nset style fill solid\nset xtics rotate by -35 left\n"
		    << "set rmargin 14\nset key off\n$data << EOD\n";
	for (const auto &[value, name, rgb] : rows)
		plot.script << quoted(name) << ' ' << value << ' ' << rgb << '\n';
	plot.script << "EOD\n";
}

void plot_pairs(const Results &results, const std::string &directory)
{
	Plot plot(directory, "pairs");
	std::vector<std::tuple<double, std::string, const char *>> rows;
	for (const auto &name : subjects(results)) {
		const auto value = results.median("native pairs " + name + " 1");
		if (value && name != "limit")
			rows.emplace_back(*value, title(results, name), colour(results, name));
	}
	bars(plot, rows);
	plot.script << "limit = " << *results.median("native pairs limit 1") << '\n'
		    << "set title 'Acquire and release, one thread, native'\n"
		    << "set ylabel 'ns a pair'\nset yrange [0:*]\n"
		    << "set label 'limit' at graph 1.01, first limit\n"
		    << "plot $data using 0:2:3:xtic(1) with boxes lc rgb variable, "
		       "limit with lines lw 2 lc rgb 'red'\n";
	plot.draw();
}

void plot_threads(const Results &results, const std::string &directory)
{
	Plot plot(directory, "threads");
	const char *const shown[] = {"limit",   "percpu",         "basic", "percpu_ref", "refcount",
				     "windows", "windows_percpu", "rcu",   "srcu"};
	std::string curves;
	int at = 0;
	for (const std::string name : shown) {
		plot.script << '$' << name << " << EOD\n";
		for (int threads = 1; threads <= results.native_cpus(); threads++) {
			const auto ns = results.median(
				"native " + std::string(threads > 1 ? "shared " : "pairs ") + name +
				' ' + std::to_string(threads));
			if (ns)
				plot.script << threads << ' ' << threads / *ns * 1000 << '\n';
		}
		plot.script << "EOD\n";
		curves += (curves.empty() ? "" : ", ") + ("$" + name) +
			  " with linespoints lw 2 pt " + std::to_string(++at) + " title " +
			  quoted(title(results, name));
	}
	plot.script << "set title 'All threads on one object, native'\nset key outside right\n"
		    << "set xlabel 'threads'\nset xtics 1\nset ylabel 'million pairs a second'\n"
		    << "set logscale y\nset yrange [*:*]\nset xrange [0.9:*]\nplot " << curves
		    << '\n';
	plot.draw();
}

void plot_latency(const Results &results, const std::string &directory)
{
	Plot plot(directory, "latency");
	const std::string at = "kernel " + main_cpus(results) + " down ";
	std::vector<std::tuple<double, std::string, const char *>> rows;
	for (const auto &name : subjects(results)) {
		const auto ratio = results.ratio(at + name + " 1 idle", at + "percpu 1 idle");
		if (ratio && !name.ends_with("_exported"))
			rows.emplace_back(*ratio, title(results, name), colour(results, name));
	}
	bars(plot, rows);
	plot.script << "set title 'Running an idle object down, emulated: multiples only'\n"
		    << "set ylabel 'x the cache-aware ref'\nset logscale y\n"
		    << "set yrange [0.001:*]\nset boxwidth 0.7\n"
		    << "plot $data using 0:2:3:xtic(1) with boxes lc rgb variable\n";
	plot.draw();
}

void plot_cpus(const Results &results, const std::string &directory)
{
	Plot plot(directory, "cpus");
	const auto &kernels = results.json().at("kernel");
	std::vector<int> cpus;
	for (const auto &[n, context] : kernels.items())
		cpus.push_back(std::stoi(n));
	std::ranges::sort(cpus);
	const auto unit =
		results.median("kernel " + std::to_string(cpus[0]) + " down percpu 1 idle");
	std::string curves;
	int at = 0;
	for (const std::string name :
	     {"percpu", "no_ipi", "basic", "percpu_ref", "rcu", "rcu_expedited", "srcu"}) {
		plot.script << '$' << name << " << EOD\n";
		for (const int n : cpus) {
			const auto ns = results.median("kernel " + std::to_string(n) + " down " +
						       name + " 1 idle");
			if (ns)
				plot.script << n << ' ' << *ns / *unit << '\n';
		}
		plot.script << "EOD\n";
		curves += (curves.empty() ? "" : ", ") + ("$" + name) +
			  " with linespoints lw 2 pt " + std::to_string(++at) + " title " +
			  quoted(title(results, name));
	}
	plot.script
		<< "set title 'Running an idle object down, emulated: the shape only'\n"
		<< "set key outside right\nset xlabel 'virtual CPUs'\nset logscale x 2\n"
		<< "set ylabel 'x the cache-aware ref on the fewest CPUs'\nset logscale y\nplot "
		<< curves << '\n';
	plot.draw();
}

// Two native runs, of another revision and of this one.
void compare(const std::vector<std::string> &base_files, const std::vector<std::string> &now_files)
{
	const auto merged = [](const std::vector<std::string> &files) {
		ordered_json all;
		for (const auto &file : files)
			merge_native(all, file);
		return all;
	};
	const auto base = merged(base_files), now = merged(now_files);
	Table table({"ns a pair, or a refusal", "base", "+-%", "now", "+-%", "now / base"});
	for (const auto &[key, values] : now.at("measurements").items()) {
		const Sample b{base.at("measurements").at(key).get<std::vector<double>>()};
		const Sample n{values.get<std::vector<double>>()};
		table.add({key.substr(key.find(' ') + 1), figure(b.median()),
			   format("%.0f", b.spread()), figure(n.median()),
			   format("%.0f", n.spread()), figure(n.median() / b.median())});
	}
	table.print(std::cout, false);
}

// For CI: is the order of magnitude right?
bool quick(const std::string &path)
{
	ordered_json all;
	merge_native(all, path);
	const auto median = [&](const std::string &name) {
		return Sample{all.at("measurements")
				      .at("native pairs " + name + " 1")
				      .get<std::vector<double>>()}
			.median();
	};
	const double ratio = median("percpu_ref") / median("percpu");
	const double exported = median("percpu_ref") / median("percpu_exported");
	std::cout << "KTAP version 1\n1..1\n# ns a pair: limit " << figure(median("limit"))
		  << ", cache-aware " << figure(median("percpu")) << ", percpu_ref "
		  << figure(median("percpu_ref")) << "; percpu_ref / cache-aware " << times(ratio)
		  << ", / exported " << times(exported) << '\n'
		  << (ratio >= 2 ? "ok" : "not ok")
		  << " 1 - an acquire and release costs less than half of percpu_ref's\n";
	return ratio >= 2;
}

} // namespace

int main(int argc, char **argv)
{
	std::string native, instructions, machine, compiled_for, accel, path, readme_path,
		directory;
	std::vector<std::string> kernels, bases, nows;
	bool ok = true;
	CLI::App app("Shows what the benchmarks measured.");
	app.require_subcommand(1);

	auto *merge = app.add_subcommand("merge", "put the parts of a run together, on stdout");
	merge->add_option("--native", native, "Google Benchmark's JSON")->required();
	merge->add_option("--instructions", instructions, "lines: SUBJECT N")->required();
	merge->add_option("--kernel", kernels, "JSON of rundown-bench, for each number of CPUs")
		->required();
	merge->add_option("--machine", machine, "what the CPU is")->required();
	merge->add_option("--compiled-for", compiled_for, "the kernel's release")->required();
	merge->add_option("--accel", accel, "what the kernels ran on")->required();
	merge->callback([&] {
		ordered_json all;
		merge_native(all, native);
		all["native"]["machine"] = machine;
		all["native"]["compiled_for"] = compiled_for;
		merge_instructions(all, instructions);
		for (const auto &kernel : kernels)
			merge_kernel(all, kernel);
		for (auto &[cpus, context] : all["kernel"].items())
			context["accel"] = accel;
		std::cout << all.dump(1, '\t') << '\n';
	});

	auto *text = app.add_subcommand("text", "tables, and whether the targets are met");
	text->add_option("FILE", path, "what merge printed")->required();
	text->callback([&] { print_text(Results(path)); });

	auto *plot = app.add_subcommand("plot", "pairs.svg, threads.svg, latency.svg, cpus.svg");
	plot->add_option("FILE", path, "what merge printed")->required();
	plot->add_option("DIRECTORY", directory, "where to")->required();
	plot->callback([&] {
		const Results results(path);
		plot_pairs(results, directory);
		plot_threads(results, directory);
		plot_latency(results, directory);
		plot_cpus(results, directory);
	});

	bool check = false;
	auto *page = app.add_subcommand("readme", "put the tables into README");
	page->add_option("FILE", path, "what merge printed")->required();
	page->add_option("README", readme_path)->required();
	page->add_flag("--check", check, "change nothing; fail if they are not there");
	page->callback([&] { readme(Results(path), readme_path, check); });

	auto *comparison = app.add_subcommand("compare", "two revisions' native runs");
	comparison->add_option("--base", bases, "Google Benchmark's JSON")->required();
	comparison->add_option("--now", nows, "Google Benchmark's JSON")->required();
	comparison->callback([&] { compare(bases, nows); });

	auto *quickly = app.add_subcommand("quick", "KTAP: is the order of magnitude right?");
	quickly->add_option("FILE", path, "Google Benchmark's JSON")->required();
	quickly->callback([&] { ok = quick(path); });

	app.footer("exit: 0 done, 1 not, 2 usage");
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		return app.exit(error) ? 2 : 0;
	} catch (const std::exception &error) {
		std::cerr << "rundown-bench-report: " << error.what() << '\n';
		return 1;
	}
	return ok ? 0 : 1;
}
