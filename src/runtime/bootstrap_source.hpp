// Where the nodes to join through are configured, in three places, of which the first that is given counts alone:
//
//   1. --bootstrap VALUE              of this one run
//   2. $EKIDEN_BOOTSTRAP              of this shell, service or container
//   3. bootstrap_nodes.json           in the data directory, if it is there
//
// A value is a list with commas. Each entry is a node, `ek1...@tcp://host:port`, or a path of a file like
// bootstrap_nodes.json. In place of the id, the public key may stand (64 hexadecimal digits), which is what a udp
// endpoint needs. A node may be named several times, with other endpoints. The value `none`, or an empty one, means no
// nodes at all: neither those of the places after it.
//
// Rationale for "alone": who names a node for a test does not want the rest of the world beside it.
//
// Bounds: kMaxBootstrapValue characters, kMaxBootstrapEntries entries; those of files in runtime/bootstrap_file.hpp.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "bootstrap/events.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::runtime {

inline constexpr const char* kBootstrapVariable = "EKIDEN_BOOTSTRAP";
inline constexpr const char* kBootstrapFileName = "bootstrap_nodes.json";
inline constexpr std::size_t kMaxBootstrapValue = 64 * 1024;
inline constexpr std::size_t kMaxBootstrapEntries = 128;
inline constexpr std::size_t kMaxSeedEndpoints = 8;

/// What a place names. Lists are signed forms, not verified: bootstrap::Bootstrap::add_list() does that.
using BootstrapSource = bootstrap::Source;

/// The three places.
struct BootstrapPlaces {
  std::optional<std::string> flag = {};
  std::optional<std::string> variable = {};
  std::filesystem::path data_dir;
};

/// With what the environment says.
BootstrapPlaces bootstrap_places(std::optional<std::string> flag, std::filesystem::path data_dir);

/// The place that counts; without seeds and lists if nothing is configured. Errors name the place and the entry:
/// malformed, too_large, not_found (a file), unauthenticated (a list in a file is not signed).
Result<BootstrapSource> read_bootstrap_source(const BootstrapPlaces& places);

/// Reads `ek1...@tcp://host:port` or `<key>@udp://host:port`. Errors: malformed, unsupported, refused (not a proper
/// key).
Result<bootstrap::Seed> parse_seed(std::string_view text);

/// Reads who is trusted to sign lists: ids, or public keys. Errors: malformed, naming the entry.
Result<std::set<identity::PeerId>> parse_signers(std::span<const std::string> texts);

}  // namespace ekiden::runtime
