// The knobs of gossip, with the defaults of a node. The simulator varies them within reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace ekiden::gossip {

struct Config {
  // HyParView (gossip/view.hpp). Sizes and lengths of walks are those of its paper, section 5.1.
  std::size_t max_active = 5;
  std::size_t spare_active = 1;  ///< beyond max_active, for others that lack some
  std::size_t min_active = 3;    ///< with fewer, neighbours are asked urgently
  std::size_t max_passive = 30;
  std::uint32_t active_walk = 6;   ///< hops of a forwarded join
  std::uint32_t passive_walk = 3;  ///< hops left at which it enters a passive view
  std::uint32_t shuffle_walk = 6;
  std::size_t shuffle_active = 3;
  std::size_t shuffle_passive = 4;
  Duration shuffle_interval = seconds(30);  ///< with a jitter of a quarter
  Duration attempt_timeout = seconds(5);    ///< for a link and an answer, of somebody who may become a neighbour
  Duration attempt_pause = seconds(30);     ///< before somebody who did not want us is asked again
  Duration contact_min = seconds(2);        ///< between two searches for members while neighbours are missing …
  Duration contact_max = minutes(5);        ///< … doubling up to this
  Duration refresh_min = minutes(10);       ///< between two joins with complete views, so that overlays merge …
  Duration refresh_max = hours(1);          ///< … doubling up to this
  std::uint64_t joins_per_second = 4;       ///< that this node grants in a topic
  std::uint64_t join_burst = 16;
  std::uint64_t controls_per_second = 8;  ///< forwarded joins and shuffles, from each neighbour
  std::uint64_t control_burst = 64;

  // Plumtree (gossip/plumtree.hpp).
  Duration lazy_delay = milliseconds(200);  ///< announcements wait for others to join: half of this to all of it; or
                                            ///< three times that, where the other side is to announce first
  Duration graft_after = seconds(1);        ///< since the first announcement of what does not come by itself
  Duration graft_retry = milliseconds(500);
  std::size_t max_trees = 64;                   ///< of publishers; others use that of another
  std::uint32_t optimise_hops = 1;              ///< so many hops shorter, and an announcement's way is tried …
  Duration optimise_pause = seconds(5);         ///< … no more often than this, for each publisher
  std::uint32_t announced_in_16 = 7;            ///< of the items, to a lazy neighbour …
  Duration announce_all = seconds(6);           ///< … and all, for this long after it has pruned us
  Duration announce_last = seconds(6);          ///< the last item of a publisher, to all, when none has followed it
  std::size_t max_known = 8192;                 ///< ids, for recognising copies
  std::size_t max_missing = 1024;               ///< ids that were announced and have not come …
  std::size_t max_missing_per_neighbour = 256;  ///< … by one neighbour
  std::size_t max_queued_ids = 1024;            ///< announcements that wait, for each neighbour
  std::uint32_t max_unanswered = 32;            ///< grafts in a row, after which a neighbour is given up

  // Items (gossip/topic.hpp).
  std::size_t max_topics = 64;
  std::size_t history_items = 256;  ///< for late joiners and for grafts
  std::size_t history_bytes = 1 << 20;
  Duration history_age = minutes(10);
  std::size_t max_publishers = 1024;     ///< whose sequences are followed
  std::uint64_t items_per_second = 500;  ///< from each neighbour
  std::uint64_t item_burst = 2000;
  std::uint64_t published_per_second = 100;  ///< by each publisher
  std::uint64_t publish_burst = 1000;
  std::uint64_t pulled_per_second = 200;  ///< items that a neighbour may ask for again
  std::uint64_t pull_burst = 1000;
  Duration gap_after = seconds(2);  ///< until a missing number of a publisher is asked for
  std::size_t gap_attempts = 3;
  Duration linger = minutes(1);         ///< a topic is kept without a subscriber, after the last publication
  Duration publish_wait = seconds(10);  ///< for a first neighbour
};

}  // namespace ekiden::gossip
