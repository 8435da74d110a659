// delivery.mailbox.*: a mailbox that keeps a million messages for ten thousand recipients, beside an empty one.
//
// Senders and owners are links without nodes: what they do for a message is sealing and opening records. Both mailboxes
// run at once, in processes of their own, and are measured in turns. An owner's messages are spread over the whole
// store, for each sender has left one for every owner.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <thread>

#include "mailbox/messages.hpp"
#include "mailbox/wire_form.hpp"
#include "runtime/host.hpp"
#include "whole/child.hpp"
#include "whole/figure.hpp"
#include "whole/party.hpp"
#include "whole/raw.hpp"
#include "wire/cose.hpp"

namespace ekiden::bench {
namespace {

constexpr unsigned kOwners = 10'000;
constexpr unsigned kSenders = 100;
constexpr std::size_t kBody = 1024;
constexpr std::size_t kUnanswered = 40;  // of deposits; what a node allows itself of this size
constexpr std::size_t kFilling = 1'000;  // the same while what is measured is made ready
constexpr unsigned kRounds = 5;
constexpr unsigned kCollecting = 20;  // owners of a round …
constexpr unsigned kApart = 47;       // … whose parcels share no page of the store

constexpr unsigned kFirstSender = 1'000;
constexpr unsigned kFirstOwner = 100'000;

identity::PeerId owner_id(unsigned owner) { return identity::Identity(seed_of(kFirstOwner + owner)).id(); }

/// A mailbox in a process of its own.
struct Mailbox {
  Child child;
  identity::PeerId id;
  std::uint16_t port = 0;
};

Result<Mailbox> start_mailbox(const Options& options, const std::string& directory) {
  EKIDEN_ASSIGN(auto child, Child::start(options.self, {"--role", "mailbox", directory}, 1));
  EKIDEN_ASSIGN(const auto id_text, child.line());
  EKIDEN_ASSIGN(const auto listening, child.line());
  EKIDEN_ASSIGN(const auto id, identity::PeerId::parse(id_text));
  EKIDEN_ASSIGN(const auto endpoint, identity::Endpoint::parse(listening));
  return Mailbox{std::move(child), id, endpoint.port};
}

Result<double> memory_mib(Mailbox& mailbox) {
  mailbox.child.tell("memory");
  EKIDEN_ASSIGN(const auto line, mailbox.child.line());
  return static_cast<double>(std::stol(line)) / 1024;
}

/// A sender or an owner with a link to a mailbox.
class Visitor {
 public:
  explicit Visitor(unsigned number) : party_(number) {}
  ~Visitor() {
    if (fd_ >= 0) close(fd_);
  }
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;

  Status connect(const Mailbox& mailbox) {
    mailbox_ = mailbox.id;
    fd_ = connect_loopback(mailbox.port);
    return bring_up(party_, mailbox_, std::nullopt, fd_);
  }

  /// One parcel for each of the owners, in turns, until `count` are on the mailbox's disk.
  Status leave(const std::vector<identity::PeerId>& owners, std::size_t count, std::size_t unanswered = kUnanswered) {
    for (std::size_t sent = 0, stored = 0; stored < count;) {
      for (; sent < count && sent < stored + unanswered; ++sent) leave_one(owners[sent % owners.size()]);
      EKIDEN_TRY(exchange());
      for (const Bytes& message : take(wire::MessageType::stored)) {
        EKIDEN_ASSIGN(const auto parts, wire::parse_sign1(ByteView(message).subspan(1)));
        EKIDEN_ASSIGN(const auto statement, wire::decode<mailbox::Statement>(parts.payload));
        stored += statement.stored.size();
      }
      if (!take(wire::MessageType::not_stored).empty()) return fail(Errc::refused, "the mailbox takes no more");
    }
    return {};
  }

  /// Takes `count` parcels and confirms them.
  Status collect(std::size_t count) {
    send(mailbox::Collect{.window = 64}, wire::MessageType::collect);
    for (std::size_t taken = 0; taken < count;) {
      EKIDEN_TRY(exchange());
      mailbox::Collected confirmed;
      for (const Bytes& message : take(wire::MessageType::parcel)) {
        EKIDEN_ASSIGN(const auto delivery, wire::decode<mailbox::Delivery>(ByteView(message).subspan(1)));
        confirmed.numbers.push_back(delivery.number);
      }
      taken += confirmed.numbers.size();
      if (!confirmed.numbers.empty()) send(confirmed, wire::MessageType::collected);
    }
    if (!write_pending(party_, kDialled, fd_)) return fail(Errc::closed, "the mailbox closed the link");
    return {};
  }

