// SPDX-License-Identifier: GPL-2.0

#include "plots.hh"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bench
{

namespace
{

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
		script << "set terminal svg noenhanced size 900,480 font 'sans-serif,13' "
			  "background "
			  "'#ffffff'\n"
		       << "set output '" << where << '/' << what << ".svg'\n"
		       << "set border 3\nset tics nomirror\nset grid ytics lc '#dddddd'\n";
	}
	void draw() const
	{
		const std::string path = directory + '/' + name + ".gnuplot";
		std::ofstream(path) << script.str();
		if (std::system(("gnuplot '" + path + "'").c_str()))
			throw std::runtime_error("gnuplot can't draw " + path);
		std::remove(path.c_str());
	}
};

const char *colour(const Results &results, const std::string &name)
{
	return results.json().at("subjects").at(name).at("kind") == "ours" ? "0x2060a0"
									   : "0xa0a0a0";
}

std::string where(const Results &results)
{
	return results.json().at("kernel").at(results.main_cpus()).at("accel");
}

// Bars, the smallest first. Each is a line: title, value, colour.
void bars(Plot &plot, std::vector<std::tuple<double, std::string, const char *>> rows)
{
	std::ranges::sort(rows);
	plot.script << "set boxwidth 0.7\nset style fill solid\nset xtics rotate by -35 left\n"
		    << "set rmargin 22\nset bmargin 11\nset key off\n$data << EOD\n";
	for (const auto &[value, name, rgb] : rows)
		plot.script << quoted(name) << ' ' << value << ' ' << rgb << '\n';
	plot.script << "EOD\n";
}

void plot_pairs(const Results &results, const std::string &directory)
{
	Plot plot(directory, "pairs");
	std::vector<std::tuple<double, std::string, const char *>> rows;
	for (const auto &name : results.subjects()) {
		const auto value = results.median("native pairs " + name + " 1");
		if (value && name != "limit" && !name.ends_with("_exported"))
			rows.emplace_back(*value, results.title(name), colour(results, name));
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
	const char *const shown[] = {"limit",    "percpu",   "basic",          "percpu_ref",
				     "refcount", "windows",  "windows_percpu", "rcu",
				     "srcu",     "srcu_fast"};
	std::string curves;
	int at = 0;
	for (const std::string name : shown) {
		if (!results.median("native pairs " + name + " 1"))
			continue;
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
			  quoted(results.title(name));
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
	const std::string at = "kernel " + results.main_cpus() + " down ";
	std::vector<std::tuple<double, std::string, const char *>> rows;
	for (const auto &name : results.subjects()) {
		const auto ratio = results.ratio(at + name + " 1 idle", at + "percpu 1 idle");
		if (ratio && !name.ends_with("_exported"))
			rows.emplace_back(*ratio, results.title(name), colour(results, name));
	}
	bars(plot, rows);
	plot.script << "set title 'Running an idle object down, " << where(results)
		    << ": multiples only'\n"
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
	     {"percpu", "no_ipi", "basic", "percpu_ref", "rcu", "rcu_expedited", "srcu",
	      "srcu_fast", "srcu_fast_expedited"}) {
		if (!results.median("kernel " + results.main_cpus() + " down " + name + " 1 idle"))
			continue;
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
			  quoted(results.title(name));
	}
	plot.script
		<< "set title 'Running an idle object down, " << where(results)
		<< ": the shape only'\n"
		<< "set key outside right\nset xlabel 'virtual CPUs'\nset logscale x 2\n"
		<< "set ylabel 'x the cache-aware ref on the fewest CPUs'\nset logscale y\nplot "
		<< curves << '\n';
	plot.draw();
}

} // namespace

void plot_all(const Results &results, const std::string &directory)
{
	plot_pairs(results, directory);
	plot_threads(results, directory);
	plot_latency(results, directory);
	plot_cpus(results, directory);
}

} // namespace bench
