// What mailboxes keep on disk. Never reuse a key for another meaning.
//
//   parcels  local number         ParcelRow: what we keep for somebody, until it is collected or its time is over
//   meta     "mailbox.own"        OwnRow: the mailboxes that our record names, and those that it named before
//
// A row that does not decode is corruption and fails the start.
#pragma once

#include <vector>

#include "mailbox/messages.hpp"

namespace ekiden::mailbox {

struct ParcelRow {
  static constexpr std::string_view kName = "parcel_row";
  ByteArray<8> prefix{};  ///< of the depositor's address: whose share it uses
  WallTime until{};
  ByteView parcel;  ///< an encoded Parcel; borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("prefix", &ParcelRow::prefix), wire::field<2>("until", &ParcelRow::until),
                   wire::field<3>("parcel", &ParcelRow::parcel, wire::max_size(kMaxParcel)));
};

inline constexpr std::string_view kOwnRowName = "mailbox.own";
inline constexpr std::size_t kMaxOwn = 4;     ///< as many as a record names
inline constexpr std::size_t kMaxFormer = 8;  ///< remembered: mail may lie there still

struct OwnRow {
  static constexpr std::string_view kName = "own_mailboxes_row";
  std::vector<identity::PeerId> own;
  std::vector<identity::PeerId> former;  ///< the last one first

  static constexpr auto kFields = wire::fields(wire::field<1>("own", &OwnRow::own, wire::max_count(kMaxOwn)),
                                               wire::field<2>("former", &OwnRow::former, wire::max_count(kMaxFormer)));
  friend bool operator==(const OwnRow&, const OwnRow&) = default;
};

}  // namespace ekiden::mailbox
