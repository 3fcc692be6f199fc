// SPDX-License-Identifier: GPL-2.0

#include "options.hh"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <random>
#include <sstream>

#include "errors.hh"
#include "text.hh"

namespace stress
{

namespace
{

constexpr auto description = "Stresses run-down protection through rundown_stress.ko, a run for "
			     "each variant, and believes no\n"
			     "run that did not try: holders in every context must have been "
			     "granted protection and refused\n"
			     "it, owners must have waited and found nobody left.";

constexpr auto footer =
	"A run that is interrupted (Ctrl-C, SIGTERM, SIGHUP) is stopped in the kernel, too.\n\n"
	"exit: 0 all runs are clean and not empty; with --expect-violations: all runs had some\n"
	"      1 one was not so, or could not be made\n"
	"      2 usage\n"
	"      4 not root, or there is no debugfs or no module\n"
	"      128 + number of the signal that interrupted it";

// Longer than any run can be. The kernel side knows the limits; here it only has to fit.
constexpr double most_seconds = 1e12;

std::uint64_t parse_number(const char *option, const std::string &text)
{
	const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
	const char *const first = text.data() + (hexadecimal ? 2 : 0);
	const char *const last = text.data() + text.size();
	std::uint64_t value = 0;
	auto [end, error] = std::from_chars(first, last, value, hexadecimal ? 16 : 10);

	if (error == std::errc::result_out_of_range)
		throw CLI::ValidationError(option, "'" + text + "' does not fit into 64 bits");
	if (error != std::errc{} || end != last)
		throw CLI::ValidationError(option, "'" + text + "' is no whole number");
	return value;
}

std::uint64_t parse_seconds(const char *option, const std::string &text)
{
	double seconds = 0;
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds,
					    std::chars_format::fixed);

	if (error != std::errc{} || end != text.data() + text.size() || !(seconds >= 0) ||
	    seconds > most_seconds)
		throw CLI::ValidationError(option, "'" + text + "' is no time in seconds");
	return static_cast<std::uint64_t>(std::llround(seconds * 1000));
}

std::uint64_t random_seed()
{
	std::random_device random;

	// 32 bits: no reader of the JSON loses any, and they are easy to type.
	return random();
}

void drop_repeated(std::vector<std::string> &words)
{
	std::vector<std::string> once;

	for (auto &word : words)
		if (std::ranges::find(once, word) == once.end())
			once.push_back(std::move(word));
	words = std::move(once);
}

void check_contexts(const std::vector<std::string> &contexts)
{
	if (contexts == std::vector<std::string>{"all"})
		return;
	for (const auto &context : contexts)
		if (std::ranges::find(context_names, context) == context_names.end())
			throw UsageError(
				"no context '" + context + "': there are " +
				joined({context_names.begin(), context_names.end()}, ", ") +
				", or 'all' by itself");
}

// A variant's contexts in this run.
std::vector<std::string> chosen_contexts(const Variant &variant,
					 const std::vector<std::string> &contexts)
{
	if (contexts.front() == "all")
		return variant.contexts;
	for (const auto &context : contexts)
		if (std::ranges::find(variant.contexts, context) == variant.contexts.end())
			throw UsageError(variant.name + " has no context '" + context +
					 "' here: it has " + joined(variant.contexts, ", "));
	return contexts;
}

} // namespace

