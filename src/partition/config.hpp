// The knobs of the partition detector, with the defaults of a node. docs/decisions/0021 says where they come from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"
#include "flow/token_bucket.hpp"
#include "partition/accrual.hpp"

namespace ekiden::partition {

struct Config {
  // Neighbours (partition/neighbours.hpp).
  Duration heartbeat = milliseconds(500);
  Duration tick = milliseconds(250);  ///< between two looks at everything; a heartbeat is a multiple of it
  Accrual::Bounds accrual;
  std::size_t max_neighbours = 128;
  flow::Rate heartbeats{.per_second = 8, .burst = 32};  ///< that are heard from a neighbour

  // Statements (partition/statement.hpp).
  Duration confirm = milliseconds(400);    ///< a neighbour that is silent for so long is told of
  Duration link_grace = seconds(2);        ///< … one whose link broke, for so long
  Duration say_pause = milliseconds(300);  ///< between two statements of ours
  Duration refute_pause = seconds(2);      ///< between two that only say that we are here
  Duration asleep = milliseconds(1500);    ///< for so long, and this node says that it is here again …
  Duration say_awake = milliseconds(500);  ///< … after this: its neighbours hear it by then
  Duration say_first = seconds(2);         ///< after the first neighbour, that we are here; doubling …
  Duration say_each = seconds(1);          ///< … up to this for each member, and within …
  Duration say_low = minutes(1);
  Duration say_high = minutes(5);
  Duration accuse_for = seconds(30);                      ///< a silent neighbour is named, and counted, for so long
  Duration abandon_after = seconds(10);                   ///< a link to one that is silent for so long is of no use
  flow::Rate statements{.per_second = 1, .burst = 8};     ///< that are taken of a member
  flow::Rate relayed{.per_second = 1000, .burst = 8000};  ///< that are looked at from a neighbour
  flow::Rate accusations{.per_second = 1, .burst = 64};   ///< of a member, that may turn out wrong …
  Duration shun = minutes(10);                            ///< … before it is not heard for so long

  // Members (partition/members.hpp).
  std::size_t max_members = 16'384;
  std::size_t max_sequences = 16'384;  ///< of statements, whose authors need not be members any more
  Duration member_for = minutes(15);   ///< since it was last heard of
  Duration dead_after = minutes(1);    ///< missing for so long without a split, it is no member any more
  Duration away_for = days(7);         ///< on the other side for so long, it is forgotten

  // States (partition/detector.hpp).
  std::size_t split_share = 16;               ///< one in so many members, but at least …
  std::size_t split_least = 2;                ///< … so many, have to vanish …
  Duration sudden = seconds(15);              ///< … within this, and …
  Duration hold = milliseconds(750);          ///< … to stay so for this
  Duration calm = seconds(3);                 ///< without a reason for suspicion, before all is well again
  Duration roll_call = seconds(3);            ///< in which whoever is on our side says so
  Duration roll_grace = seconds(5);           ///< after which whoever speaks up is one who has come back
  Duration heal_hold = seconds(3);            ///< since the last one came back …
  Duration heal_patience = seconds(4);        ///< … or this, if some are still missing
  Duration heal_recent = milliseconds(2750);  ///< and those who came back have been heard within this
  Duration say_after_healing = seconds(10);   ///< a node that is whole goes on saying that it is there
  Duration diverged_for = seconds(30);        ///< a difference of replicas counts; and as long as it has to last
  Duration heal_replicas = minutes(1);        ///< for so long healing waits for replicas that differ
  milliseconds heard_within = seconds(2);     ///< what was signed so lately shows that its author is there
  Duration gap_for = seconds(10);             ///< missing items of a publisher count
  Duration probe_min = seconds(1);            ///< between two probes, doubling …
  Duration probe_each = milliseconds(100);    ///< … up to this for each member on our side, and within …
  Duration probe_low = seconds(5);
  Duration probe_high = minutes(1);
  std::size_t max_listed = 64;   ///< of the other side, in what is told
  std::size_t max_history = 64;  ///< changes that are remembered
  std::size_t max_anomalies = 64;
};

}  // namespace ekiden::partition
