// IP addresses: their text, what they are good for, and who may make us dial them.
//
// An address that came from a stranger is dangerous to dial: it can point at the printer, at a cloud's metadata service
// or at the node itself, and turns a node into somebody's port scanner. may_dial() is the one place that decides; ask
// it after DNS resolution, for a name can resolve to anything (DNS rebinding).
//
// Source of the classes: the IANA IPv4 and IPv6 special-purpose address registries (RFC 6890 and its updates). Whatever
// is not known to be globally reachable is treated as special: outside of 2000::/3 there is no global IPv6.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::identity {

struct IpAddress {
  enum class Family : Byte { v4 = 4, v6 = 6 };

  Family family = Family::v6;
  ByteArray<16> bytes{};  ///< IPv4 in its mapped form ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).

  static IpAddress v4(const ByteArray<4>& bytes);
  /// Kept as IPv6 even if it is a mapped form: as such it is special and never dialled for a stranger.
  static IpAddress v6(const ByteArray<16>& bytes);
  /// What a dual-stack socket reports: a mapped form is the IPv4 address that it stands for.
  static IpAddress from_socket_v6(const ByteArray<16>& bytes);

  /// Dotted decimal in its strict form (four numbers without leading zeros: "010.1" is octal to some and decimal to
  /// others) or IPv6 (RFC 4291 section 2.2, no zone, no brackets). Errors: malformed.
  static Result<IpAddress> parse(std::string_view text);

  /// Canonical text (RFC 5952).
  std::string text() const;

  /// True for ::ffff:0:0/96 that was not made an IPv4 address.
  bool is_mapped() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

enum class AddressClass : Byte {
  global,         ///< Reachable from anywhere.
  unspecified,    ///< 0.0.0.0/8, ::
  loopback,       ///< 127.0.0.0/8, ::1
  link_local,     ///< 169.254.0.0/16, fe80::/10
  private_use,    ///< RFC 1918, fc00::/7, fec0::/10, and shared 100.64.0.0/10 (RFC 6598)
  multicast,      ///< 224.0.0.0/4, ff00::/8
  documentation,  ///< 192.0.2.0/24 and others: examples that must never receive traffic
  benchmarking,   ///< 198.18.0.0/15, 2001:2::/48
  translation,    ///< Mapped, NAT64, 6to4, Teredo: another address in disguise, which may be any of the above
  reserved,       ///< 240.0.0.0/4, broadcast, protocol assignments, everything not handed out
};

AddressClass classify(const IpAddress& address);

/// A lower-case name for messages: "link-local".
std::string_view class_name(AddressClass address_class);

/// Where an address came from; the stranger its source, the less it may name.
enum class LearnedFrom : Byte {
  configuration,  ///< A person wrote it: configuration, command line, contact book.
  lan,            ///< A record that came over the local network.
  remote_record,  ///< Any other record.
};

/// Configuration may name everything that can be connected to, LAN records also private addresses, remote records only
/// global ones.
bool may_dial(const IpAddress& address, LearnedFrom source);

/// The same, for people: refused, naming the address, its class and what to do.
Status check_dial(const IpAddress& address, LearnedFrom source);

/// The part of an address that stands for "one customer" in limits before authentication: /24 of IPv4 (also mapped),
/// /56 of IPv6. Rationale: a whole /64, often a /56, belongs to one person, who can use a new address for each packet.
struct AddressPrefix {
  ByteArray<8> bytes{};  ///< The family, then 3 or 7 bytes, zero-filled.

  /// "203.0.113.0/24", "2001:db8:0:ab00::/56"
  std::string text() const;

  friend auto operator<=>(const AddressPrefix&, const AddressPrefix&) = default;
};

AddressPrefix prefix_of(const IpAddress& address);

}  // namespace ekiden::identity
