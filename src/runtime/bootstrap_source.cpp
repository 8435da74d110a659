#include "runtime/bootstrap_source.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/encoding.hpp"
#include "crypto/ed25519.hpp"
#include "runtime/bootstrap_file.hpp"
#include "runtime/files.hpp"

namespace ekiden::runtime {
namespace {

constexpr std::size_t kKeyDigits = 64;

/// Of what is quoted in errors: a value can be long, and anything.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMost = 100;
  std::string out = "\"";
  for (const char c : text.substr(0, kMost)) out += c >= ' ' && c < 127 ? c : '?';
  return out + (text.size() > kMost ? "…\"" : "\"");
}

bool is_key(std::string_view text) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  return text.size() == kKeyDigits && std::ranges::all_of(text, hex);
}

Result<crypto::Ed25519PublicKey> parse_key(std::string_view digits) {
  EKIDEN_ASSIGN(const Bytes bytes, from_hex(digits));
  const crypto::Ed25519PublicKey key{take_array<32>(bytes)};
  if (!crypto::is_acceptable(key)) return fail(Errc::refused, in_quotes(digits) + " is not a proper Ed25519 key");
  return key;
}

/// What looks like a node is never taken for a path: a typing error should say so.
bool looks_like_seed(std::string_view entry) {
  return entry.starts_with("ek1") || entry.find('@') != std::string_view::npos ||
         entry.find("://") != std::string_view::npos;
}

Status add_seed(BootstrapSource& source, bootstrap::Seed seed) {
  const auto same = std::ranges::find(source.seeds, seed.id, &bootstrap::Seed::id);
  if (same == source.seeds.end()) {
    source.seeds.push_back(std::move(seed));
    return {};
  }
  if (seed.public_key) same->public_key = seed.public_key;
  for (auto& endpoint : seed.endpoints) {
    if (std::ranges::find(same->endpoints, endpoint) == same->endpoints.end()) same->endpoints.push_back(endpoint);
  }
  if (same->endpoints.size() <= kMaxSeedEndpoints) return {};
  return fail(Errc::too_large, "more than " + std::to_string(kMaxSeedEndpoints) + " endpoints of one node");
}

Status add_file(BootstrapSource& source, const std::filesystem::path& path) {
  EKIDEN_ASSIGN(const FileText content, read_file(path, kMaxBootstrapFile));
  EKIDEN_ASSIGN(const BootstrapFile file, parse_bootstrap_file(content.text, path.string()));
  for (std::size_t i = 0; i < file.lists.size(); ++i) {
    auto bytes = signed_form(file.lists[i]);
    if (!bytes) return fail(path.string() + ": lists[" + std::to_string(i) + "]", std::move(bytes).error());
    source.lists.push_back({path.string(), std::move(*bytes)});
  }
  return {};
}

Status add_entry(BootstrapSource& source, std::string_view entry) {
  if (entry.empty()) return fail(Errc::malformed, "an entry is empty: remove the comma too much");
  if (!looks_like_seed(entry)) return add_file(source, entry);
  auto seed = parse_seed(entry);
  if (!seed) return fail(in_quotes(entry), std::move(seed).error());
  auto added = add_seed(source, std::move(*seed));
  if (!added) return fail(in_quotes(entry), std::move(added).error());
  return {};
}

Result<BootstrapSource> read_value(std::string_view value, std::string name) {
  BootstrapSource source{.name = std::move(name), .seeds = {}, .lists = {}};
  if (value.empty() || value == "none") return source;
  if (value.size() > kMaxBootstrapValue) {
    return fail(source.name, Error{Errc::too_large, "at most " + std::to_string(kMaxBootstrapValue) +
                                                        " characters are allowed: put the nodes into a file"});
  }
  if (static_cast<std::size_t>(std::ranges::count(value, ',')) >= kMaxBootstrapEntries) {
    return fail(source.name, Error{Errc::too_large, "at most " + std::to_string(kMaxBootstrapEntries) +
                                                        " entries are allowed: put the nodes into a file"});
  }
  while (true) {
    const std::size_t comma = value.find(',');
    auto added = add_entry(source, value.substr(0, comma));
    if (!added) return fail(source.name, std::move(added).error());
    if (comma == std::string_view::npos) return source;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace

BootstrapPlaces bootstrap_places(std::optional<std::string> flag, std::filesystem::path data_dir) {
  BootstrapPlaces places{.flag = std::move(flag), .variable = {}, .data_dir = std::move(data_dir)};
  if (const char* value = std::getenv(kBootstrapVariable)) places.variable = value;
  return places;
}

Result<BootstrapSource> read_bootstrap_source(const BootstrapPlaces& places) {
  if (places.flag) return read_value(*places.flag, "--bootstrap");
  if (places.variable) return read_value(*places.variable, kBootstrapVariable);
  const std::filesystem::path path = places.data_dir / kBootstrapFileName;
  BootstrapSource source{.name = path.string(), .seeds = {}, .lists = {}};
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return source;
  EKIDEN_TRY(add_file(source, path));
  return source;
}

Result<bootstrap::Seed> parse_seed(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) {
    return fail(Errc::malformed, "a node is written as ek1...@tcp://host:port, its id before the address");
  }
  const std::string_view who = text.substr(0, at);
  bootstrap::Seed seed;
  if (is_key(who)) {
    EKIDEN_ASSIGN(seed.public_key, parse_key(who));
    seed.id = identity::PeerId::of(*seed.public_key);
  } else {
    EKIDEN_ASSIGN(seed.id, identity::PeerId::parse(who));
  }
  EKIDEN_ASSIGN(auto endpoint, identity::Endpoint::parse(text.substr(at + 1)));
  if (endpoint.is_udp() && !seed.public_key) {
    return fail(Errc::malformed, "a udp endpoint needs the public key of the node (64 digits) in place of its id");
  }
  if (endpoint.is_udp() && !endpoint.address()) {
    return fail(Errc::malformed, std::string(kNameOverUdp));
  }
  seed.endpoints.push_back(std::move(endpoint));
  return seed;
}

Result<std::set<identity::PeerId>> parse_signers(std::span<const std::string> texts) {
  std::set<identity::PeerId> signers;
  for (const std::string& text : texts) {
    if (is_key(text)) {
      EKIDEN_ASSIGN(const auto key, parse_key(text));
      signers.insert(identity::PeerId::of(key));
      continue;
    }
    auto id = identity::PeerId::parse(text);
    if (!id) return fail("signer " + in_quotes(text), std::move(id).error());
    signers.insert(*id);
  }
  return signers;
}

}  // namespace ekiden::runtime
