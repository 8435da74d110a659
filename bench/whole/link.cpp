// link.* and handshake.*: the link layer alone.
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <ekiden/ekiden.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "crypto/aead.hpp"
#include "crypto/x25519.hpp"
#include "whole/child.hpp"
#include "whole/figure.hpp"
#include "whole/party.hpp"
#include "whole/raw.hpp"

namespace ekiden::bench {
namespace {

constexpr std::size_t kFrame = 32 * 1024;
constexpr std::size_t kFrames = 16 * 1024;  // 512 MiB
constexpr link::ConnId kAccepted{link::kFirstAccepted};

/// Receives frames until all have come; then says so with one byte on the pipe.
int sink_frames() {
  std::uint16_t port = 0;
  const int listener = listen_loopback(port);
  std::printf("%u\n", port);
  std::fflush(stdout);
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  Party party(2);
  party.pool.on_accepted(now(), kAccepted, identity::IpAddress::v4({127, 0, 0, 1}), 1, party.out);
  Bytes buffer(256 * 1024);
  std::size_t frames = 0;
  while (frames < kFrames && read_some(party, kAccepted, fd, buffer)) {
    for (const auto& effect : party.out.take()) {
      frames += std::holds_alternative<link::Message>(effect);
      if (std::holds_alternative<link::WantWrite>(effect) && !write_pending(party, kAccepted, fd)) return 1;
    }
  }
  std::printf("done\n");
  std::fflush(stdout);
  return 0;
}

int sink_sealed() {
  std::uint16_t port = 0;
  const int listener = listen_loopback(port);
  std::printf("%u\n", port);
  std::fflush(stdout);
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  crypto::AeadCipher cipher{crypto::AeadKey(ByteArray<32>{7})};
  Bytes buffer(kFrame + crypto::kTagSize);
  crypto::Nonce nonce{};
  for (std::uint64_t i = 0; i < kFrames; ++i) {
    if (!read_all(fd, buffer.data(), buffer.size())) return 1;
    put_be(MutableBytes(nonce).last(8), i);
    if (!cipher.open(nonce, {}, buffer, MutableBytes(buffer).first(kFrame))) return 1;
  }
  std::printf("done\n");
  std::fflush(stdout);
  return 0;
}

constexpr double kMegabytes = static_cast<double>(kFrame * kFrames) / 1e6;

Result<double> bare_throughput(const Options& options) {
  EKIDEN_ASSIGN(auto sink, Child::start(options.self, {"--role", "sink-sealed"}, 1));
  EKIDEN_ASSIGN(const auto port, sink.line());
  const int fd = connect_loopback(static_cast<std::uint16_t>(std::stoi(port)));
  crypto::AeadCipher cipher{crypto::AeadKey(ByteArray<32>{7})};
  const Bytes plain(kFrame, 5);
  Bytes sealed(kFrame + crypto::kTagSize);
  crypto::Nonce nonce{};
  const double begin = seconds_now();
  for (std::uint64_t i = 0; i < kFrames; ++i) {
    put_be(MutableBytes(nonce).last(8), i);
    cipher.seal(nonce, {}, plain, sealed);
    if (!write_all(fd, sealed.data(), sealed.size())) return fail(Errc::closed, "the sink closed");
  }
  EKIDEN_TRY(sink.line());
  const double took = seconds_now() - begin;
  close(fd);
  return kMegabytes / took;
}

Result<Pair> throughput(const Options& options) {
  EKIDEN_ASSIGN(const double baseline, bare_throughput(options));
  EKIDEN_ASSIGN(auto sink, Child::start(options.self, {"--role", "sink-frames"}, 1));
  EKIDEN_ASSIGN(const auto port, sink.line());
  const int fd = connect_loopback(static_cast<std::uint16_t>(std::stoi(port)));
  Party party(1);
  const Party peer(2);
  EKIDEN_TRY(bring_up(party, peer.identity.id(), peer.record, fd));
  const Bytes frame(kFrame, 5);
  const double begin = seconds_now();
  for (std::size_t sent = 0; sent < kFrames;) {
    while (sent < kFrames && party.pool.send(now(), peer.identity.id(), wire::Priority::normal, frame, party.out)) {
      ++sent;
    }
    party.out.take();
    if (!write_pending(party, kDialled, fd)) return fail(Errc::closed, "the sink closed");
  }
  EKIDEN_TRY(sink.line());
  const double took = seconds_now() - begin;
  close(fd);
  return Pair{kMegabytes / took, baseline};
}

/// One IK handshake between two pools. At the first contact each side also verifies the other's record and converts the
/// key in it. Returns the processor time, or nothing if it did not finish.
std::optional<double> shake_hands(Party& dialler, Party& listener, link::ConnId accepted) {
  const double begin = cpu_seconds();
  dialler.pool.want(now(), listener.identity.id(), {kAnywhere}, listener.record, dialler.out);
  link::ConnId dialled{};
  for (const auto& effect : dialler.out.take()) {
    if (const auto* dial = std::get_if<link::Dial>(&effect)) dialled = dial->conn;
  }
  listener.pool.on_accepted(now(), accepted, identity::IpAddress::v4({127, 0, 0, 1}), 1, listener.out);
  dialler.pool.on_connected(now(), dialled, std::nullopt, dialler.out);
  for (int flight = 0; flight < 8 && !listener.pool.is_up(dialler.identity.id()); ++flight) {
    const bool ours = flight % 2 == 0;
    Party& from = ours ? dialler : listener;
    Party& to = ours ? listener : dialler;
    const Bytes bytes = to_bytes(from.pool.to_send(now(), ours ? dialled : accepted));
    from.pool.mark_sent(now(), ours ? dialled : accepted, bytes.size(), from.out);
    to.pool.on_bytes(now(), ours ? accepted : dialled, bytes, to.out);
  }
  const double took = cpu_seconds() - begin;
  const bool up = listener.pool.is_up(dialler.identity.id());
  dialler.pool.unwant(now(), listener.identity.id());
  dialler.pool.on_closed(now(), dialled, {Errc::closed, "done"}, dialler.out);
  listener.pool.on_closed(now(), accepted, {Errc::closed, "done"}, listener.out);
  dialler.out.take();
  listener.out.take();
  if (!up) return std::nullopt;
  return took;
}

constexpr int kHandshakes = 400;

link::ConnId accepted_conn(int i) { return link::ConnId{link::kFirstAccepted + static_cast<unsigned>(i)}; }

/// A second for so many handshakes if there were nothing in them but X25519: each side makes an ephemeral key and
/// computes es, ss, ee and se.
Result<double> bare_handshake_rate() {
  const auto mine = crypto::X25519KeyPair::from_secret(crypto::X25519SecretKey(ByteArray<32>{9}));
  const auto theirs = crypto::X25519KeyPair::from_secret(crypto::X25519SecretKey(ByteArray<32>{11}));
  const double begin = cpu_seconds();
  for (int i = 0; i < kHandshakes; ++i) {
    for (int side = 0; side < 2; ++side) {
      const auto ephemeral =
          crypto::X25519KeyPair::from_secret(crypto::X25519SecretKey(ByteArray<32>{static_cast<Byte>(i)}));
      for (int dh = 0; dh < 4; ++dh) {
        if (!crypto::x25519(dh % 2 == 0 ? mine.secret : ephemeral.secret, theirs.public_key)) {
          return fail(Errc::internal, "x25519 failed");
        }
      }
    }
  }
  return kHandshakes / (cpu_seconds() - begin);
}

/// Pools that have met before: peers that connect again.
Result<Pair> handshake_rate(const Options&) {
  Party dialler(1);
  Party listener(2);
  double spent = 0;
  for (int i = 0; i <= kHandshakes; ++i) {
    const auto took = shake_hands(dialler, listener, accepted_conn(i));
    if (!took) return fail(Errc::internal, "handshake " + std::to_string(i) + " did not finish");
    if (i > 0) spent += *took;
  }
  EKIDEN_ASSIGN(const double bare, bare_handshake_rate());
  return Pair{kHandshakes / spent, bare};
}

/// Pools that have never seen each other's record: new ones each time.
Result<Pair> first_handshake_rate(const Options&) {
  double spent = 0;
  for (int i = 0; i <= kHandshakes; ++i) {
    const auto number = 2 * static_cast<unsigned>(i) + 1;
    Party dialler(number);
    Party listener(number + 1);
    const auto took = shake_hands(dialler, listener, accepted_conn(i));
    if (!took) return fail(Errc::internal, "first handshake " + std::to_string(i) + " did not finish");
    if (i > 0) spent += *took;
  }
  EKIDEN_ASSIGN(const double bare, bare_handshake_rate());
  return Pair{kHandshakes / spent, bare};
}

constexpr unsigned kIdleLinks = 1000;

/// A node that prints its memory whenever it is asked.
int hold_links(const std::string& directory) {
  auto node = Node::start({.data_dir = directory, .listen = {"tcp://127.0.0.1:0"}});
  if (!node) return 1;
  std::printf("%s\n%s\n", node->id().text().c_str(), node->listening().front().c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("%ld\n", resident_kib(getpid()));
    std::fflush(stdout);
  }
  return 0;
}

/// Bare connections with what any encrypted link needs to keep: two AES-256-GCM contexts each.
int hold_sockets() {
  std::uint16_t port = 0;
  const int listener = listen_loopback(port);
  std::printf("%u\n%ld\n", port, resident_kib(getpid()));
  std::fflush(stdout);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::pair<crypto::AeadCipher, crypto::AeadCipher>> ciphers;
  for (unsigned i = 0; i < kIdleLinks; ++i) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    const crypto::AeadKey key(ByteArray<32>{1});
    ciphers.emplace_back(crypto::AeadCipher(key), crypto::AeadCipher(key));
  }
  std::printf("%ld\n", resident_kib(getpid()));
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
  }
  return 0;
}

