#include "runtime/settings_peers.hpp"

#include <algorithm>
#include <array>

#include "runtime/bootstrap_source.hpp"

namespace ekiden::runtime {
namespace {

/// In the order of router::Strangers.
constexpr std::array<std::string_view, 3> kStrangers = {"accept", "queue", "refuse"};

}  // namespace

std::vector<std::string> signers_of(const Settings& settings) {
  std::vector<std::string> texts;
  for (const identity::PeerId& signer : settings.trusted_signers) texts.push_back(signer.text());
  return texts;
}

Status set_signers(Settings& settings, const std::vector<std::string>& texts) {
  EKIDEN_ASSIGN(const auto signers, parse_signers(texts));
  settings.trusted_signers.assign(signers.begin(), signers.end());
  settings.node.bootstrap.trusted_signers.reset();
  if (!signers.empty()) settings.node.bootstrap.trusted_signers = signers;
  return {};
}

std::vector<std::string> mailboxes_of(const Settings& settings) {
  std::vector<std::string> texts;
  for (const identity::PeerId& node : settings.node.mailbox.pinned) texts.push_back(node.text());
  return texts;
}

Status set_mailboxes(Settings& settings, const std::vector<std::string>& texts) {
  settings.node.mailbox.pinned.clear();
  for (const std::string& text : texts) {
    EKIDEN_ASSIGN(const identity::PeerId node, identity::PeerId::parse(text));
    settings.node.mailbox.pinned.push_back(node);
  }
  return {};
}

std::string mailbox_switch_of(const Settings& settings) { return settings.node.mailbox.serve ? "on" : "off"; }

Status set_mailbox_switch(Settings& settings, const std::string& text) {
  if (text != "on" && text != "off") return fail(Errc::malformed, "must be one of: on, off");
  settings.node.mailbox.serve = text == "on";
  return {};
}

std::string strangers_of(const Settings& settings) {
  return std::string(kStrangers.at(static_cast<std::size_t>(settings.node.router.strangers)));
}

Result<router::Strangers> parse_strangers(std::string_view text) {
  const auto found = std::ranges::find(kStrangers, text);
  if (found == kStrangers.end()) return fail(Errc::malformed, "must be one of: queue, accept, refuse");
  return static_cast<router::Strangers>(found - kStrangers.begin());
}

Status set_strangers(Settings& settings, const std::string& text) {
  EKIDEN_ASSIGN(settings.node.router.strangers, parse_strangers(text));
  return {};
}

}  // namespace ekiden::runtime
