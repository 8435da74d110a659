// Two agents in one process: one starts a node and sends a message, the other receives it.
#include <cstdio>
#include <ekiden/ekiden.hpp>
#include <filesystem>

int main() {
  using namespace std::chrono_literals;
  const auto home = std::filesystem::temp_directory_path() / "ekiden-hello";
  std::filesystem::remove_all(home);
  auto alice = ekiden::Node::start({.data_dir = home / "alice", .listen = {"tcp://127.0.0.1:0"}});
  auto bob = ekiden::Node::start({.data_dir = home / "bob", .listen = {"tcp://127.0.0.1:0"}});
  if (!alice || !bob) return std::puts((alice ? bob : alice).error().message.c_str()), 1;

  if (auto added = alice->add_contact("bob", bob->id(), bob->listening()); !added) return 1;
  // Bob has to know alice: what strangers write waits until it is accepted.
  if (auto added = bob->add_contact("alice", alice->id(), alice->listening()); !added) return 1;
  const auto sent = alice->send({.to = bob->id(), .body = "hello, bob"});
  if (!sent) return std::puts(sent.error().message.c_str()), 1;

  const auto message = bob->receive(10s);
  if (!message || !bob->take(*message)) return std::puts("nothing arrived"), 1;
  std::printf("%s: %s\n", message->from.text().c_str(), message->body.c_str());
  return alice->wait_settled(*sent, 10s) == ekiden::MessageState::delivered ? 0 : 1;
}
