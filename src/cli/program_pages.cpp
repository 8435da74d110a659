#include "cli/program_pages.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

namespace ekiden::cli {
namespace {

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

/// Of a line that begins a mapping: "7f00-7f80 r-xp offset device inode   path".
std::optional<Range> range_of(std::string_view line) {
  Range range;
  const char* const last = std::to_address(line.end());
  const auto begin = std::from_chars(std::to_address(line.begin()), last, range.begin, 16);
  if (begin.ec != std::errc() || begin.ptr == last || *begin.ptr != '-') return std::nullopt;
  const auto end = std::from_chars(begin.ptr + 1, last, range.end, 16);
  if (end.ec != std::errc() || end.ptr == last || *end.ptr != ' ') return std::nullopt;
  return range;
}

}  // namespace

bool comes_back(std::string_view head, std::string_view anonymous) {
  const auto permissions = head.substr(std::min(head.find(' '), head.size()));
  const bool is_private = permissions.starts_with(" r--p ") || permissions.starts_with(" r-xp ");
  return is_private && head.find(" /") != std::string_view::npos && anonymous.ends_with(" 0 kB");
}

void let_go_of_program_pages() {
  std::ifstream mappings("/proc/self/smaps");
  std::string head;
  for (std::string line; std::getline(mappings, line);) {
    if (range_of(line)) {
      head = line;
    } else if (line.starts_with("Anonymous:")) {
      const auto range = range_of(head);
      if (!range || !comes_back(head, line)) continue;
      // NOLINTNEXTLINE(performance-no-int-to-ptr): it is an address that the kernel wrote down.
      ::madvise(reinterpret_cast<void*>(range->begin), range->end - range->begin, MADV_DONTNEED);
    }
  }
}

}  // namespace ekiden::cli
