#include "sim/vice.hpp"

#include <utility>

#include "base/outbox.hpp"

namespace ekiden::sim {
namespace {

std::string_view name_of_relay(RelayVice vice) {
  switch (vice) {
    case RelayVice::swallows:
      return "swallows";
    case RelayVice::delays:
      return "delays";
    case RelayVice::repeats:
      return "repeats";
    case RelayVice::alters:
      return "alters";
    case RelayVice::forges_paths:
      return "forges_paths";
    case RelayVice::loops:
      return "loops";
    case RelayVice::forges_receipts:
      return "forges_receipts";
  }
  std::unreachable();
}

std::string_view name_of_mailbox(MailboxVice vice) {
  switch (vice) {
    case MailboxVice::keeps_nothing:
      return "keeps_nothing";
    case MailboxVice::never_erases:
      return "never_erases";
    case MailboxVice::corrupts:
      return "corrupts";
    case MailboxVice::boasts:
      return "boasts";
  }
  std::unreachable();
}

std::string_view name_of_member(MemberVice vice) {
  switch (vice) {
    case MemberVice::floods:
      return "floods";
    case MemberVice::replays:
      return "replays";
    case MemberVice::equivocates:
      return "equivocates";
    case MemberVice::dates_ahead:
      return "dates_ahead";
    case MemberVice::exaggerates:
      return "exaggerates";
    case MemberVice::prunes:
      return "prunes";
    case MemberVice::poisons:
      return "poisons";
    case MemberVice::garbles:
      return "garbles";
    case MemberVice::never_ends:
      return "never_ends";
  }
  std::unreachable();
}

}  // namespace

std::string_view name_of(VicePlan plan) {
  return std::visit(Overloaded{[](RelayVice vice) { return name_of_relay(vice); },
                               [](MailboxVice vice) { return name_of_mailbox(vice); },
                               [](MemberVice vice) { return name_of_member(vice); }},
                    plan);
}

std::unique_ptr<Vice> make_vice(VicePlan plan, Hands& hands, Rng rng) {
  return std::visit(Overloaded{
                        [&](RelayVice kind) { return make_relay_vice(kind, hands, std::move(rng)); },
                        [&](MailboxVice kind) { return make_mailbox_vice(kind, hands, std::move(rng)); },
                        [&](MemberVice kind) { return make_member_vice(kind, hands, std::move(rng)); },
                    },
                    plan);
}

}  // namespace ekiden::sim
