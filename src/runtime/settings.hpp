// Settings of a node: the data directory and its ekiden.toml.
//
// Layout of a data directory (0700; its files 0600):
//   ekiden.toml    settings, commented, edited by hand
//   identity.key   the Ed25519 seed: whoever has it is this node
//   ekiden.db      the store (SQLite), with its -wal beside it
//   api.token      the bearer token of the local API, made anew at each start
//   api.address    where the local API listens, written when it does
//   lock           held while a node runs on this directory
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/endpoint.hpp"
#include "identity/peer_id.hpp"
#include "node/node.hpp"

namespace ekiden::runtime {

inline constexpr const char* kSettingsFile = "ekiden.toml";
inline constexpr std::size_t kMaxSettingsFile = 64 * 1024;
inline constexpr std::size_t kMaxListen = 8;
inline constexpr std::size_t kMaxAdvertised = 8;
inline constexpr std::size_t kMaxTrustedSigners = 64;

/// What ekiden.toml says, checked. Every key has a default and its bounds; an unknown key is an error that names it,
/// its line and the key that was probably meant.
struct Settings {
  std::vector<identity::Endpoint> listen;     ///< tcp://0.0.0.0:7420 and udp://0.0.0.0:7420
  std::vector<identity::Endpoint> advertise;  ///< beside what other nodes see
  // Files of TLS, for wss://; beginning at the data directory if they are relative.
  std::filesystem::path tls_certificate;
  std::filesystem::path tls_key;
  std::filesystem::path tls_ca;            ///< empty: the authorities of the system
  std::string tls_verify = "on";           ///< on or off
  std::string api_listen = "127.0.0.1:0";  ///< loopback only; port 0: any free
  std::string metrics_listen;              ///< of metrics and health, for monitors; empty: nowhere
  std::string log_level = "info";
  std::string private_network = "off";            ///< on or off
  std::string port_mapping = "on";                ///< on or off
  std::string lan = "on";                         ///< on or off
  std::string log_format = "text";                ///< text or json
  std::vector<identity::PeerId> trusted_signers;  ///< of bootstrap lists in the configuration; empty: any
  node::Config node;  ///< its `advertised` is `advertise`, its `bootstrap.trusted_signers` those above
};

/// What a data directory without any setting has.
Settings default_settings();

/// Where a node may listen: tcp, ws, wss or udp, an address and not a name, port 0 for any free one. Errors: malformed,
/// unsupported.
Result<identity::Endpoint> parse_listen(std::string_view text);

/// "queue", "accept" or "refuse". Errors: malformed.
Result<router::Strangers> parse_strangers(std::string_view text);

/// $EKIDEN_HOME, else $XDG_DATA_HOME/ekiden, else ~/.local/share/ekiden.
std::filesystem::path default_data_dir();

/// Reads ekiden.toml. Errors: not_found (says to run `ekiden init`), malformed (file, line, key, what is allowed).
Result<Settings> load_settings(const std::filesystem::path& data_dir);
/// The same from text; for tests and fuzzing. `name` stands in errors.
Result<Settings> parse_settings(std::string_view text, std::string_view name);

/// The settings as a commented file, every key with its meaning and bounds; parse_settings reads it back.
std::string settings_text(const Settings& settings);

struct InitOptions {
  std::filesystem::path data_dir;
  std::vector<std::string> listen = {"tcp://0.0.0.0:7420", "udp://0.0.0.0:7420"};
  std::vector<std::string> advertise;
};
/// Makes the directory, a commented ekiden.toml, an empty store, and last the identity: a directory without an identity
/// is not a node. On an error what it had made is gone again. Errors: already_exists (refuses to overwrite anything),
/// malformed or unsupported (endpoints), refused (others may read the directory).
Result<identity::PeerId> init_data_dir(const InitOptions& options);

/// Errors: not_found, refused (permissions wider than 0600), malformed.
Result<crypto::Ed25519Seed> load_identity(const std::filesystem::path& data_dir);

}  // namespace ekiden::runtime