 private:
  void leave_one(const identity::PeerId& owner) {
    mailbox::Parcel parcel;
    put_be(MutableBytes(parcel.id.bytes), ++last_);
    parcel.id.bytes[6] = 0x40;
    parcel.id.bytes[8] = 0x80;
    parcel.from = party_.identity.id();
    parcel.to = owner;
    parcel.expires = now().wall + milliseconds(days(7));
    parcel.payload = body_;
    send(parcel, wire::MessageType::deposit);
  }

  template <class Body>
  void send(const Body& body, wire::MessageType type) {
    const auto message = mailbox::link_message(type, body, kBody + mailbox::kParcelOverhead);
    static_cast<void>(party_.pool.send(now(), mailbox_, wire::Priority::normal, *message, party_.out));
  }

  Status exchange() {
    const bool open = write_pending(party_, kDialled, fd_) && read_some(party_, kDialled, fd_, buffer_);
    if (!open) return fail(Errc::closed, "the mailbox closed the link");
    for (auto& effect : party_.out.take()) {
      if (const auto* message = std::get_if<link::Message>(&effect)) arrived_.push_back(to_bytes(message->bytes));
    }
    return {};
  }

  std::vector<Bytes> take(wire::MessageType type) {
    std::vector<Bytes> taken;
    for (Bytes& message : arrived_) {
      if (message[0] == static_cast<Byte>(type)) taken.push_back(std::move(message));
    }
    std::erase_if(arrived_,
                  [&](const Bytes& message) { return message.empty() || message[0] == static_cast<Byte>(type); });
    return taken;
  }

