// Ranges of addresses that are never dialled because a remote record named them, as "address/bits".
//
// A range is probed at its first and last addresses and between them. Just outside of an IPv4 range, unless another
// listed range begins there, addresses are public and must be dialled: a classifier that refuses everything fails.
#include <charconv>

#include "formats.hpp"
#include "identity/address.hpp"

namespace ekiden::vectors {
namespace {

using identity::IpAddress;

constexpr const char* kKey = "never_dial_or_store_from_a_remote_record";

/// The bits of an address that mean something: the last 4 or 16 of its 16 bytes, as the prefix length counts them.
struct Range {
  IpAddress::Family family;
  ByteArray<16> first;
  ByteArray<16> last;

  bool contains(const ByteArray<16>& bytes) const { return first <= bytes && bytes <= last; }
};

std::size_t offset_bits(IpAddress::Family family) { return family == IpAddress::Family::v4 ? 96 : 0; }

Range range_of(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (slash == std::string::npos || !address) throw std::runtime_error("not a range of addresses");
  std::size_t bits = 0;
  const auto parsed = std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
  bits += offset_bits(address->family);
  if (parsed.ec != std::errc() || bits > 128) throw std::runtime_error("not a prefix length");
  Range range{address->family, address->bytes, address->bytes};
  for (std::size_t bit = bits; bit < 128; ++bit) {
    const auto mask = static_cast<Byte>(0x80u >> bit % 8);
    range.first[bit / 8] = static_cast<Byte>(range.first[bit / 8] & ~mask);
    range.last[bit / 8] = static_cast<Byte>(range.last[bit / 8] | mask);
  }
  return range;
}

IpAddress address_of(IpAddress::Family family, const ByteArray<16>& bytes) {
  return family == IpAddress::Family::v4 ? IpAddress::v4(take_array<4>(ByteView(bytes).last(4))) : IpAddress::v6(bytes);
}

bool dialled(IpAddress::Family family, const ByteArray<16>& bytes) {
  return identity::may_dial(address_of(family, bytes), identity::LearnedFrom::remote_record);
}

/// The address with the bits of a pattern inside the range: somewhere in the middle.
ByteArray<16> inside(const Range& range, Byte pattern) {
  auto bytes = range.first;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto free = static_cast<Byte>(range.first[i] ^ range.last[i]);
    bytes[i] = static_cast<Byte>(bytes[i] | (free & pattern));
  }
  return bytes;
}

/// One more or one less, as a number of 32 bits that does not wrap around.
std::optional<ByteArray<16>> ipv4_neighbour(const ByteArray<16>& bytes, bool upwards) {
  auto number = get_be<std::uint32_t>(ByteView(bytes).last(4));
  if (number == (upwards ? UINT32_MAX : 0)) return std::nullopt;
  number = upwards ? number + 1 : number - 1;
  auto neighbour = bytes;
  put_be(MutableBytes(neighbour).last(4), number);
  return neighbour;
}

Status judge_outside(const Range& range, const std::vector<Range>& all) {
  for (const bool upwards : {false, true}) {
    const auto neighbour = ipv4_neighbour(upwards ? range.last : range.first, upwards);
    if (!neighbour) continue;
    const bool special = std::ranges::any_of(
        all, [&](const Range& other) { return other.family == range.family && other.contains(*neighbour); });
    EKIDEN_TRY(expect(special || dialled(range.family, *neighbour),
                      address_of(range.family, *neighbour).text() + " is public and not dialled"));
  }
  return {};
}

Status judge(const Range& range, const std::vector<Range>& all) {
  for (const Byte pattern : {Byte{0x00}, Byte{0xff}, Byte{0x55}, Byte{0xaa}, Byte{0x01}, Byte{0x80}}) {
    const auto bytes = inside(range, pattern);
    EKIDEN_TRY(expect(!dialled(range.family, bytes), address_of(range.family, bytes).text() + " would be dialled"));
  }
  return range.family == IpAddress::Family::v4 ? judge_outside(range, all) : Status();
}

bool is_addresses(const VectorFile& file) { return file.json.is_object() && file.json.contains(kKey); }

void run_addresses(const VectorFile& file, Report& report) {
  std::vector<Range> all;
  for (const auto& group : file.json.at(kKey)) {
    for (const auto& text : group) all.push_back(range_of(text.get<std::string>()));
  }
  for (const auto& group : file.json.at(kKey)) {
    for (const auto& text : group) {
      report.run(text.get<std::string>(), [&] { return judge(range_of(text.get<std::string>()), all); });
    }
  }
}

}  // namespace

const Format kAddresses{is_addresses, run_addresses};

}  // namespace ekiden::vectors
