// What goes into discovery and what comes out of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/address.hpp"
#include "identity/endpoint.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_id.hpp"
#include "store/batch.hpp"

namespace ekiden::bootstrap {

// Inputs.

/// A node that the owner of this one named.
struct Seed {
  identity::PeerId id;
  std::optional<crypto::Ed25519PublicKey> public_key;  ///< Hashes to the id. Without it, no endpoint over UDP helps.
  std::vector<identity::Endpoint> endpoints;
};

/// What the owner configured, from the place that counts (runtime/bootstrap_source.hpp).
struct Source {
  /// A signed form, not verified: Bootstrap::add_list() does that.
  struct List {
    std::string file;  ///< Where it stands, for messages.
    Bytes signed_list;
  };
  std::string name = {};  ///< For messages: "--bootstrap".
  std::vector<Seed> seeds = {};
  std::vector<List> lists = {};
};

/// What a probe found out about a node that has proven its key.
struct Reached {
  crypto::Ed25519PublicKey public_key;
  Duration round_trip{};
  std::optional<identity::Endpoint> endpoint = {};      ///< The one that answered.
  std::optional<identity::SocketAddress> address = {};  ///< What it resolved to.
  std::vector<identity::Endpoint> own_endpoints = {};   ///< Of its verified record: better than what others say.
  std::optional<Bytes> list = {};                       ///< Its own signed list, if it was wanted and there is one.
};

// Effects.

/// Names one probe of one run; never reused.
enum class ProbeId : std::uint64_t {};

/// Find out whether the node is there: try the endpoints in order, let it prove its key, ask for its list if wanted.
/// Answer with on_reached or on_unreachable; later than Config::probe_timeout the answer is ignored. Ask may_dial()
/// with `learned_from` after names were resolved.
struct Probe {
  ProbeId probe;
  identity::PeerId node;
  std::optional<crypto::Ed25519PublicKey> public_key;
  std::vector<identity::Endpoint> endpoints;
  identity::LearnedFrom learned_from{};
  bool want_list = false;
};

/// A node through which one can join now.
struct Candidate {
  identity::PeerId node;
  std::optional<crypto::Ed25519PublicKey> public_key;
  std::vector<identity::Endpoint> endpoints;       ///< The one that answered last comes first.
  std::optional<identity::SocketAddress> address;  ///< Where it was reached in this run.
  identity::LearnedFrom learned_from{};
  std::uint32_t score = 0;  ///< 0 to kFullScore; see bootstrap/score.hpp.
  bool reached = false;     ///< In this run; otherwise it is remembered from an earlier one.
};

/// Persist this; nothing waits for it.
struct Write {
  store::Batch batch;
};

/// One line of the trail. At most three for each probe and one for each source, which bounds their number.
struct Notice {
  enum class Kind : std::uint8_t {
    source_taken,    ///< Seeds, or a list, of the configuration.
    source_refused,  ///< A list of the configuration that is not valid, not trusted, or not of this time.
    list_taken,      ///< A list of a node; the text counts what was done with its nodes.
    list_refused,    ///< Not valid, not the node's own, or not of this time: nothing of it was used.
    list_dead,       ///< No node that this signer named was ever reached.
    node_dead,       ///< Given up after the limits of Config.
    node_refused,    ///< It answered from an address that it may not have, or whose prefix is full.
  };
  Kind kind{};
  identity::PeerId node;  ///< The node or signer; zero where there is none.
  std::string text;
};

}  // namespace ekiden::bootstrap
