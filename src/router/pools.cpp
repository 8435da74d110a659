#include "router/pools.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::router {
namespace {

std::size_t less(std::size_t from, std::size_t amount) { return from - std::min(from, amount); }

Use free_of(const Use& max, const Use& used) {
  return {.senders = less(max.senders, used.senders),
          .remembered = less(max.remembered, used.remembered),
          .messages = less(max.messages, used.messages),
          .bytes = less(max.bytes, used.bytes)};
}

Use part_of(const Use& whole, std::size_t parts) {
  CHECK(parts > 0);
  return {.senders = whole.senders / parts,
          .remembered = whole.remembered / parts,
          .messages = whole.messages / parts,
          .bytes = whole.bytes / parts};
}

Use max_of(const Config& config) {
  return {.senders = config.max_senders,
          .remembered = config.max_windows,
          .messages = config.max_inbox_messages,
          .bytes = config.max_inbox_bytes};
}

}  // namespace

Use& Use::operator+=(const Use& more) {
  senders += more.senders;
  remembered += more.remembered;
  messages += more.messages;
  bytes += more.bytes;
  return *this;
}

Use& Use::operator-=(const Use& less) {
  CHECK(less.senders <= senders && less.remembered <= remembered && less.messages <= messages && less.bytes <= bytes);
  senders -= less.senders;
  remembered -= less.remembered;
  messages -= less.messages;
  bytes -= less.bytes;
  return *this;
}

Pools::Pools(const Config& config)
    : max_(max_of(config)),
      max_strangers_(part_of(max_, config.stranger_share)),
      max_bytes_per_sender_(config.max_inbox_bytes_per_peer) {}

void Pools::add(Tier tier, const Use& use) {
  all_ += use;
  if (tier == Tier::stranger) strangers_ += use;
}

void Pools::remove(Tier tier, const Use& use) {
  all_ -= use;
  if (tier == Tier::stranger) strangers_ -= use;
}

Pools::Refused Pools::check_message(Tier tier, const Use& own, std::size_t size) const {
  const auto has_share = [&](const Use& free) {
    return own.messages < free.messages && own.bytes + size <= free.bytes;
  };
  if (tier == Tier::trusted) {
    const Use free = free_of(max_, all_);
    return free.messages > 0 && size <= free.bytes ? std::nullopt : Refused(Refusal::Reason::inbox_full);
  }
  if (!has_share(free_of(max_, all_)) || own.bytes + size > max_bytes_per_sender_) return Refusal::Reason::inbox_full;
  if (tier == Tier::contact || has_share(free_of(max_strangers_, strangers_))) return std::nullopt;
  return Refusal::Reason::strangers_full;
}

Pools::Refused Pools::check_sequence(Tier tier, const Use& own) const {
  const auto has_share = [&](const Use& free) { return own.remembered < free.remembered; };
  if (tier == Tier::trusted) {
    return free_of(max_, all_).remembered > 0 ? std::nullopt : Refused(Refusal::Reason::window);
  }
  if (!has_share(free_of(max_, all_))) return Refusal::Reason::window;
  if (tier == Tier::contact || has_share(free_of(max_strangers_, strangers_))) return std::nullopt;
  return Refusal::Reason::strangers_full;
}

Pools::Refused Pools::check_sender(Tier tier) const {
  if (free_of(max_, all_).senders == 0) return Refusal::Reason::window;
  if (tier == Tier::contact || free_of(max_strangers_, strangers_).senders > 0) return std::nullopt;
  return Refusal::Reason::strangers_full;
}

}  // namespace ekiden::router
