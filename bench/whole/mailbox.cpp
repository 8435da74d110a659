// delivery.mailbox.*: a mailbox that keeps a million messages for ten thousand recipients, beside an empty one.
//
// Both mailboxes run at once and are measured in turns. An owner's messages are spread over the whole store, for each
// sender has left one for every owner.
#include <filesystem>

#include "mailbox/messages.hpp"
#include "mailbox/wire_form.hpp"
#include "whole/visitor.hpp"
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

/// A sender or an owner with a link to a mailbox.
class Customer {
 public:
  explicit Customer(unsigned number) : visitor_(number) {}

  Status connect(const Service& mailbox) { return visitor_.connect(mailbox); }

  /// One parcel for each of the owners, in turns, until `count` are on the mailbox's disk.
  Status leave(const std::vector<identity::PeerId>& owners, std::size_t count, std::size_t unanswered = kUnanswered) {
    for (std::size_t sent = 0, stored = 0; stored < count;) {
      for (; sent < count && sent < stored + unanswered; ++sent) leave_one(owners[sent % owners.size()]);
      EKIDEN_TRY(exchange());
      for (const Bytes& message : visitor_.take(wire::MessageType::stored)) {
        EKIDEN_ASSIGN(const auto parts, wire::parse_sign1(ByteView(message).subspan(1)));
        EKIDEN_ASSIGN(const auto statement, wire::decode<mailbox::Statement>(parts.payload));
        stored += statement.stored.size();
      }
      if (!visitor_.take(wire::MessageType::not_stored).empty())
        return fail(Errc::refused, "the mailbox takes no more");
    }
    return {};
  }

  /// Takes `count` parcels and confirms them.
  Status collect(std::size_t count) {
    send(mailbox::Collect{.window = 64}, wire::MessageType::collect);
    for (std::size_t taken = 0; taken < count;) {
      EKIDEN_TRY(exchange());
      mailbox::Collected confirmed;
      for (const Bytes& message : visitor_.take(wire::MessageType::parcel)) {
        EKIDEN_ASSIGN(const auto delivery, wire::decode<mailbox::Delivery>(ByteView(message).subspan(1)));
        confirmed.numbers.push_back(delivery.number);
      }
      taken += confirmed.numbers.size();
      if (!confirmed.numbers.empty()) send(confirmed, wire::MessageType::collected);
    }
    return visitor_.flush();
  }

 private:
  void leave_one(const identity::PeerId& owner) {
    mailbox::Parcel parcel;
    put_be(MutableBytes(parcel.id.bytes), ++last_);
    parcel.id.bytes[6] = 0x40;
    parcel.id.bytes[8] = 0x80;
    parcel.from = visitor_.identity().id();
    parcel.to = owner;
    parcel.expires = now().wall + milliseconds(days(7));
    parcel.payload = body_;
    send(parcel, wire::MessageType::deposit);
  }

  template <class Body>
  void send(const Body& body, wire::MessageType type) {
    visitor_.send(*mailbox::link_message(type, body, kBody + mailbox::kParcelOverhead));
  }

  Status exchange() {
    EKIDEN_TRY(visitor_.flush());
    return visitor_.read();
  }

  Visitor visitor_;
  std::uint32_t last_ = 0;
  const Bytes body_ = Bytes(kBody, 'x');
};

struct Costs {
  std::vector<double> deposit;  ///< microseconds for each parcel
  std::vector<double> collect;
};

Result<double> time_deposits(const Service& mailbox, unsigned sender, const std::vector<identity::PeerId>& owners) {
  Customer customer(sender);
  EKIDEN_TRY(customer.connect(mailbox));
  const std::size_t count = owners.size() * kSenders;
  const double begin = seconds_now();
  EKIDEN_TRY(customer.leave(owners, count));
  return (seconds_now() - begin) * 1e6 / static_cast<double>(count);
}

/// By owners of whom each has one parcel of every sender. All that they confirm is erased on the disk at the end.
Result<double> time_collection(const Service& mailbox, const std::vector<unsigned>& owners) {
  double took = 0;
  for (const unsigned owner : owners) {
    Customer customer(kFirstOwner + owner);
    EKIDEN_TRY(customer.connect(mailbox));
    const double begin = seconds_now();
    EKIDEN_TRY(customer.collect(kSenders));
    // What is written after the erasures is on disk after them.
    if (owner == owners.back()) EKIDEN_TRY(customer.leave({owner_id(kOwners)}, 1));
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

Status fill(const Service& mailbox) {
  const auto owners = ids_of(owners_from(0, kOwners, 1));
  for (unsigned sender = 0; sender < kSenders; ++sender) {
    Customer customer(kFirstSender + sender);
    EKIDEN_TRY(customer.connect(mailbox));
    EKIDEN_TRY(customer.leave(owners, kOwners, kFilling));
  }
  return {};
}

/// Seconds from the start of the process until an owner has its first parcel.
Result<double> time_start(const Options& options, const std::string& directory, unsigned owner, double& mib) {
  const double begin = seconds_now();
  EKIDEN_ASSIGN(auto mailbox, start_service(options, directory));
  Customer customer(kFirstOwner + owner);
  EKIDEN_TRY(customer.connect(mailbox));
  EKIDEN_TRY(customer.collect(1));
  const double took = seconds_now() - begin;
  EKIDEN_ASSIGN(mib, memory_mib(mailbox));
  return took;
}

Result<Measured> measure(const Options& options) {
  const std::string empty_home = options.directory + "/empty";
  const std::string full_home = options.directory + "/full";
  Measured measured;
  {
    EKIDEN_ASSIGN(auto empty, start_service(options, empty_home));
    EKIDEN_ASSIGN(auto full, start_service(options, full_home));
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
    EKIDEN_ASSIGN(auto empty, start_service(options, empty_home));
    Customer customer(kFirstSender);
    EKIDEN_TRY(customer.connect(empty));
    EKIDEN_TRY(customer.leave({owner_id(0)}, 1));
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
