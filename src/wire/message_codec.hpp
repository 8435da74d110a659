// How described members become CBOR and back: one function for each direction, one branch for each kind of type. Used
// through wire/message.hpp only.
//
// Inputs: a value, or a decoder at the start of an item; outputs: bytes, or the value in place. Bounds: those of the
// description; recursion follows the nesting of the C++ types, so it is as deep as the message is written, not as deep
// as a peer wants. After an error the value is partly filled and must be dropped, which wire::decode does.
//
// Decoding writes into the member in place rather than returning it: a message is built once, not moved through every
// level. A new kind of member is one more branch in encode_value and in decode_value, in the same order in both.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "wire/cbor.hpp"
#include "wire/field.hpp"

namespace ekiden::wire {

/// A struct that lists its fields.
template <class T>
concept Described = requires {
  T::kFields;
  T::kName;
};

namespace detail {

template <class T>
inline constexpr bool kIsByteArray = false;
template <std::size_t N>
inline constexpr bool kIsByteArray<ByteArray<N>> = true;

template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = !std::is_same_v<T, Byte>;

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

/// Keys and ids: an aggregate around a byte array.
template <class T>
concept WrapsBytes = requires(T value) { requires kIsByteArray<decltype(value.bytes)>; };

/// Wrapped bytes with rules of their own.
template <class T>
concept FromBytes = WrapsBytes<T> && requires(ByteView view) {
  { T::from_bytes(view) } -> std::same_as<Result<T>>;
};

/// Types that travel in their text form.
template <class T>
concept TextForm = requires(const T& value, std::string_view text) {
  { value.text() } -> std::same_as<std::string>;
  { T::parse(text) } -> std::same_as<Result<T>>;
  { T::kWireTextMax } -> std::convertible_to<std::size_t>;
};

template <class>
inline constexpr bool kUnsupported = false;

template <Described T>
void encode_struct(Encoder& out, const T& message);
template <Described T>
Status decode_struct(Decoder& in, T& message);

// Encoding. -----------------------------------------------------------------------------------------------------------

/// Writes one value. The CHECKs guard our own promise to write nothing that the description forbids: peers would refuse
/// it, and it would be found far from where it was made.
template <class T>
void encode_value(Encoder& out, const T& value, const Limits& limits) {
  if constexpr (std::is_same_v<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_enum_v<T>) {
    CHECK(static_cast<std::uint64_t>(value) <= limits.max_enum);
    out.unsigned_integer(static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_unsigned_v<T>) {
    out.unsigned_integer(value);
  } else if constexpr (std::is_integral_v<T>) {
    out.integer(value);
  } else if constexpr (std::is_same_v<T, WallTime>) {
    out.unsigned_integer(to_unix_ms(value));
  } else if constexpr (std::is_same_v<T, Bytes> || std::is_same_v<T, ByteView>) {
    CHECK(value.size() <= limits.max_size);
    out.bytes(value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    CHECK(value.size() <= limits.max_size);
    out.text(value);
  } else if constexpr (kIsByteArray<T>) {
    out.bytes(value);
  } else if constexpr (WrapsBytes<T>) {
    out.bytes(value.bytes);
  } else if constexpr (TextForm<T>) {
    out.text(value.text());
  } else if constexpr (kIsVector<T>) {
    CHECK(value.size() <= limits.max_count);
    out.array(value.size());
    for (const auto& element : value) encode_value(out, element, limits);
  } else if constexpr (Described<T>) {
    encode_struct(out, value);
  } else {
    static_assert(kUnsupported<T>, "a field of this type cannot travel; see wire/message.hpp");
  }
}

/// Writes key and value, or nothing for an empty optional.
template <class T, class F>
void encode_field(Encoder& out, const T& message, const F& field) {
  const auto& value = message.*field.member;
  if constexpr (F::kIsOptional) {
    if (!value) return;
    out.unsigned_integer(F::kKey);
    encode_value(out, *value, field.limits);
  } else {
    out.unsigned_integer(F::kKey);
    encode_value(out, value, field.limits);
  }
}

template <class T, class F>
bool is_present(const T& message, const F& field) {
  if constexpr (F::kIsOptional) {
    return (message.*field.member).has_value();
  } else {
    return true;
  }
}

template <Described T>
void encode_struct(Encoder& out, const T& message) {
  std::apply(
      [&](const auto&... field) {
        out.map((std::size_t{0} + ... + std::size_t{is_present(message, field)}));
        (encode_field(out, message, field), ...);
      },
      T::kFields);
}

// Decoding. -----------------------------------------------------------------------------------------------------------

/// Out of line, so that each message does not carry its own copy of the sentences.
std::unexpected<Error> number_out_of_range();
std::unexpected<Error> unknown_enum_value(std::uint64_t value);
std::unexpected<Error> wrong_size(std::size_t found, std::size_t expected);
std::unexpected<Error> missing_field(std::string_view message, std::string_view field);
std::unexpected<Error> in_field(std::string_view message, std::string_view field, Error error);

/// Narrow types are read wide and checked: a value that does not fit must not become another one.
template <class T>
Status decode_integer(Decoder& in, T& out) {
  if constexpr (std::is_unsigned_v<T>) {
    EKIDEN_ASSIGN(const std::uint64_t number, in.unsigned_integer());
    if (number > std::numeric_limits<T>::max()) return number_out_of_range();
    out = static_cast<T>(number);
  } else {
    EKIDEN_ASSIGN(const std::int64_t number, in.integer());
    if (number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max()) return number_out_of_range();
    out = static_cast<T>(number);
  }
  return {};
}

/// Values are dense from 0, so that everything up to the maximum is an enumerator.
template <class T>
Status decode_enum(Decoder& in, T& out, const Limits& limits) {
  EKIDEN_ASSIGN(const std::uint64_t number, in.unsigned_integer());
  if (number > limits.max_enum) return unknown_enum_value(number);
  out = static_cast<T>(number);
  return {};
}

/// Keys and ids: exactly N bytes.
template <std::size_t N>
Status decode_array(Decoder& in, ByteArray<N>& out) {
  EKIDEN_ASSIGN(const ByteView view, in.bytes());
  if (view.size() != N) return wrong_size(view.size(), N);
  out = take_array<N>(view);
  return {};
}

template <class T>
Status decode_value(Decoder& in, T& out, const Limits& limits);

/// Grows element by element: a count alone, although bounded, reserves nothing.
template <class T>
Status decode_list(Decoder& in, std::vector<T>& out, const Limits& limits) {
  EKIDEN_ASSIGN(const std::size_t count, in.array(limits.max_count));
  for (std::size_t i = 0; i < count; ++i) {
    T element{};
    EKIDEN_TRY(decode_value(in, element, limits));
    out.push_back(std::move(element));
  }
  return {};
}

/// Reads one value, the mirror image of encode_value.
template <class T>
Status decode_value(Decoder& in, T& out, const Limits& limits) {
  if constexpr (std::is_same_v<T, bool>) {
    EKIDEN_ASSIGN(out, in.boolean());
  } else if constexpr (std::is_enum_v<T>) {
    return decode_enum(in, out, limits);
  } else if constexpr (std::is_integral_v<T>) {
    return decode_integer(in, out);
  } else if constexpr (std::is_same_v<T, WallTime>) {
    EKIDEN_ASSIGN(const std::uint64_t milliseconds, in.unsigned_integer());
    out = from_unix_ms(milliseconds);
  } else if constexpr (std::is_same_v<T, Bytes>) {
    EKIDEN_ASSIGN(const ByteView view, in.bytes(limits.max_size));
    out.assign(view.begin(), view.end());
  } else if constexpr (std::is_same_v<T, ByteView>) {
    EKIDEN_ASSIGN(out, in.bytes(limits.max_size));
  } else if constexpr (std::is_same_v<T, std::string>) {
    EKIDEN_ASSIGN(out, in.text(limits.max_size));
  } else if constexpr (kIsByteArray<T>) {
    return decode_array(in, out);
  } else if constexpr (FromBytes<T>) {
    EKIDEN_ASSIGN(const ByteView view, in.bytes(sizeof(out.bytes)));
    EKIDEN_ASSIGN(out, T::from_bytes(view));
  } else if constexpr (WrapsBytes<T>) {
    return decode_array(in, out.bytes);
  } else if constexpr (TextForm<T>) {
    EKIDEN_ASSIGN(const std::string_view text, in.text(T::kWireTextMax));
    EKIDEN_ASSIGN(out, T::parse(text));
  } else if constexpr (kIsVector<T>) {
    return decode_list(in, out, limits);
  } else if constexpr (Described<T>) {
    return decode_struct(in, out);
  } else {
    static_assert(kUnsupported<T>, "a field of this type cannot travel; see wire/message.hpp");
  }
  return {};
}

/// Reads the value of a known key; an error says which field of which message it was in.
template <class T, class F>
Status decode_field(Decoder& in, T& message, const F& field) {
  auto& member = message.*field.member;
  Status status;
  if constexpr (F::kIsOptional) {
    status = decode_value(in, member.emplace(), field.limits);
  } else {
    status = decode_value(in, member, field.limits);
  }
  if (!status) return in_field(T::kName, field.name, std::move(status).error());
  return status;
}

/// Reads one pair of the map: the field with that key, or something newer than this build.
template <Described T>
Status decode_pair(Decoder& in, T& message, std::uint32_t& seen) {
  EKIDEN_ASSIGN(const Kind kind, in.peek());
  if (kind != Kind::unsigned_integer) {
    EKIDEN_TRY(in.skip());
    return in.skip();
  }
  EKIDEN_ASSIGN(const std::uint64_t key, in.unsigned_integer());
  Status status;
  const auto read = [&](const auto& field) {
    if (field.kKey != key) return false;
    seen |= std::uint32_t{1} << key;
    status = decode_field(in, message, field);
    return true;
  };
  const bool known = std::apply([&](const auto&... field) { return (read(field) || ...); }, T::kFields);
  return known ? std::move(status) : in.skip();
}

/// Reads a whole map. The decoder has refused repeated keys, so each field is read at most once; `seen` has a bit for
/// each key, to find what is missing.
template <Described T>
Status decode_struct(Decoder& in, T& message) {
  auto pairs = in.map();
  if (!pairs) return fail(T::kName, std::move(pairs).error());
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < *pairs; ++i) {
    EKIDEN_TRY(decode_pair(in, message, seen));
  }
  std::string_view missing;
  const auto require = [&](const auto& field) {
    if (!field.kIsOptional && (seen >> field.kKey & 1) == 0) missing = field.name;
    return missing.empty();
  };
  std::apply([&](const auto&... field) { return (require(field) && ...); }, T::kFields);
  if (!missing.empty()) return missing_field(T::kName, missing);
  return {};
}

}  // namespace detail
}  // namespace ekiden::wire
