#include "whole/visitor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <thread>

#include "runtime/host.hpp"
#include "whole/raw.hpp"

namespace ekiden::bench {

Result<Service> start_service(const Options& options, const std::string& directory) {
  EKIDEN_ASSIGN(auto child, Child::start(options.self, {"--role", "service", directory}, 1));
  EKIDEN_ASSIGN(const auto id_text, child.line());
  EKIDEN_ASSIGN(const auto listening, child.line());
  EKIDEN_ASSIGN(const auto id, identity::PeerId::parse(id_text));
  EKIDEN_ASSIGN(const auto endpoint, identity::Endpoint::parse(listening));
  return Service{std::move(child), id, endpoint.port};
}

Result<double> memory_mib(Service& service) {
  service.child.tell("memory");
  EKIDEN_ASSIGN(const auto line, service.child.line());
  return static_cast<double>(std::stol(line)) / 1024;
}

Visitor::~Visitor() {
  if (fd_ >= 0) close(fd_);
}

Status Visitor::connect(const Service& service) {
  service_ = service.id;
  fd_ = connect_loopback(service.port);
  return bring_up(party_, service_, std::nullopt, fd_);
}

void Visitor::send(ByteView message) {
  static_cast<void>(party_.pool.send(now(), service_, wire::Priority::normal, message, party_.out));
}

Status Visitor::flush() {
  if (!write_pending(party_, kDialled, fd_)) return fail(Errc::closed, "the node closed the link");
  return {};
}

Status Visitor::read() {
  if (!read_some(party_, kDialled, fd_, buffer_)) return fail(Errc::closed, "the node closed the link");
  for (auto& effect : party_.out.take()) {
    if (const auto* message = std::get_if<link::Message>(&effect)) arrived_.push_back(to_bytes(message->bytes));
  }
  return {};
}

std::vector<Bytes> Visitor::take(wire::MessageType type) {
  const auto is_other = [&](const Bytes& message) { return message[0] != static_cast<Byte>(type); };
  const auto first = std::ranges::stable_partition(arrived_, is_other);
  std::vector<Bytes> taken(std::make_move_iterator(first.begin()), std::make_move_iterator(first.end()));
  arrived_.erase(first.begin(), first.end());
  return taken;
}

int role_service(const std::string& directory) {
  const auto complain = [](const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return 1;
  };
  if (!runtime::load_identity(directory)) {
    const auto made = runtime::init_data_dir({.data_dir = directory, .listen = {"tcp://127.0.0.1:0"}, .advertise = {}});
    if (!made) return complain(made.error());
  }
  auto settings = runtime::load_settings(directory);
  if (!settings) return complain(settings.error());
  settings->log_level = "warning";
  mailbox::Config& config = settings->node.mailbox;
  config.max_parcels = config.max_parcels_per_sender = config.max_parcels_per_owner = config.max_parcels_per_prefix =
      1'100'000;
  config.max_bytes = config.max_bytes_per_sender = config.max_bytes_per_owner = config.max_bytes_per_prefix =
      std::size_t{2} << 30;
  config.stranger_share = 1;
  relay::Config& relay = settings->node.relay;
  relay.max_packets = relay.max_packets_per_neighbour = 100'000;
  relay.max_bytes = relay.max_bytes_per_neighbour = std::size_t{1} << 30;
  relay.stranger_share = 1;
  auto host = runtime::Host::open(
      {.data_dir = directory, .settings = *settings, .identity = *runtime::load_identity(directory)});
  if (!host) return complain(host.error());
  std::thread node([&] { static_cast<void>((*host)->run()); });
  std::printf("%s\n%s\n", (*host)->node().self().id().text().c_str(), (*host)->listening().front().text().c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("%ld\n", resident_kib(getpid()));
    std::fflush(stdout);
  }
  (*host)->stop();
  node.join();
  return 0;
}

}  // namespace ekiden::bench