Result<double> bare_socket_memory(const Options& options) {
  EKIDEN_ASSIGN(auto holder, Child::start(options.self, {"--role", "hold-sockets"}, -1));
  EKIDEN_ASSIGN(const auto port, holder.line());
  EKIDEN_ASSIGN(const auto before, holder.line());
  std::vector<int> fds;
  for (unsigned i = 0; i < kIdleLinks; ++i) {
    fds.push_back(connect_loopback(static_cast<std::uint16_t>(std::stoi(port))));
  }
  EKIDEN_ASSIGN(const auto after, holder.line());
  for (const int fd : fds) close(fd);
  return static_cast<double>(std::stol(after) - std::stol(before)) / kIdleLinks;
}

Result<long> ask_memory(Child& child) {
  child.tell("memory");
  EKIDEN_ASSIGN(const auto line, child.line());
  return std::stol(line);
}

Result<Pair> idle_memory(const Options& options) {
  EKIDEN_ASSIGN(const double baseline, bare_socket_memory(options));
  const std::string home = options.directory + "/holder";
  std::filesystem::remove_all(home);
  EKIDEN_ASSIGN(auto holder, Child::start(options.self, {"--role", "hold-links", home}, -1));
  EKIDEN_ASSIGN(const auto id, holder.line());
  EKIDEN_ASSIGN(const auto listening, holder.line());
  EKIDEN_ASSIGN(const auto endpoint, identity::Endpoint::parse(listening));
  EKIDEN_ASSIGN(const auto peer, identity::PeerId::parse(id));
  EKIDEN_ASSIGN(const long before, ask_memory(holder));
  std::vector<std::unique_ptr<Party>> parties;
  std::vector<int> fds;
  for (unsigned i = 0; i < kIdleLinks; ++i) {
    parties.push_back(std::make_unique<Party>(1000 + i));
    Party& party = *parties.back();
    fds.push_back(connect_loopback(endpoint.port));
    EKIDEN_TRY(bring_up(party, peer, std::nullopt, fds.back()));
  }
  EKIDEN_ASSIGN(const long after, ask_memory(holder));
  for (const int fd : fds) close(fd);
  return Pair{static_cast<double>(after - before) / kIdleLinks, baseline};
}

}  // namespace

int role_link(const std::string& role, const std::string& directory) {
  if (role == "sink-frames") return sink_frames();
  if (role == "sink-sealed") return sink_sealed();
  if (role == "hold-sockets") return hold_sockets();
  return hold_links(directory);
}

std::vector<Figure> link_figures() {
  return {{"link.throughput", "MB/s", "seal, write, read and open the same bytes", "ratio >= 0.6", throughput},
          {"link.idle.memory", "KiB", "a bare socket and two cipher contexts", "value <= 24", idle_memory},
          {"handshake.rate", "1/s", "its X25519 operations alone", "ratio >= 0.7", handshake_rate},
          {"handshake.rate.first", "1/s", "its X25519 operations alone", "none", first_handshake_rate}};
}

}  // namespace ekiden::bench
