// SPDX-License-Identifier: GPL-2.0

#include "report.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <iomanip>
#include <sstream>
#include <string_view>
#include <utility>

#include "text.hh"
#include "units.hh"

namespace stress
{

namespace
{

constexpr std::array<std::pair<const char *, double>, 4> quantiles{
	{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}}};

// The figures of a run that belong to no context, as they are printed.
constexpr std::array<std::pair<const char *, const char *>, 8> figures{
	{{"ex_grants", "granted with a count above 1"},
	 {"handovers", "released elsewhere than acquired"},
	 {"nmi_lost", "NMIs lost"},
	 {"rundowns", "run down"},
	 {"reinitialized", "then reinitialized"},
	 {"replaced", "then replaced"},
	 {"waits", "waits of all waiters"},
	 {"mutex_waits", "waits with a mutex held"}}};

double acquires_a_second(const Stats &stats)
{
	if (!stats["elapsed_ms"])
		return 0;
	return static_cast<double>(stats.acquires()) * 1000 /
	       static_cast<double>(stats["elapsed_ms"]);
}

std::string seconds(std::uint64_t ms)
{
	std::ostringstream text;

	text << std::fixed << std::setprecision(2) << static_cast<double>(ms) / 1000 << " s";
	return text.str();
}

std::string names(const std::vector<Options::Planned> &planned)
{
	std::vector<std::string> words;

	for (const auto &run : planned)
		words.push_back(run.variant.name);
	return joined(words, ", ");
}

bool of_interest(const Outcome &outcome, std::string_view context)
{
	return std::ranges::find(outcome.planned.contexts, context) !=
		       outcome.planned.contexts.end() ||
	       outcome.stats.by_context("grants", context) ||
	       outcome.stats.by_context("refusals", context) ||
	       outcome.stats.by_context("releases", context);
}

class Table final : public Report
{
public:
	Table(const Options &run_options, std::ostream &stream) : options(run_options), out(stream)
	{
	}

	void begin(const std::vector<Options::Planned> &planned) override
	{
		out << names(planned) << ": " << seconds(options.msecs) << " each, seed "
		    << options.seed << "\n\n"
		    << std::flush;
	}

	void add(const Outcome &outcome) override
	{
		const Stats &stats = outcome.stats;

		out << outcome.planned.variant.name << ": "
		    << (outcome.passed() ? "passed" : "FAILED") << ", "
		    << seconds(stats["elapsed_ms"]) << ", " << stats["threads"] << " threads, "
		    << stats["refs"] << " refs, " << stats["waiters"] << " waiters, "
		    << rounded(acquires_a_second(stats)) << " acquires/s\n";
		contexts(outcome);
		out << '\n';
		for (auto [key, label] : figures)
			line(label, grouped(stats[key]));
		line("violations", grouped(stats["violations"]));
		for (auto kind : violation_kinds)
			if (stats.violations(kind))
				line("  " + std::string(kind), grouped(stats.violations(kind)));
		if (stats.first_violation_ms)
			line("  first after, ms", grouped(*stats.first_violation_ms));
		waits(outcome.waits);
		if (!outcome.passed())
			out << '\n';
		for (const auto &failure : outcome.failures)
			out << "  FAILED: " << failure << '\n';
		if (!outcome.passed())
			out << "  again: " << options.again(outcome.planned.settings) << '\n';
		out << '\n' << std::flush;
		outcomes.push_back(outcome);
	}

