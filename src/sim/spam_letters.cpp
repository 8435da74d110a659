#include "sim/spam_letters.hpp"

#include <utility>

#include "base/check.hpp"
#include "mailbox/wire_form.hpp"
#include "relay/wire_form.hpp"
#include "router/wire_form.hpp"

namespace ekiden::sim {
namespace {

constexpr milliseconds kTtl = hours(1);

}  // namespace

SpamLetters::SpamLetters(const identity::Identity& self, identity::PeerRecord victim,
                         const identity::PeerId& accomplice, Rng rng)
    : self_(self),
      victim_(std::move(victim)),
      accomplice_(accomplice),
      rng_(std::move(rng)),
      sessions_(self, {}, rng_.split()) {}

Bytes SpamLetters::next(Now now) {
  if (count_ == 0) sessions_.start(now, out_);
  switch (count_++ % 4) {
    case 0:
      return letter(now);
    case 1:
      return false_first(now);
    case 2:
      return packet(now);
    default:
      return parcel(now);
  }
}

Bytes SpamLetters::letter(Now now) { return seal(now, sessions_, Uuid::random(rng_)); }

/// Nothing in it is wrong but the end of the ciphertext. What is at the end of the message is that.
Bytes SpamLetters::false_first(Now now) {
  if (false_first_.empty()) {
    session::Sessions fresh(self_, {}, rng_.split());
    fresh.start(now, out_);
    false_first_ = seal(now, fresh, Uuid::random(rng_));
    false_first_.back() ^= 1;
  }
  return false_first_;
}

Bytes SpamLetters::seal(Now now, session::Sessions& sessions, const Uuid& id) {
  const auto body = rng_.bytes<kBody>();
  router::Envelope envelope{.id = id, .from = self_.id(), .to = victim_.id(), .expires = now.wall + kTtl, .sealed = {}};
  const router::Content content{.epoch = 1,
                                .sequence = ++sequence_,
                                .floor = 0,
                                .sent = now.wall,
                                .type = {},
                                .content_type = {},
                                .in_reply_to = {},
                                .body = body};
  store::Batch changes;
  auto sealed = sessions.seal(now, victim_, session::Durability::durable, envelope.associated_data(),
                              wire::encode(content), changes, out_);
  CHECK(sealed.has_value());
  out_.take();
  envelope.sealed = sealed->sealed;
  return router::link_message(wire::MessageType::envelope, envelope, kBody * 2);
}

Bytes SpamLetters::packet(Now now) {
  const auto body = rng_.bytes<kBody>();
  relay::Packet packet{.id = Uuid::random(rng_),
                       .from = self_.id(),
                       .to = accomplice_,
                       .expires = now.wall + kTtl,
                       .durable = true,
                       .payload = body};
  const auto leaf = path::leaf_of(packet.subject(), {}, self_.id(), victim_.id(), now.wall);
  packet.path = path::sign_hops(self_, now.wall, std::array{leaf});
  return *relay::link_message(wire::MessageType::packet, packet, kBody * 2);
}

Bytes SpamLetters::parcel(Now now) {
  const auto body = rng_.bytes<kBody>();
  const mailbox::Parcel parcel{
      .id = Uuid::random(rng_), .from = self_.id(), .to = accomplice_, .expires = now.wall + kTtl, .payload = body};
  return *mailbox::link_message(wire::MessageType::deposit, parcel, kBody * 2);
}

}  // namespace ekiden::sim
