#include "runtime/settings_peers.hpp"

#include "runtime/bootstrap_source.hpp"

namespace ekiden::runtime {

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

}  // namespace ekiden::runtime
