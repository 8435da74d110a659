// The knobs of mailboxes, with the defaults of a node. The simulator varies them within reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::mailbox {

struct Config {
  // What we keep for others (mailbox/keeper.hpp).
  bool serve = true;
  std::size_t max_parcels = 16'384;
  std::size_t max_bytes = 64 << 20;
  std::size_t max_parcels_per_sender = 1024;
  std::size_t max_bytes_per_sender = 8 << 20;
  std::size_t max_parcels_per_owner = 2048;
  std::size_t max_bytes_per_owner = 16 << 20;
  std::size_t max_parcels_per_prefix = 4096;
  std::size_t max_bytes_per_prefix = 32 << 20;
  std::size_t stranger_share = 2;  ///< strangers together use one part in this of what there is; not 0
  Duration max_keep = days(30);
  std::size_t max_window = 64;             ///< parcels under way to an owner …
  std::size_t max_window_bytes = 1 << 18;  ///< … the first always fits
  std::size_t max_fetch_bytes = 4 << 20;   ///< on their way from the disk, for all owners; the first always fits
  Duration again_after = seconds(20);      ///< what was not confirmed is given again
  Duration retry_after = minutes(5);       ///< told to those who are refused for want of room

  // What we leave with others (mailbox/depositor.hpp).
  bool deposit = true;
  std::size_t copies = 3;
  std::size_t max_deposits = 16'384;  ///< parcels under way
  std::size_t max_deposit_bytes = 64 << 20;
  Duration answer_timeout = seconds(15);  ///< for a link and for the answer of a mailbox
  Duration shun = minutes(5);             ///< a mailbox that did not answer or refused
  Duration look_min = seconds(20);        ///< until mailboxes are looked for again when there are too few …
  Duration look_max = minutes(10);        ///< … doubling up to this

  // Where others leave what is for us (mailbox/collector.hpp).
  bool collect = true;
  std::vector<identity::PeerId> pinned;  ///< by the owner of this node; at most kMaxOwn, never replaced
  std::size_t own = 3;                   ///< mailboxes that our record names
  std::size_t max_visits = 8;            ///< others near our id that are asked at the start of a run
  Duration visit = seconds(60);          ///< so long they are kept
  Duration replace_after = minutes(10);  ///< a mailbox of ours that cannot be reached
  Duration round = minutes(30);          ///< between two looks for mailboxes when there are enough
  std::size_t max_open = 4096;           ///< parcels that wait for our disk
};

}  // namespace ekiden::mailbox
