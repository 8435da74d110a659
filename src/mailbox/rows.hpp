// What mailboxes keep on disk. Never reuse a key for another meaning.
//
//   parcels  local number         ParcelRow: what we keep for somebody, until it is collected or its time is over
//   bodies   the same number      the encoded Parcel, as it came and as it is given
//   dead     number / 256         DeadRow: which of the next 256 numbers are no longer kept
//   meta     "mailbox.own"        OwnRow: the mailboxes that our record names, and those that it named before
//
// A row of parcels and its body are written and erased in one batch. What is no longer kept is first said to be dead,
// and erased with others (mailbox/segments.hpp). A row that does not decode is corruption and fails the start. A body
// is read when it is given, and is what was written only if the digest in its row says so.
#pragma once

#include <vector>

#include "mailbox/messages.hpp"

namespace ekiden::mailbox {

/// The first half of a SHA-256: it finds what a disk has damaged, and tells two parcels of one depositor apart.
using ParcelDigest = ByteArray<16>;
ParcelDigest digest_of(ByteView parcel);

struct ParcelRow {
  static constexpr std::string_view kName = "parcel_row";
  ByteArray<8> prefix{};  ///< of the depositor's address: whose share it uses
  WallTime until{};
  Uuid id;
  identity::PeerId from;
  identity::PeerId to;
  wire::Priority priority = wire::Priority::normal;
  ParcelKind kind = ParcelKind::envelope;
  std::uint16_t size = 0;  ///< of the encoded parcel
  ParcelDigest digest{};

  static constexpr auto kFields =
      wire::fields(wire::field<1>("prefix", &ParcelRow::prefix), wire::field<2>("until", &ParcelRow::until),
                   wire::field<4>("id", &ParcelRow::id), wire::field<5>("from", &ParcelRow::from),
                   wire::field<6>("to", &ParcelRow::to),
                   wire::field<7>("priority", &ParcelRow::priority, wire::max_enum(wire::Priority::background)),
                   wire::field<8>("kind", &ParcelRow::kind, wire::max_enum(ParcelKind::receipt)),
                   wire::field<9>("size", &ParcelRow::size), wire::field<10>("digest", &ParcelRow::digest));
  friend bool operator==(const ParcelRow&, const ParcelRow&) = default;
};

/// REQUIRES: `body` is the encoding of `parcel`, at most kMaxParcel bytes.
ParcelRow row_of(const Parcel& parcel, ByteView body, const ByteArray<8>& prefix, WallTime until);

/// Parcels of a segment that are no longer kept. One of which nothing is dead has no such row.
struct DeadRow {
  static constexpr std::string_view kName = "dead_row";
  static constexpr std::size_t kNumbers = 256;
  using Bits = ByteArray<kNumbers / 8>;
  Bits dead{};              ///< bit i % 8 of byte i / 8, from the lowest on, is that of the i-th number of the segment
  std::uint16_t count = 0;  ///< of its bits; shows that none has flipped
  WallTime since{};         ///< the first of them is dead

  static constexpr auto kFields =
      wire::fields(wire::field<1>("dead", &DeadRow::dead), wire::field<2>("count", &DeadRow::count),
                   wire::field<3>("since", &DeadRow::since));
  friend bool operator==(const DeadRow&, const DeadRow&) = default;
};

std::uint16_t count_bits(const DeadRow::Bits& bits);

/// A row of parcels in stores up to version 6, with the body in it. It is split when the node starts.
struct WholeParcelRow {
  static constexpr std::string_view kName = "whole_parcel_row";
  ByteArray<8> prefix{};
  WallTime until{};
  ByteView parcel;  ///< an encoded Parcel; borrowed

  static constexpr auto kFields =
      wire::fields(wire::field<1>("prefix", &WholeParcelRow::prefix), wire::field<2>("until", &WholeParcelRow::until),
                   wire::field<3>("parcel", &WholeParcelRow::parcel, wire::max_size(kMaxParcel)));
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
