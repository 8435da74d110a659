// A script of bytes played by three stations: messages, commits, losses, repetitions, crashes, clocks that step, full
// inboxes, failing disks, contacts that become strangers, whose messages wait until they are contacts again. Any bytes
// are a script. The stations check what must hold at every moment (station.hpp); the end checks what must hold at last:
//   - every accepted durable message is delivered or reported as expired, and what is reported as delivered was stored;
//   - every message was delivered under one number, and every text submitted once arrived under one id;
//   - so many messages as are said to be missing before another one had not come when that was said, or their sender
//     never had a receipt for them, or has restarted with a history too short to remember it;
//   - once the floor has passed, nothing is left on any disk but one tombstone and one window for each sender.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "world.hpp"

namespace ekiden::router::test {

class Play {
 public:
  explicit Play(ByteView script) : script_(script), world_(kStations, small_config()) {
    for (std::size_t i = 0; i < kStations; ++i) world_[i].sends_numbers = true;
  }

  void run() {
    while (!script_.empty()) step();
    end();
  }

  World& world() { return world_; }
  std::size_t delivered() const { return delivered_; }
  /// Messages of which the recipient was told that they are missing.
  std::uint64_t gaps() const { return gaps_; }

 private:
  static constexpr std::size_t kStations = 3;
  static constexpr std::size_t kMaxGhosts = 64;

  static Config small_config() {
    Config config;
    config.max_outbox_messages = 24;
    config.max_outbox_messages_per_peer = 16;
    config.max_outbox_bytes = 4000;
    config.max_inbox_messages = 9;
    config.max_inbox_bytes = 2000;
    config.max_inbox_bytes_per_peer = 900;
    config.max_volatile = 4;
    config.max_in_flight = 4;
    config.max_in_flight_bytes = 600;
    config.max_window = 10;
    config.max_windows = 24;
    config.max_history = 6;
    config.retry_min = milliseconds(100);
    config.retry_max = seconds(2);
    config.connect_linger = seconds(1);
    config.clock_skew = seconds(30);
    return config;
  }

  Byte next() {
    if (script_.empty()) return 0;
    const Byte value = script_.front();
    script_ = script_.subspan(1);
    return value;
  }

  Station& station() { return world_[which_]; }
  bool runs() { return station().is_running(); }

  void step() {
    const Byte command = next();
    const Byte argument = next();
    which_ = argument % kStations;
    const std::size_t other = (which_ + 1 + argument / kStations % (kStations - 1)) % kStations;
    const std::size_t amount = argument / 8;
    switch (command % 21) {
      case 0:
      case 1:
      case 2:
        return submit(other, DeliveryClass::durable, next());
      case 3:
        return submit(other, DeliveryClass::volatile_, next());
      case 4:
        return world_.sync(which_, amount + 1);
      case 5:
        return world_.sync(which_);
      case 6:
      case 7:
        return deliver(argument, false);
      case 8:
        return deliver(argument, true);
      case 9:
        return lose(argument);
      case 10:
      case 11:
        return world_.link(which_, other);
      case 12:
        return world_.unlink(which_, other);
      case 13:
        world_.crash(which_, amount % 6);
        if (argument % 2 == 0) world_.boot(which_);
        return;
      case 14:
        return world_.boot(which_);
      case 15:
        return world_.take_all(which_);
      case 16:
        return world_.pass(milliseconds(10) * (1 << argument % 16), argument >= 128);
      case 17:
        return step_clock(argument);
      case 18:
        return haunt(argument);
      case 19:
        return break_something(argument);
      default:
        return world_.flow();
    }
  }

