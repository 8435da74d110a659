#include "whole/figure.hpp"

#include <algorithm>
#include <cstdio>

namespace ekiden::bench {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

std::filesystem::path beside(const Options& options, const char* program) {
  const auto here = std::filesystem::path(options.self).parent_path();
  const auto above = here.parent_path() / program;
  return std::filesystem::exists(here / program) ? here / program : above;
}

bool run_figure(const Figure& figure, const Options& options) {
  std::vector<double> values, baselines, ratios;
  const int repetitions = figure.is_repeatable ? options.repetitions : 1;
  for (int i = 0; i < repetitions; ++i) {
    const auto pair = figure.measure(options);
    if (!pair) {
      std::fprintf(stderr, "%s: %s\n", figure.name.c_str(), pair.error().message.c_str());
      return false;
    }
    values.push_back(pair->value);
    baselines.push_back(pair->baseline);
    ratios.push_back(pair->value / pair->baseline);
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const auto [ratio_low, ratio_high] = std::minmax_element(ratios.begin(), ratios.end());
  if (options.json) {
    std::printf(R"({"figure":"%s","value":%.6g,"unit":"%s","baseline":%.6g,"ratio":%.4g,"min":%.6g,"max":%.6g,)"
                R"("ratio_min":%.4g,"ratio_max":%.4g,"repetitions":%d})"
                "\n",
                figure.name.c_str(), median(values), figure.unit.c_str(), median(baselines), median(ratios), *low,
                *high, *ratio_low, *ratio_high, repetitions);
  } else {
    std::printf("%-24s %12.5g %-5s (%.5g to %.5g)  baseline %.5g, %s  ratio %.3g (%.3g to %.3g)  bound: %s\n",
                figure.name.c_str(), median(values), figure.unit.c_str(), *low, *high, median(baselines),
                figure.baseline.c_str(), median(ratios), *ratio_low, *ratio_high, figure.bound.c_str());
  }
  std::fflush(stdout);
  return true;
}

}  // namespace ekiden::bench
