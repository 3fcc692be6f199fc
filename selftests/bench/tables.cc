// SPDX-License-Identifier: GPL-2.0

#include "tables.hh"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
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
		text.insert(static_cast<std::size_t>(at), 1, ',');
	return text;
}

// A ratio: large ones without a fraction.
std::string times(double ratio)
{
	return ratio < 0.1  ? format("%.2g", ratio)
	       : ratio < 10 ? format("%.2f", ratio)
			    : grouped(std::round(ratio));
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

Table pairs_table(const Results &results)
{
	const std::string n = results.all_cpus();
	Table table({"acquire and release", "ns", "+-%", "x ours", "x limit", "instr.",
		     n + " thr., one", n + " thr., own", "refused", "refused, " + n + " thr."});
	for (const auto &name : results.subjects()) {
		const auto pair = results.find("native pairs " + name + " 1");
		if (!pair)
			continue;
		const auto show = [&](const std::string &key) {
			return or_dash(results.median("native " + key), figure);
		};
		table.add({results.title(name), figure(pair->median()),
			   format("%.0f", pair->spread()),
			   times(pair->median() / *results.median("native pairs percpu 1")),
			   times(pair->median() / *results.median("native pairs limit 1")),
			   or_dash(results.median("native instructions " + name),
				   [](double n) { return format("%.0f", n); }),
			   show("shared " + name + ' ' + n), show("own " + name + ' ' + n),
			   show("refused " + name + " 1"), show("refused " + name + ' ' + n)});
	}
	return table;
}

Table down_table(const Results &results)
{
	const std::string cpus = results.main_cpus(), at = "kernel " + cpus + ' ';
	const std::string refs = "1000";
	Table table({"run-down", "x ours", "+-%", "p99, x ours", "1,000 refs", "with holders",
		     "calls", "bytes", "and a CPU"});
	const auto ours = *results.find(at + "down percpu 1 idle");
	for (const auto &name : results.subjects()) {
		const auto &it = results.json().at("subjects").at(name);
		const auto idle = results.find(at + "down " + name + " 1 idle");
		if (!idle || name.ends_with("_exported"))
			continue;
		const auto ratio = [&](const std::string &what) {
			return or_dash(results.ratio(at + "down " + name + what,
						     at + "down percpu" + what),
				       times);
		};
		table.add({results.title(name), times(idle->median() / ours.median()),
			   format("%.0f", idle->spread()),
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
	const std::string down = "kernel " + results.main_cpus() + " down ";
	const auto native = [&](const std::string &a, const std::string &b) {
		return results.ratio("native " + a, "native " + b);
	};
	const auto in_kernel = [&](const std::string &a, const std::string &b) {
		return results.ratio(down + a, down + b);
	};
	std::vector<Target> all = {
		{"cache-aware pair / limit", native("pairs percpu 1", "pairs limit 1"), 1.15,
		 false},
		{"the same, its address loaded each time",
		 native("pairs percpu 1", "pairs limit_loaded 1"), 1.15, false},
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
		{"refused / granted pair, cache-aware, all CPUs on one ref",
		 native("refused percpu " + n, "shared percpu " + n), 1, false},
		{"refused / granted pair, basic, all CPUs on one ref",
		 native("refused basic " + n, "shared basic " + n), 1, false},
		{"run-down of percpu_ref / cache-aware, idle",
		 in_kernel("percpu_ref 1 idle", "percpu 1 idle"), 100, true},
		{"run-down of 1,000 percpu_ref / cache-aware",
		 in_kernel("percpu_ref 1000 idle", "percpu 1000 idle"), 500, true},
	};
	// A CPU that polls when idle finds out by itself: no interrupt is sent to a single one.
	all.push_back({"the same, idle CPUs poll and need no interrupt",
		       results.ratio("polling down percpu_ref 1000 idle",
				     "polling down percpu 1000 idle"),
		       500, true});
	return all;
}

bool print_targets(std::ostream &out, const Results &results)
{
	Table table({"target", "measured", "wanted", ""});
	bool all_met = true;
	for (const auto &it : targets(results)) {
		const bool met =
			it.value && (it.at_least ? *it.value >= it.bound : *it.value <= it.bound);
		all_met = all_met && met;
		table.add({it.what, or_dash(it.value, times),
			   (it.at_least ? ">= " : "<= ") + times(it.bound),
			   met        ? "met"
			   : it.value ? "MISSED"
				      : "not measured"});
	}
	table.print(out, false);
	return all_met;
}

std::string where(const Results &results)
{
	const auto &native = results.json().at("native");
	const auto &kernel = results.json().at("kernel").at(results.main_cpus());
	return "Measured at " + results.json().at("revision").get<std::string>() +
	       ". Native: " + native.at("machine").get<std::string>() + ", " +
	       native.at("cpus").dump() + " CPUs, compiled as for " +
	       native.at("compiled_for").get<std::string>() + ", " +
	       native.at("date").get<std::string>() +
	       ". In the kernel: " + kernel.at("kernel").get<std::string>() + ", " +
	       kernel.at("cpus").dump() + " CPUs, " + kernel.at("accel").get<std::string>() + ", " +
	       kernel.at("date").get<std::string>() + ".";
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
	       "the same run, and\nemulation makes them vary: +-% is as above. \"1,000 refs\": run "
	       "down one after the other; \"with holders\": all "
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

} // namespace

void print_text(const Results &results)
{
	std::cout << where(results) << "\n\n";
	pairs_table(results).print(std::cout, false);
	std::cout << '\n';
	down_table(results).print(std::cout, false);
	std::cout << '\n';
	print_targets(std::cout, results);
}

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
	// They were measured in random order.
	std::set<std::string> keys;
	for (const auto &[key, values] : now.at("measurements").items())
		keys.insert(key);
	for (const auto &key : keys) {
		if (!base.at("measurements").contains(key)) {
			table.add({key.substr(key.find(' ') + 1), "-", "-", "-", "-", "-"});
			continue;
		}
		const Sample b{base.at("measurements").at(key).get<std::vector<double>>()};
		const Sample n{now.at("measurements").at(key).get<std::vector<double>>()};
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
	const bool has_srcu_fast = all.at("measurements").contains("native pairs srcu_fast 1");
	const double ratio = median("percpu_ref") / median("percpu");
	const double exported = median("percpu_ref") / median("percpu_exported");
	std::cout << "KTAP version 1\n1..1\n# ns a pair: limit " << figure(median("limit"))
		  << ", cache-aware " << figure(median("percpu")) << ", percpu_ref "
		  << figure(median("percpu_ref"))
		  << (has_srcu_fast ? ", srcu_read_lock_fast() " + figure(median("srcu_fast"))
				    : ", no SRCU-fast in this kernel")
		  << "; percpu_ref / cache-aware " << times(ratio) << ", / exported "
		  << times(exported) << '\n'
		  << (ratio >= 2 ? "ok" : "not ok")
		  << " 1 - an acquire and release costs less than half of percpu_ref's\n";
	return ratio >= 2;
}

} // namespace bench
