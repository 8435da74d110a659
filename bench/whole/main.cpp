// ekiden-bench: measures what a user would notice, each figure beside a raw baseline of the same run.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "whole/child.hpp"
#include "whole/figure.hpp"
#include "whole/raw.hpp"

namespace ekiden::bench {

int role_node(const std::vector<std::string>& words, bool echo);
int role_service(const std::string& directory);
int role_link(const std::string& role, const std::string& directory);
int role_discovery(const std::string& nodes);

int run_role(const std::string& role, const std::vector<std::string>& words) {
  const std::string directory = words.empty() ? "" : words[0];
  if (role == "raw-echo") return role_raw_echo();
  if (role == "echo" || role == "take") return role_node(words, role == "echo");
  if (role == "service") return role_service(directory);
  if (role == "discovery") return role_discovery(directory);
  return role_link(role, directory);
}

}  // namespace ekiden::bench

namespace {

using namespace ekiden::bench;

constexpr std::string_view kHelp =
    R"(Usage: ekiden-bench [PREFIX ...] [--json] [--list] [--repetitions N] [--directory DIR]

Measures figures whose names begin with one of the prefixes, each five times, alternating with its raw baseline, and
prints median, spread, and the median of the ratios. Build it with the release preset. Without a prefix all are measured
but those of ten thousand simulated nodes, which take up to an hour: it says which it leaves out.

  --json             one object a line: figure, value, unit, baseline, ratio and the spread
  --list             says which figures would be measured, and measures none
  --repetitions N    5
  --directory DIR    where data directories and files are made; its disk is what durable figures measure

Examples:
  ekiden-bench
  ekiden-bench message.volatile --json
  ekiden-bench link handshake --repetitions 9
  ekiden-bench discovery --json
  ekiden-bench discovery.sim --list
  ekiden-bench agreement --json        what members of a network agree on: gossip, registry and partition

Exit status: 0 all figures were measured, 1 one could not be, 2 wrong usage.
)";

/// Whole programs first: the peak memory of a process begins with what its parent had when it forked.
std::vector<Figure> all_figures() {
  std::vector<Figure> all = process_figures();
  for (auto&& more :
       {message_figures(), delivery_figures(), relay_figures(), mailbox_figures(), link_figures(), discovery_figures(),
        simulated_discovery_figures(), registry_figures(), simulated_agreement_figures()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// "agreement" stands for what has names of its own.
void add_prefixes(const std::string& word, std::vector<std::string>& prefixes) {
  if (word != "agreement") return prefixes.push_back(word);
  prefixes.insert(prefixes.end(), {"gossip.", "registry.", "partition."});
}

/// Without a prefix all but those that take long, about which it says so.
std::vector<Figure> chosen_figures(const std::vector<std::string>& prefixes) {
  std::vector<Figure> chosen = all_figures();
  if (prefixes.empty()) {
    for (const Figure& figure : chosen) {
      if (figure.takes_long) std::fprintf(stderr, "ekiden-bench: left out unless named: %s\n", figure.name.c_str());
    }
    std::erase_if(chosen, [](const Figure& figure) { return figure.takes_long; });
    return chosen;
  }
  std::erase_if(chosen, [&](const Figure& figure) {
    return std::ranges::none_of(prefixes, [&](const std::string& prefix) { return figure.name.starts_with(prefix); });
  });
  return chosen;
}

/// False if one of them could not be measured.
bool measure_all(const std::vector<Figure>& figures, Options& options, const std::string& parent) {
  options.directory = parent + "/ekiden-bench.XXXXXX";
  if (mkdtemp(options.directory.data()) == nullptr) {
    std::fprintf(stderr, "ekiden-bench: cannot make a directory in %s\n", parent.c_str());
    return false;
  }
  pin(0);
  bool ok = true;
  for (const Figure& figure : figures) ok = run_figure(figure, options) && ok;
  std::filesystem::remove_all(options.directory);
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 2 && words[0] == "--role") return run_role(words[1], {words.begin() + 2, words.end()});
  Options options;
  options.self = std::filesystem::read_symlink("/proc/self/exe");
  std::string parent = std::filesystem::temp_directory_path();
  std::vector<std::string> prefixes;
  bool only_list = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--help" || words[i] == "-h") {
      std::printf("%.*s", static_cast<int>(kHelp.size()), kHelp.data());
      return 0;
    }
    const bool has_value = i + 1 < words.size();
    if (words[i] == "--json") {
      options.json = true;
    } else if (words[i] == "--list") {
      only_list = true;
    } else if (words[i] == "--repetitions" && has_value) {
      options.repetitions = std::max(1, std::atoi(words[++i].c_str()));
    } else if (words[i] == "--directory" && has_value) {
      parent = words[++i];
    } else if (words[i].starts_with("-")) {
      std::fprintf(stderr, "ekiden-bench: unknown option %s; see ekiden-bench --help\n", words[i].c_str());
      return 2;
    } else {
      add_prefixes(words[i], prefixes);
    }
  }
  const std::vector<Figure> figures = chosen_figures(prefixes);
  if (figures.empty()) {
    std::fprintf(stderr,
                 "ekiden-bench: no figure has such a name; those of discovery are built where libopendht-dev is "
                 "installed (scripts/setup), and then the build is configured anew\n");
    return 2;
  }
  if (only_list) {
    for (const Figure& figure : figures) std::printf("%s\n", figure.name.c_str());
    return 0;
  }
  return measure_all(figures, options, parent) ? 0 : 1;
}