std::optional<Options> parse_options(int argc, char **argv)
{
	Options options;
	CLI::App app(description, "rundown-stress");
	auto number = [&app](const char *name, auto &into, const char *help) {
		return app.add_option_function<std::string>(
			name,
			[name, &into](const std::string &text) { into = parse_number(name, text); },
			help);
	};
	std::optional<std::uint64_t> seed;

	app.footer(footer);
	app.add_option("--variant", options.variants,
		       "which to run: names, or kinds for all of a kind (ours, peer, broken); "
		       "default: ours")
		->delimiter(',')
		->allow_extra_args(false)
		->type_name("NAME[,NAME]");
	number("--threads", options.threads, "tasks that hold (1..256)")->type_name("N");
	number("--refs", options.refs, "run-down refs at once (1..1024; static: 1..8)")
		->type_name("N");
	number("--waiters", options.waiters, "tasks that wait for one ref at once (1..16)")
		->type_name("N");
	number("--live-us", options.live_us,
	       "microseconds an object lives at most before its owner waits (1..10000000)")
		->type_name("N");
	app.add_option("--contexts", options.contexts,
		       "where holders are: sleep, migrate, pinned, preempt_off, irq_off, softirq, "
		       "hardirq, irq_work, nmi, work; default: all that the variant can have here")
		->delimiter(',')
		->allow_extra_args(false)
		->type_name("NAME[,NAME]");
	app.add_option_function<std::string>(
		   "--seconds",
		   [&options](const std::string &text) {
			   options.msecs = parse_seconds("--seconds", text);
		   },
		   "how long each run takes; default: 10")
		->type_name("S");
	number("--seed", seed, "makes a run like an earlier one; default: a random one")
		->type_name("N");
	auto *json = app.add_flag_callback(
		"--json", [&options] { options.format = Format::json; }, "one JSON document");
	app.add_flag_callback(
		   "--ktap", [&options] { options.format = Format::ktap; }, "KTAP, a test a run")
		->excludes(json);
	app.add_flag("--quiet", options.quiet, "show no progress");
	app.add_flag("--expect-violations", options.expect_violations,
		     "for the broken variants: a run passes only if it finds violations, and ends "
		     "when it has");
	app.add_flag("--list", options.list, "list the variants and their contexts");
	app.add_option("--debugfs", options.debugfs,
		       "where debugfs is; default: " + options.debugfs.string())
		->type_name("DIR");

	try {
		app.parse(argc, argv);
	} catch (const CLI::CallForHelp &) {
		std::cout << app.help();
		return std::nullopt;
	} catch (const CLI::ParseError &error) {
		throw UsageError(std::string(error.what()) + " (see --help)");
	}
	drop_repeated(options.variants);
	drop_repeated(options.contexts);
	check_contexts(options.contexts);
	options.seed = seed.value_or(random_seed());
	return options;
}

std::vector<Options::Planned> Options::plan(const std::vector<Variant> &known) const
{
	std::vector<Planned> planned;
	auto add = [&](const Variant &variant) {
		auto has_name = [&](const Planned &run) {
			return run.variant.name == variant.name;
		};

		if (std::ranges::any_of(planned, has_name))
			return;
		planned.push_back({variant,
				   {.variant = variant.name,
				    .threads = threads,
				    .refs = refs,
				    .waiters = waiters,
				    .live_us = live_us,
				    .msecs = msecs,
				    .seed = seed,
				    .contexts = contexts},
				   chosen_contexts(variant, contexts)});
	};

	for (const auto &word : variants) {
		bool found = false;

		for (const auto &variant : known) {
			if (word != variant.name && word != variant.kind)
				continue;
			add(variant);
			found = true;
		}
		if (found)
			continue;

		std::vector<std::string> names;

		for (const auto &variant : known)
			names.push_back(variant.name);
		throw UsageError("no variant '" + word + "': there are " + joined(names, ", "));
	}
	return planned;
}

std::string Options::again(const Settings &settings) const
{
	std::ostringstream line;
	auto add = [&line](const char *name, std::optional<std::uint64_t> value) {
		if (value)
			line << " --" << name << ' ' << *value;
	};

	line.precision(15);
	line << "rundown-stress --variant " << settings.variant;
	add("threads", settings.threads);
	add("refs", settings.refs);
	add("waiters", settings.waiters);
	add("live-us", settings.live_us);
	line << " --contexts " << joined(settings.contexts, ",") << " --seconds "
	     << static_cast<double>(settings.msecs) / 1000;
	add("seed", settings.seed);
	if (expect_violations)
		line << " --expect-violations";
	return line.str();
}

} // namespace stress
