// The knobs of datagrams, with the defaults of a node. The simulator varies them within reason.
#pragma once

#include <cstddef>

#include "base/time.hpp"
#include "flow/token_bucket.hpp"

namespace ekiden::datagram {

struct Config {
  // Times.
  Duration first_timeout = milliseconds(500);  ///< until a query is sent again, when no round trip is known
  Duration min_timeout = milliseconds(100);
  Duration max_timeout = seconds(4);
  Duration confirm_after = milliseconds(200);  ///< an initiator that has nothing more to ask proves itself by then
  Duration provisional_lifetime = seconds(10);
  Duration session_lifetime = hours(1);  ///< then the next query makes a new handshake, for forward secrecy
  Duration session_idle = minutes(10);

  // Bounds.
  unsigned attempts = 3;                    ///< of sending one query
  std::size_t max_sessions = 512;           ///< least recently used out first
  std::size_t max_provisional = 128;        ///< handshakes answered whose initiator has not proven its address
  std::size_t max_queries = 2048;           ///< of ours, unanswered
  std::size_t max_unanswered = 256;         ///< of others, being answered here
  std::size_t max_recent = 512;             ///< first flights remembered, so that a copy is not answered again
  std::size_t max_prefixes = 1024;          ///< whose handshakes are counted
  flow::Rate handshakes = {100, 200};       ///< answered without a cookie
  flow::Rate proven_handshakes = {10, 40};  ///< answered with one, for each /24 of IPv4 or /56 of IPv6
};

}  // namespace ekiden::datagram
