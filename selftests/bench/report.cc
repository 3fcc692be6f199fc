// SPDX-License-Identifier: GPL-2.0
// Reads what the benchmarks measured, and shows it: tables, README's chapter, plots, a verdict.
#include <CLI/CLI.hpp>
#include <iostream>

#include "plots.hh"
#include "results.hh"
#include "tables.hh"

using namespace bench;

int main(int argc, char **argv)
{
	std::string native, instructions, polling, machine, compiled_for, revision, accel, path,
		readme_path, directory;
	std::vector<std::string> kernels, bases, nows;
	bool ok = true;
	CLI::App app("Shows what the benchmarks measured.");
	app.require_subcommand(1);

	auto *merge = app.add_subcommand("merge", "put the parts of a run together, on stdout");
	merge->add_option("--native", native, "Google Benchmark's JSON")->required();
	merge->add_option("--instructions", instructions, "lines: SUBJECT N")->required();
	merge->add_option("--kernel", kernels, "JSON of rundown-bench, for each number of CPUs")
		->required();
	merge->add_option("--polling", polling, "the same, of a kernel whose CPUs do not halt")
		->required();
	merge->add_option("--machine", machine, "what the CPU is")->required();
	merge->add_option("--compiled-for", compiled_for, "the kernel's release")->required();
	merge->add_option("--revision", revision, "what was measured")->required();
	merge->add_option("--accel", accel, "what the kernels ran on")->required();
	merge->callback([&] {
		nlohmann::ordered_json all;
		merge_native(all, native);
		all["native"]["machine"] = machine;
		all["native"]["compiled_for"] = compiled_for;
		all["revision"] = revision;
		merge_instructions(all, instructions);
		for (const auto &kernel : kernels)
			merge_kernel(all, kernel, false);
		merge_kernel(all, polling, true);
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
	plot->callback([&] { plot_all(Results(path), directory); });

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