  Party party_;
  identity::PeerId mailbox_;
  int fd_ = -1;
  std::uint32_t last_ = 0;
  const Bytes body_ = Bytes(kBody, 'x');
  Bytes buffer_ = Bytes(256 * 1024);
  std::vector<Bytes> arrived_;
};

struct Costs {
  std::vector<double> deposit;  ///< microseconds for each parcel
  std::vector<double> collect;
};

Result<double> time_deposits(const Mailbox& mailbox, unsigned sender, const std::vector<identity::PeerId>& owners) {
  Visitor visitor(sender);
  EKIDEN_TRY(visitor.connect(mailbox));
  const std::size_t count = owners.size() * kSenders;
  const double begin = seconds_now();
  EKIDEN_TRY(visitor.leave(owners, count));
  return (seconds_now() - begin) * 1e6 / static_cast<double>(count);
}

/// By owners of whom each has one parcel of every sender. All that they confirm is erased on the disk at the end.
Result<double> time_collection(const Mailbox& mailbox, const std::vector<unsigned>& owners) {
  double took = 0;
  for (const unsigned owner : owners) {
    Visitor visitor(kFirstOwner + owner);
    EKIDEN_TRY(visitor.connect(mailbox));
    const double begin = seconds_now();
    EKIDEN_TRY(visitor.collect(kSenders));
    // What is written after the erasures is on disk after them.
    if (owner == owners.back()) EKIDEN_TRY(visitor.leave({owner_id(kOwners)}, 1));
    took += seconds_now() - begin;
  }
  return took * 1e6 / static_cast<double>(owners.size() * kSenders);
}

struct Measured {
  Pair deposit;
  Pair collect;
  Pair memory;
  Pair restart;
};

std::vector<identity::PeerId> ids_of(const std::vector<unsigned>& owners) {
  std::vector<identity::PeerId> ids;
  for (const unsigned owner : owners) ids.push_back(owner_id(owner));
  return ids;
}

std::vector<unsigned> owners_from(unsigned first, unsigned count, unsigned apart) {
  std::vector<unsigned> owners;
  for (unsigned i = 0; i < count; ++i) owners.push_back(first + i * apart);
  return owners;
}

Status fill(const Mailbox& mailbox) {
  const auto owners = ids_of(owners_from(0, kOwners, 1));
  for (unsigned sender = 0; sender < kSenders; ++sender) {
    Visitor visitor(kFirstSender + sender);
    EKIDEN_TRY(visitor.connect(mailbox));
    EKIDEN_TRY(visitor.leave(owners, kOwners, kFilling));
  }
  return {};
}

/// Seconds from the start of the process until an owner has its first parcel.
Result<double> time_start(const Options& options, const std::string& directory, unsigned owner, double& mib) {
  const double begin = seconds_now();
  EKIDEN_ASSIGN(auto mailbox, start_mailbox(options, directory));
  Visitor visitor(kFirstOwner + owner);
  EKIDEN_TRY(visitor.connect(mailbox));
  EKIDEN_TRY(visitor.collect(1));
  const double took = seconds_now() - begin;
  EKIDEN_ASSIGN(mib, memory_mib(mailbox));
  return took;
}

Result<Measured> measure(const Options& options) {
  const std::string empty_home = options.directory + "/empty";
  const std::string full_home = options.directory + "/full";
  Measured measured;
  {
    EKIDEN_ASSIGN(auto empty, start_mailbox(options, empty_home));
    EKIDEN_ASSIGN(auto full, start_mailbox(options, full_home));
    EKIDEN_ASSIGN(measured.memory.baseline, memory_mib(empty));
    EKIDEN_TRY(fill(full));
    Costs of_empty;
    Costs of_full;
    for (unsigned round = 0; round < kRounds; ++round) {
      const unsigned sender = kFirstSender + kSenders + round;
      const auto collecting = owners_from(round * kCollecting * kApart, kCollecting, kApart);
      const auto others = ids_of(owners_from(kOwners / 2, kCollecting, kApart));
      EKIDEN_ASSIGN(of_empty.deposit.emplace_back(), time_deposits(empty, sender, ids_of(collecting)));
      EKIDEN_ASSIGN(of_full.deposit.emplace_back(), time_deposits(full, sender, others));
      EKIDEN_ASSIGN(of_empty.collect.emplace_back(), time_collection(empty, collecting));
      EKIDEN_ASSIGN(of_full.collect.emplace_back(), time_collection(full, collecting));
    }
    measured.deposit = {median(of_full.deposit), median(of_empty.deposit)};
    measured.collect = {median(of_full.collect), median(of_empty.collect)};
    EKIDEN_ASSIGN(measured.memory.value, memory_mib(full));
  }
  double mib = 0;
  EKIDEN_ASSIGN(measured.restart.value, time_start(options, full_home, kOwners - 1, mib));
  measured.memory.value = std::max(measured.memory.value, mib);
  // One that has nothing but the parcel that is collected.
  {
    EKIDEN_ASSIGN(auto empty, start_mailbox(options, empty_home));
    Visitor visitor(kFirstSender);
    EKIDEN_TRY(visitor.connect(empty));
    EKIDEN_TRY(visitor.leave({owner_id(0)}, 1));
  }
  EKIDEN_ASSIGN(measured.restart.baseline, time_start(options, empty_home, 0, mib));
  std::filesystem::remove_all(full_home);
  return measured;
}

/// One filling is enough for all four.
const Result<Measured>& measure_once(const Options& options) {
  static const Result<Measured> measured = measure(options);
  return measured;
}

template <Pair Measured::* Which>
Result<Pair> part(const Options& options) {
  const Result<Measured>& all = measure_once(options);
  if (!all) return std::unexpected(all.error());
  return (*all).*Which;
}

}  // namespace

/// Its quotas leave the room to itself.
int role_mailbox(const std::string& directory) {
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

std::vector<Figure> mailbox_figures() {
  return {{.name = "delivery.mailbox.deposit",
           .unit = "us",
           .baseline = "the same in an empty mailbox",
           .bound = "ratio <= 2",
           .measure = part<&Measured::deposit>,
           .is_repeatable = false},
          {.name = "delivery.mailbox.collect",
           .unit = "us",
           .baseline = "the same from an otherwise empty mailbox",
           .bound = "ratio <= 2",
           .measure = part<&Measured::collect>,
           .is_repeatable = false},
          {.name = "delivery.mailbox.memory",
           .unit = "MiB",
           .baseline = "an empty mailbox",
           .bound = "value <= 300",
           .measure = part<&Measured::memory>,
           .is_repeatable = false},
          {.name = "delivery.mailbox.restart",
           .unit = "s",
           .baseline = "an empty mailbox",
           .bound = "value <= 5",
           .measure = part<&Measured::restart>,
           .is_repeatable = false}};
}

}  // namespace ekiden::bench