  void submit(std::size_t to, DeliveryClass delivery, Byte how) {
    if (!runs()) return;
    Draft draft;
    draft.delivery = delivery;
    draft.priority = static_cast<wire::Priority>(how % wire::kPriorities);
    constexpr Duration kTtl[] = {milliseconds(700), seconds(20), minutes(10), hours(1)};
    draft.ttl = kTtl[how / 8 % 4];
    const std::string text = std::to_string(++texts_) + std::string(how / 32 * 20u, '.');
    constexpr std::string_view kConversations[] = {"", "", "tea", "a conversation with a long name"};
    const auto which = (how / 4u + how / 64u) % 5;
    draft.unordered = which == 4;
    if (which < 4 && delivery == DeliveryClass::durable) {
      draft.conversation = kConversations[which];
      sent_[{which_, to, draft.conversation}].push_back(texts_);
    }
    draft.body = to_bytes(as_bytes(text));
    if (how % 3 == 0) draft.id = id_of(texts_);
    world_.send(which_, to, draft);
    if (how % 6 == 0 && runs()) world_.send(which_, to, draft);  // asked again: the same message
  }

  static MessageId id_of(std::uint64_t n) {
    MessageId id{};
    put_be(MutableBytes(id.bytes).last(4), static_cast<std::uint32_t>(n));
    id.bytes[6] = 0x40;
    id.bytes[8] = 0x80;
    return id;
  }

  void deliver(std::size_t which, bool keep) {
    if (!world_.mail().empty()) world_.deliver(which % world_.mail().size(), keep);
  }

  void lose(std::size_t which) {
    auto& mail = world_.mail();
    if (!mail.empty()) mail.erase(mail.begin() + static_cast<std::ptrdiff_t>(which % mail.size()));
  }

  /// Keeps a copy of some mail, or brings an old copy back.
  void haunt(std::size_t which) {
    auto& mail = world_.mail();
    if (which % 2 == 0 && !mail.empty() && ghosts_.size() < kMaxGhosts) {
      ghosts_.push_back(mail[which / 2 % mail.size()]);
    } else if (!ghosts_.empty()) {
      world_.inject(ghosts_[which / 2 % ghosts_.size()]);
    }
  }

  void step_clock(Byte argument) {
    constexpr milliseconds kSteps[] = {seconds(1), seconds(-20), minutes(5), -minutes(40)};
    station().skew = kSteps[argument / 4 % 4];
  }

  void break_something(Byte argument) {
    if (!runs()) return;
    switch (argument / 4 % 8) {
      case 0:
        return station().router().set_storage(world_.now, fail(Errc::storage_full, "no space left"));
      case 1:
        return station().router().set_storage(world_.now, {});
      case 2:
        station().can_seal = !station().can_seal;
        return;
      case 3:
        station().link_takes = !station().link_takes;
        return;
      case 4:
        for (std::size_t i = 0; i < kStations; ++i) {
          station().session().lose(world_[i].id(), world_[i].session().generation(station().id()));
        }
        return;
      case 5:
        for (std::size_t i = 0; i < kStations; ++i) world_.retry_now(which_, i);
        return;
      case 6:
        station().volatile_waits = !station().volatile_waits;
        return;
      default: {
        const identity::PeerId& other = world_[(which_ + 1 + argument / 32 % 2) % kStations].id();
        station().set_contact(other, !station().has_contact(other));
      }
    }
  }

  // The end. ----------------------------------------------------------------------------------------------------------

  void end() {
    repair();
    settle();
    for (std::size_t i = 0; i < kStations; ++i) check_promises(i);
    for (std::size_t i = 0; i < kStations; ++i) check_gaps(i);
    check_texts();
    // A last message to each tells the floor.
    for (std::size_t i = 0; i < kStations; ++i) {
      for (std::size_t j = 0; j < kStations; ++j) {
        if (i != j) world_.send(i, j, "the end " + std::to_string(i) + std::to_string(j));
      }
    }
    settle();
    for (std::size_t i = 0; i < kStations; ++i) check_leftovers(i);
  }

  void repair() {
    for (std::size_t i = 0; i < kStations; ++i) {
      world_.boot(i);
      world_[i].can_seal = true;
      world_[i].link_takes = true;
      world_[i].skew = {};
      world_[i].router().set_storage(world_.now, {});
      for (std::size_t j = 0; j < i; ++j) world_.link(i, j);
      for (std::size_t j = 0; j < kStations; ++j) {
        if (i != j) world_[i].set_contact(world_[j].id(), true);
      }
    }
  }

