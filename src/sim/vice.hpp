// What a dishonest relay, mailbox or member of topics and the registry does with the messages that pass through its
// hands.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "identity/identity.hpp"
#include "identity/peer_id.hpp"
#include "wire/message.hpp"
#include "wire/message_type.hpp"

namespace ekiden::sim {

/// Of a relay.
enum class RelayVice : std::uint8_t {
  swallows,        ///< says that it has taken what others give it, and hands on nothing
  delays,          ///< hands on after seconds or half a minute
  repeats,         ///< hands on three times, and old packets again later, to anybody
  alters,          ///< changes bytes of what is carried, and what the packet says of it
  forges_paths,    ///< cuts, turns round, invents and exchanges the hops of paths
  loops,           ///< sends back, and by routes that come back
  forges_receipts  ///< swallows, and says in the name of the recipient that it has arrived
};
inline constexpr std::uint32_t kRelayVices = 7;

/// Of a mailbox.
enum class MailboxVice : std::uint8_t {
  keeps_nothing,  ///< signs that it keeps what is left with it, and does not
  never_erases,   ///< hands out what has been collected, again and again, under new numbers too
  corrupts,       ///< hands out altered parcels, those of others, and garbage
  boasts          ///< signs that it keeps what nobody has left with it, and refuses what somebody leaves
};
inline constexpr std::uint32_t kMailboxVices = 4;

/// Of a member of topics and of the registry.
enum class MemberVice : std::uint8_t {
  floods,       ///< publishes and writes more than anybody may
  replays,      ///< says again what it has heard
  equivocates,  ///< gives two items one number, and two entries one stamp
  dates_ahead,  ///< writes a year from now
  exaggerates,  ///< says the largest numbers, announces what it does not have, and hands on nothing
  prunes,       ///< leaves all trees, and asks for all that there was
  poisons,      ///< tells of members who do not exist
  garbles,      ///< answers comparisons with garbage, and changes entries
  never_ends    ///< answers and asks without end
};
inline constexpr std::uint32_t kMemberVices = 9;

/// What whoever holds a node can do.
class Hands {
 public:
  virtual ~Hands() = default;
  virtual const identity::Identity& keys() const = 0;
  virtual Now time() const = 0;
  /// To a peer with a link, in the name of the node. Otherwise nothing.
  virtual void say(const identity::PeerId& to, ByteView message) = 0;
  /// To the node, in the name of a peer to which it has a link.
  virtual void tell(const identity::PeerId& as, ByteView message) = 0;
  virtual void later(Duration delay, std::function<void()> deed) = 0;
  /// Those with a link, in the order of their ids.
  virtual std::vector<identity::PeerId> met() const = 0;
};

/// Link messages: a type byte and a body.
class Vice {
 public:
  virtual ~Vice() = default;
  /// What a peer says to the node. False: it does not hear it.
  virtual bool passes_in(const identity::PeerId& from, ByteView message) = 0;
  /// What the node says to a peer. False: it is not sent.
  virtual bool passes_out(const identity::PeerId& to, ByteView message) = 0;
  /// How often it has done wrong.
  std::uint64_t deeds() const { return deeds_; }
  /// When packets were swallowed, each once.
  const std::vector<Instant>& swallowed() const { return swallowed_; }

 protected:
  std::uint64_t deeds_ = 0;
  std::vector<Instant> swallowed_;
};

/// The body of a link message, if it is of this type and follows its description.
template <wire::Described T>
std::optional<T> body_of(ByteView message, wire::MessageType type) {
  if (message.empty() || message[0] != static_cast<Byte>(type)) return std::nullopt;
  auto body = wire::decode<T>(message.subspan(1));
  return body ? std::optional(std::move(*body)) : std::nullopt;
}

using VicePlan = std::variant<RelayVice, MailboxVice, MemberVice>;
/// As a verb.
std::string_view name_of(VicePlan plan);

/// `hands` outlives it.
std::unique_ptr<Vice> make_vice(VicePlan plan, Hands& hands, Rng rng);
std::unique_ptr<Vice> make_relay_vice(RelayVice kind, Hands& hands, Rng rng);
std::unique_ptr<Vice> make_mailbox_vice(MailboxVice kind, Hands& hands, Rng rng);
std::unique_ptr<Vice> make_member_vice(MemberVice kind, Hands& hands, Rng rng);

}  // namespace ekiden::sim
