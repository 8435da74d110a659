#include "sim/options.hpp"

#include <charconv>
#include <map>

namespace ekiden::sim {
namespace {

template <class Integer>
bool read_number(std::string_view text, Integer& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_seeds(std::string_view text, Options& options) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) {
    if (!read_number(text, options.first_seed)) return false;
    options.last_seed = options.first_seed;
    return true;
  }
  return read_number(text.substr(0, dash), options.first_seed) &&
         read_number(text.substr(dash + 1), options.last_seed) && options.first_seed <= options.last_seed;
}

/// The point of which one part is being named.
CrashPoint& point_of(Options& options) {
  if (!options.point) options.point.emplace();
  return *options.point;
}

using Flag = void (*)(Options&);
using Reader = bool (*)(std::string_view, Options&);

const std::map<std::string_view, Flag> kFlags = {
    {"--json", [](Options& o) { o.json = true; }},
    {"--log", [](Options& o) { o.log = true; }},
    {"--process", [](Options& o) { point_of(o).process = true; }},
};

const std::map<std::string_view, Reader> kValues = {
    {"--seed", read_seeds},
    {"--seeds", read_seeds},
    {"--jobs", [](std::string_view text, Options& o) { return read_number(text, o.jobs) && o.jobs > 0; }},
    {"--messages", [](std::string_view text, Options& o) { return read_number(text, o.messages); }},
    {"--nodes",
     [](std::string_view text, Options& o) {
       return read_number(text, o.nodes.emplace()) && *o.nodes >= kMinNodes && *o.nodes <= kMaxNodes;
     }},
    {"--host", [](std::string_view text, Options& o) { return read_number(text, point_of(o).host); }},
    {"--commit", [](std::string_view text, Options& o) { return read_number(text, point_of(o).commit); }},
    {"--reached", [](std::string_view text, Options& o) { return read_number(text, point_of(o).reached); }},
};

Status read_word(const std::string& word, Options& options) {
  if (word.starts_with("-")) return fail(Errc::invalid_argument, "unknown option " + word);
  if (options.command.empty()) {
    options.command = word;
  } else if (options.scenario.empty()) {
    options.scenario = word;
  } else {
    return fail(Errc::invalid_argument, "unexpected " + word);
  }
  return {};
}

}  // namespace

Result<Options> read_options(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (const auto flag = kFlags.find(word); flag != kFlags.end()) {
      flag->second(options);
    } else if (const auto value = kValues.find(word); value != kValues.end()) {
      ++i;
      if (i == words.size() || !value->second(words[i], options)) {
        return fail(Errc::invalid_argument,
                    word + (word.starts_with("--seed") ? " wants a number or a range like 1-300" : " wants a number"));
      }
    } else {
      EKIDEN_TRY(read_word(word, options));
    }
  }
  return options;
}

}  // namespace ekiden::sim