  void settle() {
    for (int round = 0; round < 400; ++round) {
      world_.pass(seconds(10));
      std::size_t left = 0;
      for (std::size_t i = 0; i < kStations; ++i) {
        world_.take_all(i);
        world_.sync(i);
        left += world_[i].router().status().outbox_messages + world_[i].router().status().inbox_messages;
      }
      if (left == 0) return;
    }
    must(false, "messages are neither delivered nor expired");
  }

  void check_promises(std::size_t i) {
    for (const auto& [id, draft] : world_[i].accepted) {
      if (draft.delivery != DeliveryClass::durable) continue;
      const auto fate = world_[i].settled.find(id);
      must(fate != world_[i].settled.end(), "accepted and forgotten: " + id.text());
      if (fate->second != MessageState::delivered) continue;
      ++delivered_;
      for (std::size_t j = 0; j < kStations; ++j) {
        must(world_[j].id() != draft.to || world_[j].has_stored(id), "delivered, and not stored");
      }
    }
  }

  void check_texts() {
    std::map<Bytes, MessageId> ids;
    for (std::size_t i = 0; i < kStations; ++i) {
      for (const auto& message : world_[i].arrivals) {
        if (message->delivery != DeliveryClass::durable) continue;
        const auto known = ids.emplace(message->body, message->id).first;
        must(known->second == message->id, "one text under two ids");
        must(message->number > 0, "a durable message without a number");
      }
    }
  }

  /// The texts of this sender for which it has a receipt.
  std::set<std::uint64_t> receipted_of(std::size_t from) {
    std::set<std::uint64_t> receipted;
    for (const auto& [id, draft] : world_[from].accepted) {
      const auto fate = world_[from].settled.find(id);
      if (fate == world_[from].settled.end() || fate->second != MessageState::delivered) continue;
      receipted.insert(std::stoull(std::string(as_text(draft.body))));
    }
    return receipted;
  }

  void check_gaps(std::size_t i) {
    std::set<std::uint64_t> come;
    for (const auto& message : world_[i].arrivals) {
      const std::uint64_t number = std::stoull(std::string(as_text(message->body)));
      const bool is_new = come.insert(number).second;
      if (!is_new || message->missing == 0) continue;
      std::size_t from = 0;
      while (world_[from].id() != message->from) ++from;
      gaps_ += message->missing;
      if (world_[from].boots() > 1) continue;
      const auto receipted = receipted_of(from);
      const auto missing = std::ranges::count_if(sent_.at({from, i, message->order->conversation}), [&](auto each) {
        return each < number && (!come.contains(each) || !receipted.contains(each));
      });
      must(static_cast<std::uint64_t>(missing) >= message->missing,
           std::to_string(message->missing) + " are said to be missing before " + std::to_string(number) + ", and " +
               std::to_string(missing) + " are");
    }
  }

  void check_leftovers(std::size_t i) {
    must(world_[i].rows_in(store::Table::outbox) == 0, "rows are left in the outbox");
    must(world_[i].rows_in(store::Table::windows) == kStations - 1, "a window is missing");
    must(world_[i].rows_in(store::Table::inbox) == kStations - 1, "rows are left in the inbox");
    must(world_[i].rows_in(store::Table::history) <= world_[i].config().max_history, "the history grows");
  }

  ByteView script_;
  World world_;
  std::size_t which_ = 0;
  std::uint64_t texts_ = 0;
  std::size_t delivered_ = 0;
  std::uint64_t gaps_ = 0;
  std::map<std::tuple<std::size_t, std::size_t, std::string>, std::vector<std::uint64_t>> sent_;  ///< ordered texts
  std::vector<Mail> ghosts_;
};

}  // namespace ekiden::router::test
