// The vocabulary in which a message describes its fields. See wire/message.hpp for how to use it.
//
// A field is a key, a name for error messages, a member and its bounds. Everything here is evaluated by the compiler: a
// description costs nothing at run time but its table, and a missing or wrong bound does not compile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/bytes.hpp"

namespace ekiden::wire {

/// Bounds of a field. Which of them apply follows from the type of the member.
struct Limits {
  std::size_t max_size = 0;    ///< Bytes of a byte string or text, also of each one in a list.
  std::size_t max_count = 0;   ///< Elements of a list.
  std::uint64_t max_enum = 0;  ///< The largest value of an enumeration that this build knows.
};

struct MaxSize {
  std::size_t value;
};
struct MaxCount {
  std::size_t value;
};
struct MaxEnum {
  std::uint64_t value;
};

/// At most so many bytes.
consteval MaxSize max_size(std::size_t bytes) { return {bytes}; }
/// At most so many elements.
consteval MaxCount max_count(std::size_t elements) { return {elements}; }
/// The enumerators are 0 to `last` without gaps.
template <class Enum>
consteval MaxEnum max_enum(Enum last) {
  return {static_cast<std::uint64_t>(last)};
}

namespace detail {

/// What is left of a member's type without std::optional and std::vector around it, and which of them there were. Bytes
/// are a string, not a list of numbers.
template <class T>
struct Unwrapped {
  using Type = T;
  static constexpr bool kIsOptional = false;
  static constexpr bool kIsList = false;
};
template <class T>
struct Unwrapped<std::optional<T>> : Unwrapped<T> {
  static constexpr bool kIsOptional = true;
};
template <class T>
struct Unwrapped<std::vector<T>> {
  using Type = typename Unwrapped<T>::Type;
  static constexpr bool kIsOptional = false;
  static constexpr bool kIsList = true;
};
template <>
struct Unwrapped<Bytes> {
  using Type = Bytes;
  static constexpr bool kIsOptional = false;
  static constexpr bool kIsList = false;
};

/// Types whose size a peer chooses.
template <class T>
inline constexpr bool kNeedsMaxSize =
    std::is_same_v<T, Bytes> || std::is_same_v<T, std::string> || std::is_same_v<T, ByteView>;

template <class Rule, class... Rules>
inline constexpr bool kHas = (std::is_same_v<Rule, Rules> || ...);

consteval void apply(Limits& limits, MaxSize rule) { limits.max_size = rule.value; }
consteval void apply(Limits& limits, MaxCount rule) { limits.max_count = rule.value; }
consteval void apply(Limits& limits, MaxEnum rule) { limits.max_enum = rule.value; }

}  // namespace detail

/// One row of a description. The key is part of the type, so that order and uniqueness are checked by the compiler.
template <std::uint64_t Key, class Owner, class Member>
struct Field {
  static constexpr std::uint64_t kKey = Key;
  static constexpr bool kIsOptional = detail::Unwrapped<Member>::kIsOptional;
  using MemberType = Member;

  std::string_view name;
  Member Owner::* member;
  Limits limits;
};

/// Describes one field. Keys are 0 to 23, so that each is one byte; a key is never reused for another meaning.
template <std::uint64_t Key, class Owner, class Member, class... Rules>
consteval Field<Key, Owner, Member> field(std::string_view name, Member Owner::* member, Rules... rules) {
  using Shape = detail::Unwrapped<Member>;
  using Element = typename Shape::Type;
  static_assert(Key <= 23, "keys of fields are 0 to 23");
  static_assert(detail::kNeedsMaxSize<Element> == detail::kHas<MaxSize, Rules...>,
                "byte strings and texts, and only they, need wire::max_size");
  static_assert(Shape::kIsList == detail::kHas<MaxCount, Rules...>, "lists, and only they, need wire::max_count");
  static_assert(std::is_enum_v<Element> == detail::kHas<MaxEnum, Rules...>,
                "enums, and only they, need wire::max_enum");
  Limits limits;
  (detail::apply(limits, rules), ...);
  return {name, member, limits};
}

/// The description of a struct: its fields in ascending order of their keys, which is the order of their encoding.
template <class... Fields>
consteval std::tuple<Fields...> fields(Fields... all) {
  static_assert(sizeof...(Fields) > 0 && sizeof...(Fields) <= 24);
  constexpr std::uint64_t kKeys[] = {Fields::kKey...};
  constexpr bool kAscending = [&] {
    for (std::size_t i = 1; i < sizeof...(Fields); ++i) {
      if (kKeys[i - 1] >= kKeys[i]) return false;
    }
    return true;
  }();
  static_assert(kAscending, "list the fields in ascending order of their keys");
  return {all...};
}

}  // namespace ekiden::wire