	void end() override
	{
		if (outcomes.size() < 2)
			return;
		out << std::left << std::setw(20) << "" << std::right << std::setw(12)
		    << "acquires/s" << std::setw(14) << "refused" << std::setw(12) << "run down"
		    << std::setw(10) << "p50" << std::setw(10) << "p99" << std::setw(12)
		    << "violations" << '\n';
		for (const auto &outcome : outcomes) {
			const Stats &stats = outcome.stats;

			out << std::left << std::setw(20) << outcome.planned.variant.name
			    << std::right << std::setw(12) << rounded(acquires_a_second(stats))
			    << std::setw(14) << grouped(stats["refusals"]) << std::setw(12)
			    << grouped(stats["rundowns"]) << std::setw(10)
			    << duration(outcome.waits.quantile_ns(0.5)) << std::setw(10)
			    << duration(outcome.waits.quantile_ns(0.99)) << std::setw(12)
			    << grouped(stats["violations"])
			    << (outcome.passed() ? "  passed" : "  FAILED") << '\n';
		}
		out << std::flush;
	}

	void abandon(const std::string &) override { end(); }

private:
	void line(const std::string &label, const std::string &value)
	{
		out << "  " << std::left << std::setw(36) << label << std::right << std::setw(16)
		    << value << '\n';
	}

	void contexts(const Outcome &outcome)
	{
		const Stats &stats = outcome.stats;
		auto row = [this](std::string_view label, auto... values) {
			out << "  " << std::left << std::setw(12) << label << std::right;
			((out << std::setw(16) << values), ...);
			out << '\n';
		};

		row("", "granted", "refused", "released");
		for (auto context : context_names)
			if (of_interest(outcome, context))
				row(context, grouped(stats.by_context("grants", context)),
				    grouped(stats.by_context("refusals", context)),
				    grouped(stats.by_context("releases", context)));
		row("all", grouped(stats["grants"]), grouped(stats["refusals"]),
		    grouped(stats["releases"]));
	}

	void waits(const Histogram &histogram)
	{
		constexpr std::size_t most_rows = 12;
		constexpr std::uint64_t bar_width = 40;
		const auto rows = histogram.rows(most_rows);
		std::uint64_t highest = 1;

		for (const auto &row : rows)
			highest = std::max(highest, row.count);
		out << "  owners waited ";
		for (auto [name, quantile] : quantiles)
			out << ' ' << name << ' ' << duration(histogram.quantile_ns(quantile));
		out << '\n';
		for (const auto &row : rows) {
			// What is there at all is seen.
			const auto bar = row.count * bar_width / highest;

			out << "    below " << std::setw(8) << duration(row.upper_ns)
			    << std::setw(14) << grouped(row.count) << ' '
			    << std::string(row.count ? std::max<std::uint64_t>(bar, 1) : 0, '#')
			    << '\n';
		}
	}

	const Options &options;
	std::ostream &out;
	std::vector<Outcome> outcomes;
};

class Json final : public Report
{
public:
	Json(const Options &run_options, std::ostream &stream) : options(run_options), out(stream)
	{
	}

	void begin(const std::vector<Options::Planned> &) override {}

	void add(const Outcome &outcome) override
	{
		const Stats &stats = outcome.stats;
		json run, figures_of_stats, waits, latency = json::array();

		figures_of_stats["state"] = stats.state;
		figures_of_stats["verdict"] = stats.verdict;
		figures_of_stats["variant"] = stats.variant;
		for (const auto &key : Stats::number_keys())
			figures_of_stats[key] = stats[key];
		if (stats.first_violation_ms)
			figures_of_stats["first_violation_ms"] = *stats.first_violation_ms;
		else
			figures_of_stats["first_violation_ms"] = -1;
		for (auto [name, quantile] : quantiles)
			waits[name] = outcome.waits.quantile_ns(quantile);
		for (const auto &bucket : outcome.waits.buckets())
			latency.push_back({{"upper_ns", bucket.upper_ns}, {"count", bucket.count}});

		run["variant"] = outcome.planned.variant.name;
		run["kind"] = outcome.planned.variant.kind;
		run["contexts"] = outcome.planned.contexts;
		run["verdict"] = outcome.passed() ? "passed" : "failed";
		run["failures"] = outcome.failures;
		run["again"] = options.again(outcome.planned.settings);
		run["stats"] = std::move(figures_of_stats);
		run["wait_ns"] = std::move(waits);
		run["latency"] = std::move(latency);
		runs.push_back(std::move(run));
		all_passed = all_passed && outcome.passed();
	}

