// What an owner decides about strangers, and what there is to decide: plain values. The rules are in
// router/first_contact.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/time.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::router {

struct Arrived;

/// What becomes of messages of peers that the owner has neither named nor written to, requests aside.
enum class Strangers : std::uint8_t {
  accept,  ///< they reach the application like all others
  queue,   ///< they wait until their sender is known
  refuse,  ///< (unwanted)
};
/// Somebody whose messages wait.
struct Waiting {
  identity::PeerId peer;
  std::size_t messages = 0;
  std::size_t bytes = 0;
  std::shared_ptr<const Arrived> first;  ///< the one that came first
};
/// Somebody who is refused everything.
struct Blocked {
  identity::PeerId peer;
  WallTime since;
};

}  // namespace ekiden::router
