// delivery.spam.*: what the contacts of a node have of it while a thousand strangers want it to be busy with them.
#include "whole/spam.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "whole/nodes.hpp"

namespace ekiden::bench {
namespace {

using namespace std::chrono_literals;

/// A node that is told who its contacts are.
struct Victim {
  Child child;
  std::string id;
  std::string endpoint;
};

Result<Victim> start_victim(const Options& options, const std::string& home) {
  EKIDEN_ASSIGN(auto child, Child::start(options.self, {"--role", "victim", home}, 1));
  EKIDEN_ASSIGN(auto id, child.line());
  EKIDEN_ASSIGN(auto endpoint, child.line());
  return Victim{std::move(child), std::move(id), std::move(endpoint)};
}

Status befriend(Victim& victim, const std::string& contact) {
  victim.child.tell(contact);
  EKIDEN_ASSIGN(const auto word, victim.child.line());
  if (word != "known") return fail(Errc::refused, "the node does not take its contact: " + word);
  return {};
}

Status first_message(Node& node, const PeerId& peer) {
  EKIDEN_ASSIGN(const auto sent, node.send({.to = peer, .body = "hello"}));
  EKIDEN_ASSIGN(const auto state, node.wait_settled(sent, 30s));
  if (state != MessageState::delivered) return fail(Errc::timed_out, "the first message was not delivered");
  return {};
}

/// Without spam, and then with it.
Result<Pair> measure(const Options& options, Nodes& nodes, const std::string& victim, const std::string& endpoint) {
  EKIDEN_ASSIGN(const double quiet, measure_rate(nodes));
  EKIDEN_ASSIGN(const Child spam, start_spam(options, victim, endpoint));
  EKIDEN_ASSIGN(const double amid_spam, measure_rate(nodes));
  return Pair{amid_spam, quiet};
}

Result<Pair> spam_direct(const Options& options) {
  const std::string home = options.directory + "/nodes";
  std::filesystem::remove_all(home);
  EKIDEN_ASSIGN(auto victim, start_victim(options, home + "/v"));
  EKIDEN_ASSIGN(const auto peer, PeerId::parse(victim.id));
  EKIDEN_ASSIGN(auto ours, Node::start({.data_dir = home + "/a", .listen = {"tcp://127.0.0.1:0"}}));
  EKIDEN_TRY(befriend(victim, ours.id().text()));
  EKIDEN_TRY(ours.add_contact("victim", peer, {victim.endpoint}));
  EKIDEN_TRY(first_message(ours, peer));
  Nodes nodes{std::move(ours), std::move(victim.child), peer};
  return measure(options, nodes, victim.id, victim.endpoint);
}

Result<Pair> spam_relay(const Options& options) {
  const std::string home = options.directory + "/nodes";
  std::filesystem::remove_all(home);
  EKIDEN_ASSIGN(auto victim, start_victim(options, home + "/v"));
  EKIDEN_ASSIGN(auto theirs,
                Child::start(options.self, {"--role", "take", home + "/b", victim.id, victim.endpoint}, 0));
  EKIDEN_ASSIGN(const auto their_id, theirs.line());
  EKIDEN_ASSIGN(const auto their_endpoint, theirs.line());
  EKIDEN_ASSIGN(const auto peer, PeerId::parse(their_id));
  EKIDEN_ASSIGN(const auto relay, PeerId::parse(victim.id));
  EKIDEN_ASSIGN(auto ours, Node::start({.data_dir = home + "/a", .listen = {"tcp://127.0.0.1:0"}}));
  for (const std::string& contact : {ours.id().text(), their_id}) EKIDEN_TRY(befriend(victim, contact));
  EKIDEN_TRY(ours.add_contact("relay", relay, {victim.endpoint}));
  EKIDEN_TRY(ours.add_contact("peer", peer, {}));
  EKIDEN_TRY(first_message(ours, relay));
  EKIDEN_TRY(first_message(ours, peer));
  Nodes nodes{std::move(ours), std::move(theirs), peer};
  return measure(options, nodes, victim.id, victim.endpoint);
}

}  // namespace

/// Takes what its contacts send; each line that it reads is one of them.
int role_victim(const std::string& directory) {
  auto node = Node::start({.data_dir = directory, .listen = {"tcp://127.0.0.1:0"}, .strangers = "queue"});
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().message.c_str());
    return 1;
  }
  node->on_message([&](const Message& message) {
    if (message.delivery == Delivery::durable) node->take(message, [](Status) {});
  });
  std::printf("%s\n%s\n", node->id().text().c_str(), node->listening().front().c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const auto contact = PeerId::parse(line);
    const bool known = contact && node->add_contact(line.substr(0, 20), *contact, {});
    std::printf(known ? "known\n" : "refused\n");
    std::fflush(stdout);
  }
  return 0;
}

std::vector<Figure> spam_figures() {
  return {{"delivery.spam.direct", "1/s", "the same without spam", "ratio >= 0.95", spam_direct},
          {"delivery.spam.relay", "1/s", "the same without spam", "ratio >= 0.95", spam_relay}};
}

}  // namespace ekiden::bench
