#include "cli/input.hpp"

#include <iostream>

#include "runtime/files.hpp"

namespace ekiden::cli {

Result<std::string> read_input(const std::string& path, std::size_t max_size) {
  if (path != "-") {
    EKIDEN_ASSIGN(auto file, runtime::read_file(path, max_size));
    return std::move(file.text);
  }
  std::string text(max_size + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.size() <= max_size) return text;
  return fail(Errc::too_large, "the standard input is over the limit of " + std::to_string(max_size) + " bytes");
}

Result<std::string> read_line(std::size_t max_size) {
  std::string line;
  for (char c = 0; line.size() <= max_size && std::cin.get(c) && c != '\n';) line.push_back(c);
  if (line.size() <= max_size) return line;
  return fail(Errc::too_large,
              "the line on the standard input is over the limit of " + std::to_string(max_size) + " bytes");
}

}  // namespace ekiden::cli
