// Addresses to which no word of a stranger may lead: machines that wait there and count who comes.
//
// One of each range of special addresses (identity/address.hpp), and some in the open that are named only in records
// that nobody may take: too large, or with too many endpoints.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/ledger.hpp"
#include "sim/spoofer.hpp"

namespace ekiden::sim {

class Traps {
 public:
  explicit Traps(Network& network);

  /// "10.0.0.1:7420"; one of each special range, at some of which IPv6 stands for IPv4.
  static const std::vector<std::string>& special();
  /// Of the ones in the open.
  static std::string open(std::size_t index);
  static constexpr std::size_t kOpen = 200;  ///< further indices are the first ones again

  /// Nobody has tried to make a link to any of them, nor sent a datagram.
  void check(const Network& network, Ledger& ledger) const;

 private:
  std::vector<std::unique_ptr<Bystander>> hosts_;
};

}  // namespace ekiden::sim
