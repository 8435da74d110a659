#include "runtime/settings.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#include "runtime/files.hpp"
#include "runtime/settings_table.hpp"
#include "runtime/toml.hpp"

namespace ekiden::runtime {
namespace {

Status read_setting(Settings& settings, const Setting& setting, TomlPlace place) {
  const std::string key = std::string(setting.section) + "." + std::string(setting.key);
  Status done;
  if (setting.integer != nullptr) {
    EKIDEN_ASSIGN(const std::uint64_t value, read_integer(place, key, setting.low, setting.high));
    setting.integer->set(settings, value);
  } else if (setting.text != nullptr) {
    EKIDEN_ASSIGN(const std::string value, read_text(place, key));
    done = setting.text->set(settings, value);
  } else {
    EKIDEN_ASSIGN(const std::vector<std::string> value, read_texts(place, key, setting.high));
    done = setting.list->set(settings, value);
  }
  if (!done) return place.malformed(key + ": " + done.error().message);
  return {};
}

Status read_section(Settings& settings, std::string_view section, TomlPlace place) {
  const toml::table* table = place.node->as_table();
  if (table == nullptr) {
    return place.malformed("write [" + std::string(section) + "] in brackets, on a line of its own");
  }
  std::vector<std::string_view> known;
  for (const Setting& setting : settings_table()) {
    if (setting.section == section) known.push_back(setting.key);
  }
  EKIDEN_TRY(check_keys(*table, place.file, "[" + std::string(section) + "]", known));
  for (const Setting& setting : settings_table()) {
    if (setting.section != section) continue;
    if (const toml::node* value = table->get(setting.key)) {
      EKIDEN_TRY(read_setting(settings, setting, {place.file, value}));
    }
  }
  return {};
}

std::string value_text(const Settings& settings, const Setting& setting) {
  if (setting.integer != nullptr) return std::to_string(setting.integer->get(settings));
  if (setting.text != nullptr) return toml_quoted(setting.text->get(settings));
  return toml_list(setting.list->get(settings));
}

std::string bounds_text(const Setting& setting) {
  if (setting.integer == nullptr) return {};
  return " From " + std::to_string(setting.low) + " to " + std::to_string(setting.high) + ".";
}

std::filesystem::path environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

}  // namespace

std::filesystem::path default_data_dir() {
  if (const auto home = environment("EKIDEN_HOME"); !home.empty()) return home;
  if (const auto data = environment("XDG_DATA_HOME"); data.is_absolute()) return data / "ekiden";
  return environment("HOME") / ".local" / "share" / "ekiden";
}

Settings default_settings() {
  Settings settings;
  using enum identity::Endpoint::Transport;
  settings.listen = {{.transport = tcp, .host = "0.0.0.0", .port = 7420},
                     {.transport = udp, .host = "0.0.0.0", .port = 7420}};
  return settings;
}

Result<Settings> load_settings(const std::filesystem::path& data_dir) {
  const std::filesystem::path path = data_dir / kSettingsFile;
  auto file = read_file(path, kMaxSettingsFile);
  if (!file && file.error().code == Errc::not_found) {
    return fail(Errc::not_found, path.string() +
                                     " is missing: make a data directory with `ekiden init`, or name the right "
                                     "one with --data-dir");
  }
  if (!file) return std::unexpected(std::move(file).error());
  return parse_settings(file->text, path.string());
}

Result<Settings> parse_settings(std::string_view text, std::string_view name) {
  EKIDEN_ASSIGN(const toml::table root, parse_toml(text, name, kMaxSettingsFile));
  EKIDEN_TRY(check_keys(root, name, "the file", settings_sections()));
  Settings settings = default_settings();
  for (const std::string_view section : settings_sections()) {
    if (const toml::node* node = root.get(section)) EKIDEN_TRY(read_section(settings, section, {name, node}));
  }
  return settings;
}

std::string settings_text(const Settings& settings) {
  std::string out =
      "# Settings of an Ekiden node. Read once, when the node starts. Every key is optional; what stands here after\n"
      "# `ekiden init` are the defaults.\n";
  std::string_view section;
  for (const Setting& setting : settings_table()) {
    if (setting.section != section) out += "\n[" + std::string(setting.section) + "]\n";
    section = setting.section;
    out += "# " + std::string(setting.comment) + bounds_text(setting) + "\n";
    out += std::string(setting.key) + " = " + value_text(settings, setting) + "\n";
  }
  return out;
}

}  // namespace ekiden::runtime
