#include "runtime/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "base/encoding.hpp"

namespace ekiden::runtime {
namespace {

spdlog::level::level_enum to_spdlog(node::LogLevel level) {
  switch (level) {
    case node::LogLevel::debug:
      return spdlog::level::debug;
    case node::LogLevel::info:
      return spdlog::level::info;
    case node::LogLevel::warning:
      return spdlog::level::warn;
    case node::LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::level::level_enum parse_level(std::string_view name) {
  if (name == "debug") return spdlog::level::debug;
  if (name == "warning") return spdlog::level::warn;
  if (name == "error") return spdlog::level::err;
  return spdlog::level::info;
}

std::shared_ptr<spdlog::logger> make_logger(std::string_view level, bool json) {
  auto logger = std::make_shared<spdlog::logger>(
      "ekiden", json ? spdlog::sink_ptr(std::make_shared<spdlog::sinks::stderr_sink_mt>())
                     : std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  const char* pattern =
      json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v";
  const auto zone = json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local;
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, zone));
  logger->set_level(parse_level(level));
  return logger;
}

void append_escaped(std::string& out, unsigned char byte) {
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", byte);
  out += text;
}

}  // namespace

std::string escape_for_log(std::string_view text, bool json) {
  // Bytes that are not UTF-8 as a whole could hide anything: all of them are escaped then.
  const bool utf8 = is_utf8(as_bytes(text));
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // C1 controls (U+0080 to U+009F) are 0xc2 and the code itself.
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1 && utf8) {
      append_escaped(out, static_cast<unsigned char>(text[++i]));
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8)) {
      append_escaped(out, byte);
    } else {
      if (json && (byte == '"' || byte == '\\')) out += '\\';
      out += text[i];
    }
  }
  return out;
}

LogSink standard_error_log(std::string_view level, std::string_view format) {
  const bool json = format == "json";
  return [logger = make_logger(level, json), json](const LogLine& line) {
    const auto at = to_spdlog(line.level);
    if (!logger->should_log(at)) return;
    const std::string text = escape_for_log(line.text, json);
    if (json) {
      logger->log(at, "\"component\":\"{}\",\"text\":\"{}\"", line.component, text);
    } else {
      logger->log(at, "{}: {}", line.component, text);
    }
  };
}

}  // namespace ekiden::runtime
