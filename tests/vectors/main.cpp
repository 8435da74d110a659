// ekiden-vectors: runs public test vectors and says, for every file, how many cases passed and how many failed.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats.hpp"

namespace ekiden::vectors {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHelp =
    R"(Usage: ekiden-vectors DIR

Runs every file of public test vectors under DIR (or the one file DIR) against Ekiden's own code, and prints a line for
each file:

  wycheproof/x25519_test.json: 518 passed, 0 failed
  wycheproof/aes_gcm_test.json: 66 passed, 0 failed, 250 skipped (...)
  websocket/cases.json: 240 passed, 0 failed, 16 asserted as refused (over 1 MiB, 1009: 16)
  README.md: skipped (not a vector file)

Cases are skipped if they are about something that Ekiden does not do, such as another cipher. Cases that send what
Ekiden has to refuse, because it is over one of its limits, are counted for themselves: the refusal is asserted. Why a
case failed is said on standard error. Formats are recognised by their content: Wycheproof (X25519, Ed25519,
AES-256-GCM, HKDF, HMAC), RFC 5869, Noise, CBOR (RFC 8949 appendices A and F, cbor-wg), COSE (cose-wg, gluecose),
address ranges, UTF-8, WebSocket (Autobahn), HTTP (llhttp).

Exit status: 0 if nothing failed, 1 if a case failed, 2 if DIR is missing or holds no file.
)";

constexpr std::size_t kMaxFailuresShown = 10;

/// All regular files, in an order that does not depend on the file system. Symbolic links to folders are not followed.
std::vector<fs::path> files_under(const fs::path& root) {
  if (fs::is_regular_file(root)) return {root};
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string reasons(const Report& report) {
  std::string text;
  for (const auto& [why, cases] : report.skipped()) text += (text.empty() ? "" : "; ") + why;
  return text;
}

std::string refusals(const Report& report) {
  std::size_t total = 0;
  std::string text;
  for (const auto& [why, cases] : report.refused()) {
    total += cases;
    text += (text.empty() ? "" : "; ") + why + ": " + std::to_string(cases);
  }
  return std::to_string(total) + " asserted as refused (" + text + ")";
}

void print(const std::string& name, const Report& report) {
  std::size_t skipped = 0;
  for (const auto& [why, cases] : report.skipped()) skipped += cases;
  if (report.passed() == 0 && report.failures().empty() && report.refused().empty()) {
    std::printf("%s: skipped (%s)\n", name.c_str(), skipped == 0 ? "no cases in it" : reasons(report).c_str());
    return;
  }
  std::printf("%s: %zu passed, %zu failed", name.c_str(), report.passed(), report.failures().size());
  if (!report.refused().empty()) std::printf(", %s", refusals(report).c_str());
  if (skipped != 0) std::printf(", %zu skipped (%s)", skipped, reasons(report).c_str());
  std::printf("\n");
  std::fflush(stdout);
  const auto shown = std::min(report.failures().size(), kMaxFailuresShown);
  for (std::size_t i = 0; i < shown; ++i) std::fprintf(stderr, "  %s\n", report.failures()[i].c_str());
  if (report.failures().size() > shown) std::fprintf(stderr, "  and %zu more\n", report.failures().size() - shown);
}

/// Returns whether nothing failed.
bool run_file(const fs::path& path, const std::string& name) {
  Report report;
  if (auto file = load(path, name); !file) {
    report.record("file", fail(file.error().code, file.error().message));
  } else {
    const auto all = formats();
    const auto format = std::ranges::find_if(all, [&](const Format* known) { return known->recognises(*file); });
    try {
      (*format)->run(*file, report);
    } catch (const std::exception& error) {
      report.record("file", fail(Errc::malformed, error.what()));
    }
  }
  print(name, report);
  return report.failures().empty();
}

int run(const fs::path& root) {
  if (!fs::exists(root)) {
    std::fprintf(stderr, "ekiden-vectors: there is no %s\n", root.c_str());
    return 2;
  }
  const auto files = files_under(root);
  if (files.empty()) {
    std::fprintf(stderr, "ekiden-vectors: no files in %s\n", root.c_str());
    return 2;
  }
  bool all_passed = true;
  for (const auto& path : files) {
    const auto name = path == root ? path.filename() : path.lexically_relative(root);
    all_passed = run_file(path, name.generic_string()) && all_passed;
  }
  return all_passed ? 0 : 1;
}

}  // namespace
}  // namespace ekiden::vectors

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h")) {
    std::fputs(ekiden::vectors::kHelp, stdout);
    return 0;
  }
  if (arguments.size() != 1 || arguments[0].empty() || arguments[0].starts_with('-')) {
    std::fputs(ekiden::vectors::kHelp, stderr);
    return 2;
  }
  try {
    return ekiden::vectors::run(arguments[0]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ekiden-vectors: %s\n", error.what());
    return 2;
  }
}
