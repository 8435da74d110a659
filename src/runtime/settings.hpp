// Settings of a node: the data directory and its ekiden.toml.
//
// Layout of a data directory (0700; its files 0600):
//   ekiden.toml    settings, commented, edited by hand
//   identity.key   the Ed25519 seed: whoever has it is this node
//   ekiden.db      the store (SQLite), with its -wal and -shm beside it
//   api.token      the bearer token of the local API, made anew at each start
//   api.address    where the local API listens, written when it does
//   lock           held while a node runs on this directory
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/endpoint.hpp"
#include "node/node.hpp"

namespace ekiden::runtime {

/// What ekiden.toml says, checked. Every key has a default; an unknown key is an error that names it and its line.
struct Settings {
  std::vector<identity::Endpoint> listen;      ///< tcp://0.0.0.0:7420
  std::vector<identity::Endpoint> advertise;   ///< empty: nothing
  std::string api_listen = "127.0.0.1:0";      ///< loopback only; port 0: any free
  std::string log_level = "info";
  std::string log_format = "text";             ///< text or json
  node::Config node;
};

/// $EKIDEN_HOME, else $XDG_DATA_HOME/ekiden, else ~/.local/share/ekiden.
std::filesystem::path default_data_dir();

/// Reads ekiden.toml. Errors: not_found (says to run `ekiden init`), malformed (file, line, key, what is allowed).
Result<Settings> load_settings(const std::filesystem::path& data_dir);
/// The same from text; for tests and fuzzing. `name` stands in errors.
Result<Settings> parse_settings(std::string_view text, std::string_view name);

/// Makes the directory, identity and a commented ekiden.toml. Errors: already_exists (refuses to overwrite anything).
struct InitOptions {
  std::filesystem::path data_dir;
  std::string listen = "tcp://0.0.0.0:7420";
  std::vector<std::string> advertise;
};
Result<identity::PeerId> init_data_dir(const InitOptions& options);

/// Errors: not_found, refused (permissions wider than 0600), malformed.
Result<crypto::Ed25519Seed> load_identity(const std::filesystem::path& data_dir);

}  // namespace ekiden::runtime
