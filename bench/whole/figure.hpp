// A figure: what was measured, beside the raw baseline of the same run. Repetitions of both alternate, so that a
// machine whose speed drifts slows both; the ratio is the median of the ratios of the pairs.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace ekiden::bench {

struct Options {
  bool json = false;
  int repetitions = 5;
  std::string self;       ///< path of this program, which is also its helper processes
  std::string directory;  ///< for data directories and files
};

struct Pair {
  double value = 0;
  double baseline = 0;
};

struct Figure {
  std::string name;
  std::string unit;
  std::string baseline;  ///< what the baseline is
  std::string bound;     ///< what the ratio or value must reach
  std::function<Result<Pair>(const Options&)> measure;
  bool is_repeatable = true;  ///< otherwise once is as good as many times
  bool takes_long = false;    ///< so long that it is left out where nobody has named a prefix of it
};

/// Measures and prints. False if a repetition failed; why is on stderr.
bool run_figure(const Figure& figure, const Options& options);

double median(std::vector<double> values);

std::vector<Figure> message_figures();
std::vector<Figure> delivery_figures();
/// One relay, without nodes around it.
std::vector<Figure> relay_figures();
/// Half a minute to two for all of them.
std::vector<Figure> mailbox_figures();
std::vector<Figure> link_figures();
/// None if this was built without OpenDHT.
std::vector<Figure> discovery_figures();
std::vector<Figure> process_figures();
std::vector<Figure> simulated_discovery_figures();
/// A registry with a hundred thousand entries; those of the next are among them.
std::vector<Figure> registry_figures();
std::vector<Figure> registry_sync_figures();
/// Broadcasts and a split, of up to ten thousand nodes.
std::vector<Figure> simulated_agreement_figures();

/// A program that is built with this one.
std::filesystem::path beside(const Options& options, const char* program);

}  // namespace ekiden::bench
