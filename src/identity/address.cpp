#include "identity/address.hpp"

#include <algorithm>
#include <array>

namespace ekiden::identity {
namespace {

using Family = IpAddress::Family;

constexpr std::size_t kMappedPrefixSize = 12;
constexpr ByteArray<kMappedPrefixSize> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool has_mapped_prefix(const ByteArray<16>& bytes) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

/// A row of the special-purpose registries: the leading `bits` of an address decide.
struct Range {
  ByteArray<16> first;
  int bits;
  AddressClass address_class;
};

constexpr Range v4(Byte a, Byte b, Byte c, Byte d, int bits, AddressClass address_class) {
  return {{a, b, c, d}, bits, address_class};
}

/// The first four groups are enough for every row but the two below.
constexpr Range v6(std::uint16_t a, std::uint16_t b, std::uint16_t c, std::uint16_t d, int bits,
                   AddressClass address_class) {
  Range range{{}, bits, address_class};
  const std::array<std::uint16_t, 4> groups = {a, b, c, d};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    range.first[2 * i] = static_cast<Byte>(groups[i] >> 8);
    range.first[2 * i + 1] = static_cast<Byte>(groups[i] & 0xff);
  }
  return range;
}

// More specific rows come first.
constexpr Range kV4Ranges[] = {
    v4(0, 0, 0, 0, 8, AddressClass::unspecified),          // "this network", RFC 791; connects to this host on Linux
    v4(10, 0, 0, 0, 8, AddressClass::private_use),         // RFC 1918
    v4(100, 64, 0, 0, 10, AddressClass::private_use),      // shared address space, RFC 6598
    v4(127, 0, 0, 0, 8, AddressClass::loopback),           // RFC 1122
    v4(169, 254, 0, 0, 16, AddressClass::link_local),      // RFC 3927; cloud metadata services live here
    v4(172, 16, 0, 0, 12, AddressClass::private_use),      // RFC 1918
    v4(192, 0, 0, 0, 24, AddressClass::reserved),          // IETF protocol assignments, RFC 6890
    v4(192, 0, 2, 0, 24, AddressClass::documentation),     // TEST-NET-1, RFC 5737
    v4(192, 88, 99, 0, 24, AddressClass::translation),     // 6to4 relay anycast, RFC 7526
    v4(192, 168, 0, 0, 16, AddressClass::private_use),     // RFC 1918
    v4(198, 18, 0, 0, 15, AddressClass::benchmarking),     // RFC 2544
    v4(198, 51, 100, 0, 24, AddressClass::documentation),  // TEST-NET-2
    v4(203, 0, 113, 0, 24, AddressClass::documentation),   // TEST-NET-3
    v4(224, 0, 0, 0, 4, AddressClass::multicast),          // RFC 5771
    v4(240, 0, 0, 0, 4, AddressClass::reserved),           // RFC 1112, with limited broadcast
};

constexpr Range kV6Ranges[] = {
    {{}, 128, AddressClass::unspecified},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, AddressClass::loopback},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, AddressClass::translation},  // mapped IPv4, RFC 4291
    {{0, 0x64, 0xff, 0x9b}, 96, AddressClass::translation},                       // NAT64, RFC 6052
    v6(0x0064, 0xff9b, 1, 0, 48, AddressClass::translation),                      // local NAT64, RFC 8215
    v6(0x0100, 0, 0, 0, 64, AddressClass::reserved),                              // discard, RFC 6666
    v6(0x2001, 0, 0, 0, 32, AddressClass::translation),                           // Teredo, RFC 4380
    v6(0x2001, 2, 0, 0, 48, AddressClass::benchmarking),                          // RFC 5180
    v6(0x2001, 0, 0, 0, 23, AddressClass::reserved),                              // IETF assignments, RFC 2928
    v6(0x2001, 0xdb8, 0, 0, 32, AddressClass::documentation),                     // RFC 3849
    v6(0x2002, 0, 0, 0, 16, AddressClass::translation),                           // 6to4, RFC 3056
    v6(0x3fff, 0, 0, 0, 20, AddressClass::documentation),                         // RFC 9637
    v6(0x2000, 0, 0, 0, 3, AddressClass::global),                                 // RFC 4291 section 2.4
    v6(0xfc00, 0, 0, 0, 7, AddressClass::private_use),                            // unique local, RFC 4193
    v6(0xfe80, 0, 0, 0, 10, AddressClass::link_local),                            // RFC 4291
    v6(0xfec0, 0, 0, 0, 10, AddressClass::private_use),                           // site-local, RFC 3879
    v6(0xff00, 0, 0, 0, 8, AddressClass::multicast),                              // RFC 4291
};