	void end() override { print(nullptr); }

	void abandon(const std::string &why) override { print(why); }

private:
	using json = nlohmann::ordered_json;

	void print(const json &error)
	{
		const bool passed = error.is_null() && all_passed && !runs.empty();
		const json document{{"seed", options.seed},
				    {"runs", runs},
				    {"verdict", passed ? "passed" : "failed"},
				    {"error", error}};

		// What is no UTF-8 in a file of the kernel's is no reason to print nothing.
		out << document.dump(2, ' ', false, json::error_handler_t::replace) << std::endl;
	}

	const Options &options;
	std::ostream &out;
	json runs = json::array();
	bool all_passed = true;
};

class Ktap final : public Report
{
public:
	Ktap(const Options &run_options, std::ostream &stream) : options(run_options), out(stream)
	{
	}

	void begin(const std::vector<Options::Planned> &planned) override
	{
		version();
		out << "1.." << planned.size() << '\n';
		out << "# " << seconds(options.msecs) << " each, seed " << options.seed
		    << std::endl;
	}

	void add(const Outcome &outcome) override
	{
		const Stats &stats = outcome.stats;
		const auto &variant = outcome.planned.variant;

		out << "# " << seconds(stats["elapsed_ms"]) << ", " << stats["threads"]
		    << " threads, " << stats["refs"] << " refs, " << stats["waiters"]
		    << " waiters\n";
		out << "# granted " << stats["grants"] << ", refused " << stats["refusals"]
		    << ", released " << stats["releases"] << '\n';
		for (auto context : context_names)
			if (of_interest(outcome, context))
				out << "# " << context << ": granted "
				    << stats.by_context("grants", context) << ", refused "
				    << stats.by_context("refusals", context) << ", released "
				    << stats.by_context("releases", context) << '\n';
		for (auto [key, label] : figures)
			out << "# " << label << ": " << stats[key] << '\n';
		out << "# wait:";
		for (auto [name, quantile] : quantiles)
			out << ' ' << name << ' ' << duration(outcome.waits.quantile_ns(quantile));
		out << "\n# violations: " << stats["violations"] << '\n';
		for (auto kind : violation_kinds)
			if (stats.violations(kind))
				out << "# violations, " << kind << ": " << stats.violations(kind)
				    << '\n';
		out << "# total acquires " << stats.acquires() << '\n';
		out << "# total rundowns " << stats["rundowns"] << '\n';
		if (variant.kind == "broken" || options.expect_violations) {
			out << "# total violations_caught " << stats["violations"] << '\n';
			if (stats.first_violation_ms)
				out << "# total first_violation_ms " << *stats.first_violation_ms
				    << '\n';
		}
		for (const auto &failure : outcome.failures)
			out << "# failed: " << failure << '\n';
		if (!outcome.passed())
			out << "# again: " << options.again(outcome.planned.settings) << '\n';
		out << (outcome.passed() ? "ok " : "not ok ") << ++number << " - stress "
		    << variant.name << std::endl;
	}

	void end() override {}

	void abandon(const std::string &why) override
	{
		version();
		out << "Bail out! " << why << std::endl;
	}

private:
	void version()
	{
		if (!std::exchange(began, true))
			out << "KTAP version 1\n";
	}

	const Options &options;
	std::ostream &out;
	unsigned number = 0;
	bool began = false;
};

} // namespace

std::unique_ptr<Report> make_report(const Options &options, std::ostream &out)
{
	switch (options.format) {
	case Format::json:
		return std::make_unique<Json>(options, out);
	case Format::ktap:
		return std::make_unique<Ktap>(options, out);
	case Format::table:
		break;
	}
	return std::make_unique<Table>(options, out);
}

} // namespace stress
