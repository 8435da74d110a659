#include "cli/output.hpp"

#include <algorithm>

#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

constexpr std::size_t kNameWidth = 11;

std::string padded(std::string_view text, std::size_t width) {
  const auto used = display_width(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

}  // namespace

void Output::object(const api::Json& object) { out_ << api::dump_json(object) << '\n'; }

void Output::line(std::string_view text) { out_ << text << '\n'; }

void Output::note(std::string_view text) {
  if (!mode_.quiet && !mode_.json) out_ << text << '\n';
}

void Output::hint(std::string_view text) {
  if (!mode_.quiet && !mode_.json) err_ << text << '\n';
}

void Output::field(std::string_view name, std::string_view value) {
  out_ << padded(name, kNameWidth) << ' ' << value << '\n';
}

void Output::table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  for (const auto& row : rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) text += i + 1 < row.size() ? padded(row[i], widths[i] + 2) : row[i];
    out_ << text.substr(0, text.find_last_not_of(' ') + 1) << '\n';
  }
}

void Output::progress(std::string_view text) {
  if (!mode_.error_terminal || mode_.quiet || mode_.json) return;
  err_ << "\r\x1b[K" << text << std::flush;
  progress_shown_ = true;
}

void Output::end_progress() {
  if (progress_shown_) err_ << "\r\x1b[K" << std::flush;
  progress_shown_ = false;
}

std::string Output::text(std::string_view from_outside) const {
  return mode_.terminal ? safe_text(from_outside, /*keep_lines=*/false) : std::string(from_outside);
}

std::string Output::lines(std::string_view from_outside) const {
  return mode_.terminal ? safe_text(from_outside, /*keep_lines=*/true) : std::string(from_outside);
}

void Output::error(const Error& error) {
  end_progress();
  if (mode_.json) {
    err_ << api::dump_json({{"error", error.message}, {"code", errc_name(error.code)}}) << '\n';
  } else {
    const auto message = mode_.error_terminal ? safe_text(error.message, /*keep_lines=*/true) : error.message;
    err_ << "ekiden: " << message << '\n';
  }
  err_.flush();
}

void Output::warning(std::string_view text) {
  if (mode_.json) {
    err_ << api::dump_json({{"warning", text}}) << '\n';
  } else {
    err_ << "ekiden: " << (mode_.error_terminal ? safe_text(text, /*keep_lines=*/true) : std::string(text)) << '\n';
  }
  err_.flush();
}

Status Output::flush() {
  out_.flush();
  if (out_) return {};
  return fail(Errc::storage_failed, "what was printed could not be written: the output is closed or full");
}

}  // namespace ekiden::cli
