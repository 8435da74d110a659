// What an engine asks to be made durable.
//
// The store is a set of tables. A row's key is a number (queues: appended at the end, erased near the front, which is
// what B-trees like best) or a short name (directories); each table uses one of the two. A Batch is applied entirely or
// not at all, and batches are applied in the order in which they were given. Within a batch, and among batches that are
// gathered into one commit, the last operation on a key wins.
//
// Values are opaque here: each engine encodes its own rows as deterministic CBOR (wire/message.hpp) and reads them back
// through the same description, so a row that does not decode is corruption and is reported, never skipped.
#pragma once

#include <compare>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace ekiden::store {

/// Never renumber: the numbers are the schema on disk.
enum class Table : std::uint8_t {
  meta = 1,             ///< named: single values of the node (record sequence, outbox epoch …)
  contacts = 2,         ///< named by PeerId
  records = 3,          ///< named by PeerId: the newest verified PeerRecord of peers we talk to
  prekeys = 4,          ///< numbered by prekey id
  sessions = 5,         ///< named by session UUID
  outbox = 6,           ///< numbered by local message number
  inbox = 7,            ///< numbered by local message number
  windows = 8,          ///< named by PeerId: what the sender has told to be below its floor
  history = 9,          ///< numbered: what became of messages, with the receipts that prove it
  nodes = 10,           ///< named by PeerId: nodes of the DHT to begin with after a restart
  values = 11,          ///< named by key and owner: what this node keeps for others in the DHT
  bootstrap = 12,       ///< named by PeerId: nodes that were reached, with their scores
  parcels = 16,         ///< numbered: of what this node's mailbox keeps for others, all but the contents
  deposits = 17,        ///< numbered by local message number: the mailboxes that keep a message of ours
  packets = 18,         ///< numbered: what this node keeps until the next relay, or the recipient, has taken it
  standings = 20,       ///< named by PeerId: who is blocked, and to whom that is no contact we have written
  bodies = 21,          ///< numbered as `parcels`: what is in them
  dead = 22,            ///< numbered, one for 256 of `parcels`: which of them are no longer kept
  registry = 24,        ///< named by entry id: the signed entries of the registry; and what this node knows of its own
  realms = 25,          ///< named: the realms that this node is in, with their keys
  realm_registry = 26,  ///< named by realm and what `registry` is named by: the same of the registries of realms
};

inline constexpr std::size_t kMaxName = 64;

/// Whether values of the table have keys in them that open messages.
constexpr bool holds_secrets(Table table) {
  return table == Table::prekeys || table == Table::sessions || table == Table::realms;
}

struct Key {
  Table table{};
  std::uint64_t number = 0;  ///< of numbered tables
  Bytes name;                ///< of named tables, at most kMaxName bytes

  friend auto operator<=>(const Key&, const Key&) = default;
};

struct Row {
  Key key;
  Bytes value;

  friend bool operator==(const Row&, const Row&) = default;
};

struct Operation {
  Key key;
  bool erase = false;
  Bytes value;  ///< empty when erasing

  friend bool operator==(const Operation&, const Operation&) = default;
};

/// Erases the values of tables that hold secrets when it dies.
class Batch {
 public:
  Batch() = default;
  Batch(const Batch&) = default;
  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch other) noexcept {
    std::swap(operations_, other.operations_);
    return *this;
  }
  ~Batch();

  void put(Table table, std::uint64_t number, Bytes value);
  /// REQUIRES: name.size() <= kMaxName.
  void put(Table table, ByteView name, Bytes value);
  void erase(Table table, std::uint64_t number);
  void erase(Table table, ByteView name);
  /// Adds the operations of `other` after ours.
  void append(Batch other);

  bool empty() const { return operations_.empty(); }
  const std::vector<Operation>& operations() const { return operations_; }
  /// Bytes of keys and values, for budgets.
  std::size_t byte_size() const;

 private:
  std::vector<Operation> operations_;
};

/// Names one Persist effect of one engine. Increases; when a token is persisted, so are all smaller ones.
enum class PersistToken : std::uint64_t {};

}  // namespace ekiden::store
