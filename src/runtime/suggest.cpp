#include "runtime/suggest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace ekiden::runtime {
namespace {

constexpr std::size_t kMaxWord = 48;
constexpr std::size_t kMaxEdits = 2;

/// Levenshtein's distance, one row at a time. REQUIRES: both at most kMaxWord long.
std::size_t edits(std::string_view a, std::string_view b) {
  std::array<std::size_t, kMaxWord + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
  if (word.size() > kMaxWord) return {};
  std::string_view best;
  std::size_t best_edits = kMaxEdits + 1;
  for (const std::string_view candidate : known) {
    if (candidate.size() > kMaxWord) continue;
    const std::size_t distance = edits(word, candidate);
    if (distance < best_edits && distance < candidate.size()) {
      best = candidate;
      best_edits = distance;
    }
  }
  return best.empty() ? std::string() : "; did you mean '" + std::string(best) + "'?";
}

}  // namespace ekiden::runtime
