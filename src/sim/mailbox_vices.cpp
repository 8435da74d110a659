// Mailboxes that lie.
#include <deque>
#include <map>
#include <utility>

#include "mailbox/statement.hpp"
#include "mailbox/wire_form.hpp"
#include "sim/vice.hpp"

namespace ekiden::sim {
namespace {

using mailbox::Parcel;
using wire::MessageType;

constexpr std::size_t kOldParcels = 16;
/// Of parcels that its node has not numbered.
constexpr std::uint64_t kInventedNumbers = std::uint64_t{1} << 40;

class LyingMailbox : public Vice {
 public:
  LyingMailbox(Hands& hands, Rng rng) : hands_(hands), rng_(std::move(rng)) {}

  bool passes_in(const identity::PeerId& from, ByteView message) override {
    if (const auto parcel = body_of<Parcel>(message, MessageType::deposit)) return takes(from, *parcel);
    if (body_of<mailbox::Collected>(message, MessageType::collected)) return erases();
    if (body_of<mailbox::Collect>(message, MessageType::collect)) greets(from);
    return true;
  }
  bool passes_out(const identity::PeerId& to, ByteView message) override {
    const auto delivery = body_of<mailbox::Delivery>(message, MessageType::parcel);
    return !delivery || gives(to, *delivery);
  }

 protected:
  virtual bool takes(const identity::PeerId& /*from*/, const Parcel& /*parcel*/) { return true; }
  virtual bool gives(const identity::PeerId& /*to*/, const mailbox::Delivery& /*delivery*/) { return true; }
  virtual bool erases() { return true; }
  virtual void greets(const identity::PeerId& /*owner*/) {}

  void say_stored(const identity::PeerId& to, std::vector<mailbox::StoredItem> items) {
    ++deeds_;
    const mailbox::Statement statement{
        .by = hands_.keys().id(), .to = to, .at = hands_.time().wall, .stored = std::move(items)};
    Bytes message{static_cast<Byte>(MessageType::stored)};
    append(message, mailbox::sign_statement(hands_.keys(), statement));
    hands_.say(to, message);
  }
  void give(const identity::PeerId& to, std::uint64_t number, ByteView parcel) {
    ++deeds_;
    hands_.say(to, *mailbox::link_message(MessageType::parcel, mailbox::Delivery{.number = number, .parcel = parcel},
                                          parcel.size() + 16));
  }
  std::uint64_t invented_number() { return kInventedNumbers + ++invented_; }

  Hands& hands_;
  Rng rng_;

 private:
  std::uint64_t invented_ = 0;
};

class KeepsNothing final : public LyingMailbox {
 public:
  using LyingMailbox::LyingMailbox;

 private:
  bool takes(const identity::PeerId& from, const Parcel& parcel) override {
    say_stored(from, {{.id = parcel.id, .owner = parcel.to, .until = parcel.expires}});
    return false;
  }
};

class NeverErases final : public LyingMailbox {
 public:
  using LyingMailbox::LyingMailbox;

 private:
  bool gives(const identity::PeerId& to, const mailbox::Delivery& delivery) override {
    give(to, invented_number(), delivery.parcel);
    for (const auto& [owner, parcel] : old_) {
      if (owner == to) give(to, invented_number(), parcel);
    }
    old_.emplace_back(to, to_bytes(delivery.parcel));
    if (old_.size() > kOldParcels) old_.pop_front();
    return true;
  }
  bool erases() override {
    ++deeds_;
    return false;
  }

  std::deque<std::pair<identity::PeerId, Bytes>> old_;
};

class Corrupts final : public LyingMailbox {
 public:
  using LyingMailbox::LyingMailbox;

 private:
  bool gives(const identity::PeerId& to, const mailbox::Delivery& delivery) override {
    auto parcel = wire::decode<Parcel>(delivery.parcel);
    CHECK(parcel.has_value());
    Bytes payload = to_bytes(parcel->payload);
    parcel->payload = payload;
    const auto met = hands_.met();
    switch (deeds_ % 6) {
      case 0:
        payload[rng_.below(payload.size())] ^= 1;
        break;
      case 1:
        payload[payload.size() - 1 - rng_.below(payload.size() / 4)] ^= 0x80;  // Within what is sealed.
        break;
      case 2:
        if (!met.empty()) parcel->from = met[rng_.below(met.size())];
        break;
      case 3:
        parcel->id = Uuid::random(rng_);
        break;
      case 4:
        parcel->kind = parcel->kind == mailbox::ParcelKind::envelope ? mailbox::ParcelKind::receipt
                                                                     : mailbox::ParcelKind::envelope;
        break;
      default:
        parcel->payload = ByteView(payload).first(payload.size() / 2);
        break;
    }
    const Bytes changed = wire::encode(*parcel);
    give(to, delivery.number, changed);
    for (const identity::PeerId& peer : met) {
      if (peer != to && rng_.chance(1, 16)) give(peer, invented_number(), delivery.parcel);  // Somebody else's.
    }
    return false;
  }
};

class Boasts final : public LyingMailbox {
 public:
  using LyingMailbox::LyingMailbox;

 private:
  bool takes(const identity::PeerId& from, const Parcel& parcel) override {
    std::vector<mailbox::StoredItem> items;
    for (const auto& [id, owner] : heard_) items.push_back({.id = id, .owner = owner, .until = parcel.expires});
    items.push_back({.id = Uuid::random(rng_), .owner = parcel.to, .until = parcel.expires});
    say_stored(from, std::move(items));
    const mailbox::NotStored refusal{.id = parcel.id,
                                     .owner = parcel.to,
                                     .reason = mailbox::RefusalReason::full,
                                     .retry_after_ms = ~std::uint32_t{0}};
    hands_.say(from, *mailbox::link_message(MessageType::not_stored, refusal));
    heard_.emplace_back(parcel.id, parcel.to);
    if (heard_.size() > 8) heard_.pop_front();
    return false;
  }

  /// Parcels that nobody has left: of whoever is there, with a body that nobody can open.
  void greets(const identity::PeerId& owner) override {
    for (const identity::PeerId& peer : hands_.met()) {
      if (peer == owner) continue;
      const auto garbage = rng_.bytes<200>();
      const Parcel parcel{.id = Uuid::random(rng_),
                          .from = peer,
                          .to = owner,
                          .expires = hands_.time().wall + milliseconds(hours(1)),
                          .kind = rng_.chance(1, 2) ? mailbox::ParcelKind::envelope : mailbox::ParcelKind::receipt,
                          .payload = garbage};
      const Bytes made_up = wire::encode(parcel);
      give(owner, invented_number(), made_up);
    }
  }

  std::deque<std::pair<Uuid, identity::PeerId>> heard_;
};

}  // namespace

std::unique_ptr<Vice> make_mailbox_vice(MailboxVice kind, Hands& hands, Rng rng) {
  switch (kind) {
    case MailboxVice::keeps_nothing:
      return std::make_unique<KeepsNothing>(hands, std::move(rng));
    case MailboxVice::never_erases:
      return std::make_unique<NeverErases>(hands, std::move(rng));
    case MailboxVice::corrupts:
      return std::make_unique<Corrupts>(hands, std::move(rng));
    case MailboxVice::boasts:
      return std::make_unique<Boasts>(hands, std::move(rng));
  }
  std::unreachable();
}

}  // namespace ekiden::sim
