// The messages of a topic between two members who have a link. Each is a link message of its own type.
//
// Membership (HyParView): join, forward_join, neighbour, answer, disconnect, shuffle, shuffle_reply.
// Broadcast (Plumtree): gossip, announce, graft, prune; recall asks for a history after a gap.
//
// Bounds: every list has a maximum, hops and rounds are clamped where they are read. Records are verified before they
// are stored, forwarded or dialled.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "gossip/item.hpp"
#include "identity/peer_record.hpp"
#include "wire/message.hpp"

namespace ekiden::gossip {

/// Bit of the features of a link: the sender understands the messages of topics.
inline constexpr std::uint64_t kGossipFeature = 8;

inline constexpr std::uint32_t kMaxRound = 64;  ///< hops from the publisher; larger ones count as that
inline constexpr std::uint32_t kMaxWalk = 16;   ///< hops of a random walk; larger ones count as that
inline constexpr std::size_t kMaxShuffled = 8;
inline constexpr std::size_t kMaxAnnounced = 128;
inline constexpr std::size_t kMaxGrafted = 128;

/// Names a random walk; chosen at random by its origin.
struct WalkId {
  ByteArray<8> bytes{};
  friend auto operator<=>(const WalkId&, const WalkId&) = default;
};

/// MessageType::topic_join: be my neighbour, and tell others of me.
struct Join {
  static constexpr std::string_view kName = "topic_join";
  TopicId topic;

  static constexpr auto kFields = wire::fields(wire::field<1>("topic", &Join::topic));
  friend bool operator==(const Join&, const Join&) = default;
};

/// MessageType::topic_forward_join: somebody has joined; whoever this walk ends at asks it to be a neighbour.
struct ForwardJoin {
  static constexpr std::string_view kName = "topic_forward_join";
  TopicId topic;
  std::uint32_t hops = 0;  ///< that are left
  ByteView record;         ///< the signed record of the one that joins; borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("topic", &ForwardJoin::topic), wire::field<2>("hops", &ForwardJoin::hops),
                   wire::field<3>("record", &ForwardJoin::record, wire::max_size(identity::kMaxRecordSize)));
};

/// MessageType::topic_neighbour: be my neighbour; urgent if I have few, or you have just joined.
struct Neighbour {
  static constexpr std::string_view kName = "topic_neighbour";
  TopicId topic;
  bool urgent = false;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("topic", &Neighbour::topic), wire::field<2>("urgent", &Neighbour::urgent));
  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

enum class Verdict : std::uint8_t {
  accepted = 0,  ///< we are neighbours
  full = 1,      ///< I have as many as I want
  busy = 2,      ///< too many ask: try somebody else
  absent = 3,    ///< I am no member
};

/// MessageType::topic_answer: to join and neighbour.
struct Answer {
  static constexpr std::string_view kName = "topic_answer";
  TopicId topic;
  Verdict verdict{};

  static constexpr auto kFields =
      wire::fields(wire::field<1>("topic", &Answer::topic),
                   wire::field<2>("verdict", &Answer::verdict, wire::max_enum(Verdict::absent)));
  friend bool operator==(const Answer&, const Answer&) = default;
};

/// MessageType::topic_disconnect: we are no longer neighbours, or are none.
struct Disconnect {
  static constexpr std::string_view kName = "topic_disconnect";
  TopicId topic;
  bool leaving = false;  ///< I am no member any more

  static constexpr auto kFields =
      wire::fields(wire::field<1>("topic", &Disconnect::topic), wire::field<2>("leaving", &Disconnect::leaving));
  friend bool operator==(const Disconnect&, const Disconnect&) = default;
};

/// MessageType::topic_shuffle: members whom I know, on a random walk to somebody who tells of others.
struct Shuffle {
  static constexpr std::string_view kName = "topic_shuffle";
  TopicId topic;
  WalkId walk;
  std::uint32_t hops = 0;         ///< that are left
  std::vector<ByteView> records;  ///< signed, of the origin first; borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("topic", &Shuffle::topic), wire::field<2>("walk", &Shuffle::walk),
                   wire::field<3>("hops", &Shuffle::hops),
                   wire::field<4>("records", &Shuffle::records, wire::max_count(kMaxShuffled),
                                  wire::max_size(identity::kMaxRecordSize)));
};

/// MessageType::topic_shuffle_reply: goes back by the way of the walk.
struct ShuffleReply {
  static constexpr std::string_view kName = "topic_shuffle_reply";
  TopicId topic;
  WalkId walk;
  std::vector<ByteView> records;  ///< signed; borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("topic", &ShuffleReply::topic), wire::field<2>("walk", &ShuffleReply::walk),
                   wire::field<3>("records", &ShuffleReply::records, wire::max_count(kMaxShuffled),
                                  wire::max_size(identity::kMaxRecordSize)));
};

/// MessageType::topic_gossip: an item.
struct Gossiped {
  static constexpr std::string_view kName = "topic_gossip";
  TopicId topic;
  std::uint32_t round = 0;  ///< hops from the publisher, this one included
  ByteView item;            ///< signed (gossip/item.hpp); borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("topic", &Gossiped::topic), wire::field<2>("round", &Gossiped::round),
                   wire::field<3>("item", &Gossiped::item, wire::max_size(kMaxItemSize)));
};

struct Announced {
  static constexpr std::string_view kName = "announced";
  ItemId id;
  std::uint32_t round = 0;  ///< as it would have at the reader

  static constexpr auto kFields =
      wire::fields(wire::field<1>("id", &Announced::id), wire::field<2>("round", &Announced::round));
  friend bool operator==(const Announced&, const Announced&) = default;
};

/// MessageType::topic_announce: I have these items.
struct Announce {
  static constexpr std::string_view kName = "topic_announce";
  TopicId topic;
  bool history = false;  ///< they are what I still have of earlier ones, the oldest first
  std::vector<Announced> items;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("topic", &Announce::topic), wire::field<2>("history", &Announce::history),
                   wire::field<3>("items", &Announce::items, wire::max_count(kMaxAnnounced)));
  friend bool operator==(const Announce&, const Announce&) = default;
};

/// MessageType::topic_graft: send me these items; with `tree`, what their publishers publish next as well, or, without
/// ids, what this one does.
struct Graft {
  static constexpr std::string_view kName = "topic_graft";
  TopicId topic;
  bool tree = false;
  std::vector<ItemId> ids;
  std::optional<identity::PeerId> publisher = {};

  static constexpr auto kFields = wire::fields(
      wire::field<1>("topic", &Graft::topic), wire::field<2>("tree", &Graft::tree),
      wire::field<3>("ids", &Graft::ids, wire::max_count(kMaxGrafted)), wire::field<4>("publisher", &Graft::publisher));
  friend bool operator==(const Graft&, const Graft&) = default;
};

/// MessageType::topic_prune: announce to me what this one publishes next, and do not send it.
struct Prune {
  static constexpr std::string_view kName = "topic_prune";
  TopicId topic;
  identity::PeerId publisher;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("topic", &Prune::topic), wire::field<2>("publisher", &Prune::publisher));
  friend bool operator==(const Prune&, const Prune&) = default;
};

/// MessageType::topic_recall: announce to me what you still have, for something is missing here.
struct Recall {
  static constexpr std::string_view kName = "topic_recall";
  TopicId topic;

  static constexpr auto kFields = wire::fields(wire::field<1>("topic", &Recall::topic));
  friend bool operator==(const Recall&, const Recall&) = default;
};

}  // namespace ekiden::gossip
