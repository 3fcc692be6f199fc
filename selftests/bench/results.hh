// SPDX-License-Identifier: GPL-2.0
//
// What was measured: samples by a key such as "native pairs percpu 1", and what they are of.

#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bench
{

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
	// Of what `merge' printed.
	explicit Results(const std::string &path);

	const nlohmann::ordered_json &json() const { return m_json; }

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
	// The subjects in the order of the table in subjects.c.
	std::vector<std::string> subjects() const;
	std::string title(const std::string &subject) const;

	// Of the kernel run with everything: the others have the idle run-down only.
	std::string main_cpus() const;

	int native_cpus() const { return m_json.at("native").at("cpus").get<int>(); }
	std::string all_cpus() const { return std::to_string(native_cpus()); }

private:
	nlohmann::ordered_json m_json;
};

// Each puts a part of a run into what `merge' prints. They throw if they can't.
void merge_native(nlohmann::ordered_json &all, const std::string &path);
void merge_instructions(nlohmann::ordered_json &all, const std::string &path);
void merge_kernel(nlohmann::ordered_json &all, const std::string &path, bool polling);

} // namespace bench
