// What goes into reachability and what comes out of it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "identity/address.hpp"
#include "identity/endpoint.hpp"
#include "identity/peer_id.hpp"
#include "store/batch.hpp"

namespace ekiden::reachability {

/// Where an endpoint of ours came from; the earlier, the more it is preferred.
enum class Source : std::uint8_t {
  configured,  ///< The owner wrote it.
  mapped,      ///< A router forwards it to us.
  observed,    ///< Peers see us there.
};
std::string_view source_name(Source source);

enum class State : std::uint8_t {
  candidate,    ///< Nobody has said yet whether it works.
  verified,     ///< Peers have reached it: published.
  unreachable,  ///< Peers have not reached it, or nobody may dial such an address.
  declared,     ///< Published on the word of the owner: discovery is off, and nobody is asked.
};
std::string_view state_name(State state);

/// What a dial-back has found.
enum class Verdict : std::uint8_t {
  reached,      ///< We proved our key there.
  not_reached,  ///< The peer dialled and did not find us.
  refused,      ///< The peer did not dial: it says nothing about the endpoint.
};
inline constexpr Verdict kLastVerdict = Verdict::refused;

/// Who tells us at which address they see us.
struct Observer {
  identity::PeerId peer;
  std::optional<identity::IpAddress> address = {};  ///< Its own; none behind a proxy.
};

/// Names one question of one run; never reused.
enum class QuestionId : std::uint64_t {};

/// Ask the peer to dial back an endpoint. Answer with on_answer; later than Config::answer_timeout it is ignored.
struct Question {
  QuestionId id;
  identity::PeerId peer;
  identity::Endpoint endpoint;
};
/// A question is due, and no peer is there that could be asked: dial one. Said at most once for each attempt.
struct NeedPeer {};
/// What may be published is not what it was.
struct Changed {};
struct Write {
  store::Batch batch;
};
/// One line for the log.
struct Notice {
  enum class Kind : std::uint8_t { verified, lost };
  Kind kind;
  std::string text;
};

/// One endpoint of ours, for status and diagnosis.
struct EndpointStatus {
  identity::Endpoint endpoint;
  Source source{};
  State state{};
  std::optional<WallTime> verified_at = {};         ///< Reached last.
  std::string last_error = {};                      ///< Why it is not verified, or the last check failed.
  std::optional<identity::PeerId> refused_by = {};  ///< Who said so, if it was a peer.
  std::optional<Instant> next_check = {};
};

}  // namespace ekiden::reachability
