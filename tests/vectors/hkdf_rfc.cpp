// RFC 5869 appendix A as pyca/cryptography and others keep it: blocks of "NAME = hexadecimal", one block a case.
#include <charconv>
#include <map>
#include <sstream>

#include "crypto/hash.hpp"
#include "formats.hpp"

namespace ekiden::vectors {
namespace {

/// The members of one case, by their names.
using Block = std::map<std::string, std::string>;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// A block begins with COUNT.
std::vector<Block> blocks_of(const std::string& text) {
  std::vector<Block> blocks;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string::npos) continue;
    const auto name = trimmed(line.substr(0, equals));
    if (name == "COUNT" || blocks.empty()) blocks.emplace_back();
    blocks.back()[name] = trimmed(line.substr(equals + 1));
  }
  return blocks;
}

Status judge(const Block& block) {
  std::size_t size = 0;
  const auto& digits = block.at("L");
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  EKIDEN_TRY(expect(parsed.ec == std::errc() && size <= crypto::kMaxHkdfOutput, "L is not a length"));
  const auto key = crypto::hkdf_extract(hex_bytes(block.at("salt")), hex_bytes(block.at("IKM")));
  EKIDEN_TRY(expect(to_bytes(key.view()) == hex_bytes(block.at("PRK")), "another PRK"));
  Bytes output(size);
  EKIDEN_TRY(crypto::hkdf_expand(key.view(), hex_bytes(block.at("info")), output));
  return expect(output == hex_bytes(block.at("OKM")), "another OKM");
}

bool is_hkdf_rfc(const VectorFile& file) {
  if (!file.json.is_discarded()) return false;
  const auto blocks = blocks_of(file.text);
  return !blocks.empty() && blocks.front().contains("IKM") && blocks.front().contains("OKM");
}

void run_hkdf_rfc(const VectorFile& file, Report& report) {
  for (const auto& block : blocks_of(file.text)) {
    const auto hash = block.contains("Hash") ? block.at("Hash") : "SHA-256";
    if (hash != "SHA-256") {
      report.skip("HKDF with " + hash);
    } else {
      report.run("COUNT " + (block.contains("COUNT") ? block.at("COUNT") : "?"), [&] { return judge(block); });
    }
  }
}

}  // namespace

const Format kHkdfRfc{is_hkdf_rfc, run_hkdf_rfc};

}  // namespace ekiden::vectors