bool contains(const Range& range, ByteView address) {
  int bits = range.bits;
  for (std::size_t i = 0; bits > 0; ++i, bits -= 8) {
    const auto mask = static_cast<Byte>(bits >= 8 ? 0xff : 0xff << (8 - bits));
    if (((address[i] ^ range.first[i]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace

IpAddress IpAddress::v4(const ByteArray<4>& bytes) {
  IpAddress out{Family::v4, {}};
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.bytes.begin());
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin() + kMappedPrefixSize);
  return out;
}

IpAddress IpAddress::v6(const ByteArray<16>& bytes) { return {Family::v6, bytes}; }

IpAddress IpAddress::from_socket_v6(const ByteArray<16>& bytes) {
  return {has_mapped_prefix(bytes) ? Family::v4 : Family::v6, bytes};
}

bool IpAddress::is_mapped() const { return family == Family::v6 && has_mapped_prefix(bytes); }

AddressClass classify(const IpAddress& address) {
  if (address.family == Family::v4) {
    const ByteView last_four = ByteView(address.bytes).subspan(kMappedPrefixSize);
    for (const Range& range : kV4Ranges) {
      if (contains(range, last_four)) return range.address_class;
    }
    return AddressClass::global;
  }
  for (const Range& range : kV6Ranges) {
    if (contains(range, address.bytes)) return range.address_class;
  }
  return AddressClass::reserved;
}

std::string_view class_name(AddressClass address_class) {
  constexpr std::array<std::string_view, 10> kNames = {"global",     "unspecified", "loopback",      "link-local",
                                                       "private",    "multicast",   "documentation", "benchmarking",
                                                       "translated", "reserved"};
  return kNames[static_cast<std::size_t>(address_class)];
}

bool may_dial(const IpAddress& address, LearnedFrom source) {
  const AddressClass address_class = classify(address);
  switch (source) {
    case LearnedFrom::configuration:
      return address_class != AddressClass::unspecified && address_class != AddressClass::multicast;
    case LearnedFrom::lan:
      return address_class == AddressClass::global || address_class == AddressClass::private_use;
    case LearnedFrom::remote_record:
      return address_class == AddressClass::global;
  }
  return false;
}

Status check_dial(const IpAddress& address, LearnedFrom source) {
  if (may_dial(address, source)) return {};
  std::string why = "refused to dial " + address.text() + ", a " + std::string(class_name(classify(address))) +
                    " address: what other nodes name has to be global";
  if (may_dial(address, LearnedFrom::configuration)) {
    why += " (name it yourself, or set private_network = \"on\" if this network has such addresses)";
  }
  return fail(Errc::refused, std::move(why));
}

std::string AddressPrefix::text() const {
  if (bytes[0] == static_cast<Byte>(Family::v4)) {
    return IpAddress::v4({bytes[1], bytes[2], bytes[3], 0}).text() + "/24";
  }
  ByteArray<16> address{};
  std::copy(bytes.begin() + 1, bytes.end(), address.begin());
  return IpAddress::v6(address).text() + "/56";
}

AddressPrefix prefix_of(const IpAddress& address) {
  AddressPrefix out;
  const bool is_v4 = has_mapped_prefix(address.bytes);
  out.bytes[0] = static_cast<Byte>(is_v4 ? Family::v4 : Family::v6);
  const std::size_t from = is_v4 ? kMappedPrefixSize : 0;
  const std::size_t size = is_v4 ? 3 : 7;
  std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(from), size, out.bytes.begin() + 1);
  return out;
}

}  // namespace ekiden::identity
