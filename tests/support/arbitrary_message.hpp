// A random message of any described type, made from its description alone: every field within its bounds, edges more
// often than their share.
//
// Types with rules of their own get an overload of random_value found by argument-dependent lookup or declared before
// use, as for Uuid below.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <tuple>

#include "base/bytes.hpp"
#include "base/encoding.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "wire/message.hpp"

namespace ekiden::test {

/// A size up to a bound: empty, full, or anything between; long ones are rare so that tests stay fast.
inline std::size_t random_size(Rng& rng, std::size_t max) {
  switch (rng.below(6)) {
    case 0:
      return 0;
    case 1:
      return max <= 4096 ? max : 4096;
    default:
      return rng.below((max < 64 ? max : 64) + 1);
  }
}

inline std::uint64_t random_number(Rng& rng, std::uint64_t max) {
  switch (rng.below(4)) {
    case 0:
      return 0;
    case 1:
      return max;
    default: {
      // All magnitudes alike, so that every width of the encoding occurs.
      const std::uint64_t number = rng.next() >> rng.below(64);
      return number <= max ? number : number & max;
    }
  }
}

template <wire::Described T>
T random_message(Rng& rng);

template <class T>
void random_value(Rng& rng, T& out, const wire::Limits& limits) {
  using namespace wire::detail;
  if constexpr (std::is_same_v<T, Uuid>) {
    out = Uuid::random(rng);
  } else if constexpr (std::is_same_v<T, bool>) {
    out = rng.chance(1, 2);
  } else if constexpr (std::is_enum_v<T>) {
    out = static_cast<T>(rng.below(limits.max_enum + 1));
  } else if constexpr (std::is_unsigned_v<T>) {
    out = static_cast<T>(random_number(rng, std::numeric_limits<T>::max()));
  } else if constexpr (std::is_integral_v<T>) {
    const auto magnitude =
        static_cast<T>(random_number(rng, static_cast<std::uint64_t>(std::numeric_limits<T>::max())));
    out = static_cast<T>(rng.chance(1, 2) ? magnitude : -magnitude - 1);
  } else if constexpr (std::is_same_v<T, WallTime>) {
    out = from_unix_ms(random_number(rng, kMaxUnixMs));
  } else if constexpr (std::is_same_v<T, Bytes>) {
    out.resize(random_size(rng, limits.max_size));
    rng.fill(out);
  } else if constexpr (std::is_same_v<T, std::string>) {
    out.resize(random_size(rng, limits.max_size));
    for (char& c : out) c = static_cast<char>('!' + rng.below(94));
  } else if constexpr (kIsByteArray<T>) {
    rng.fill(out);
  } else if constexpr (WrapsBytes<T>) {
    rng.fill(out.bytes);
  } else if constexpr (kIsVector<T>) {
    out.resize(random_size(rng, limits.max_count));
    for (auto& element : out) random_value(rng, element, limits);
  } else if constexpr (wire::Described<T>) {
    out = random_message<T>(rng);
  } else {
    static_assert(wire::detail::kUnsupported<T>, "declare an overload of random_value for this type");
  }
}

template <class T>
void random_value(Rng& rng, std::optional<T>& out, const wire::Limits& limits) {
  out.reset();
  if (rng.chance(1, 2)) random_value(rng, out.emplace(), limits);
}

template <wire::Described T>
T random_message(Rng& rng) {
  T out{};
  std::apply([&](const auto&... field) { (random_value(rng, out.*field.member, field.limits), ...); }, T::kFields);
  return out;
}

/// Random messages survive encoding, which is valid, and decoding, which gives them back.
template <wire::Described T>
void check_round_trips(std::uint64_t seed, int messages = 200) {
  Rng::Seed bytes{};
  put_be(bytes, seed);
  Rng rng(bytes);
  for (int i = 0; i < messages; ++i) {
    const T message = random_message<T>(rng);
    const Bytes encoded = wire::encode(message);
    ASSERT_TRUE(wire::validate(encoded)) << wire::validate(encoded).error().message;
    const auto decoded = wire::decode<T>(encoded);
    ASSERT_TRUE(decoded) << decoded.error().message;
    ASSERT_TRUE(*decoded == message) << to_hex(encoded);
  }
}

}  // namespace ekiden::test
