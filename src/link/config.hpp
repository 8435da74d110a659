// The knobs of links and their pool, with the defaults of a node. The simulator varies them within reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"
#include "flow/spare_time.hpp"
#include "link/hello.hpp"

namespace ekiden::link {

struct Config {
  // Times.
  Duration connect_timeout = seconds(10);
  Duration handshake_timeout = seconds(10);   ///< From the connection to the first record of the other side.
  Duration keepalive_interval = seconds(30);  ///< Silence after which a ping is sent; dead after twice that.
  Duration idle_timeout = seconds(300);       ///< Without messages and wanted by neither side.
  /// The same, of a link that a probe opened, whose use is over, or that came up when nobody wanted it any more. Over
  /// connect_timeout, for the other side may have been asked over it to dial back.
  Duration brief_idle_timeout = seconds(15);
  Duration record_timeout = seconds(30);  ///< From the first byte of a record to its last.
  Duration close_timeout = seconds(5);    ///< For goodbyes and refusals to be written and answered.
  Duration rekey_age = hours(1);
  std::uint64_t rekey_bytes = std::uint64_t{1} << 34;
  Duration redial_min = milliseconds(200);
  Duration redial_max = minutes(5);
  Duration redial_soon = seconds(8);      ///< At most, for a peer that is awaited …
  Duration redial_soon_for = minutes(5);  ///< … and has not been away for longer than this.

  // Bounds.
  std::size_t max_links = 4096;
  std::size_t max_links_per_peer = 3;
  std::size_t max_links_per_prefix = 1024;  ///< Accepted from one /24 of IPv4 or /56 of IPv6.
  std::size_t max_half_open = 256;
  std::size_t max_half_open_per_prefix = 16;
  std::size_t max_queued_bytes = 4 << 20;   ///< Per link, over all priorities.
  std::size_t max_queued_total = 64 << 20;  ///< Over all links.
  std::size_t max_wanted = 4096;
  std::size_t max_verified_records = 1024;  ///< Remembered, so that reconnecting peers cost no signature check.
  std::uint64_t max_notices_per_second = 16;

  // What strangers may cost while somebody of ours has a link (link/gate.hpp).
  flow::SpareTime::Config spare;            ///< of each prefix
  std::uint32_t all_spare = 3;              ///< all prefixes together have so many times that; not 0
  Duration spare_burst = milliseconds(20);  ///< of work, that may be owed before anybody waits

  // What we say in the handshake.
  std::uint64_t features = 0;
  std::uint16_t version_min = kVersionMin;
  std::uint16_t version_max = kVersionMax;
};

}  // namespace ekiden::link
