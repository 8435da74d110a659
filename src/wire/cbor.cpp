#include "wire/cbor.hpp"

#include <string>
#include <utility>

#include "base/check.hpp"
#include "base/encoding.hpp"
#include "wire/float_bits.hpp"

namespace ekiden::wire {
namespace {

// Additional information (RFC 8949 section 3): up to 23 the argument itself, then its width.
constexpr std::uint8_t kOneByte = 24;
constexpr std::uint8_t kTwoBytes = 25;
constexpr std::uint8_t kFourBytes = 26;
constexpr std::uint8_t kEightBytes = 27;
constexpr std::uint8_t kIndefinite = 31;

constexpr std::uint64_t kTagDateText = 0;
constexpr std::uint64_t kTagDateNumber = 1;
constexpr std::uint64_t kTagBigPositive = 2;
constexpr std::uint64_t kTagBigNegative = 3;

/// The shortest width that holds the argument.
constexpr std::uint8_t info_for(std::uint64_t argument) {
  if (argument < kOneByte) return static_cast<std::uint8_t>(argument);
  if (argument <= UINT8_MAX) return kOneByte;
  if (argument <= UINT16_MAX) return kTwoBytes;
  return argument <= UINT32_MAX ? kFourBytes : kEightBytes;
}

constexpr std::size_t argument_size(std::uint8_t info) {
  return info < kOneByte ? 0 : std::size_t{1} << (info - kOneByte);
}

constexpr Kind kind_of(Byte initial) {
  const auto major = static_cast<std::uint8_t>(initial >> 5);
  const auto info = static_cast<std::uint8_t>(initial & 31);
  if (major < 7) return static_cast<Kind>(major);
  return info >= kTwoBytes && info <= kEightBytes ? Kind::floating : Kind::simple;
}

/// Of a fixed size, so that no loop writes single bytes, which would be slow to read back in one piece.
template <class T>
void append_head(Bytes& out, Byte initial, T argument) {
  std::array<Byte, 1 + sizeof(T)> head{initial};
  put_be(MutableBytes(head).subspan(1), argument);
  append(out, head);
}

void append_head(Bytes& out, std::uint8_t major, std::uint8_t info, std::uint64_t argument) {
  const auto initial = static_cast<Byte>(major << 5 | info);
  switch (info) {
    case kOneByte:
      return append_head(out, initial, static_cast<std::uint8_t>(argument));
    case kTwoBytes:
      return append_head(out, initial, static_cast<std::uint16_t>(argument));
    case kFourBytes:
      return append_head(out, initial, static_cast<std::uint32_t>(argument));
    case kEightBytes:
      return append_head(out, initial, argument);
    default:
      return out.push_back(initial);
  }
}

Error over_limit(std::string_view what, std::size_t found, std::size_t limit) {
  return {Errc::too_large,
          std::string(what) + " has " + std::to_string(found) + ", at most " + std::to_string(limit) + " are allowed"};
}

}  // namespace

std::string_view kind_name(Kind kind) {
  constexpr std::array<std::string_view, 9> kNames = {
      "unsigned integer", "negative integer", "byte string", "text", "array", "map", "tag", "simple value", "float"};
  return kNames[static_cast<std::size_t>(kind)];
}

// Encoder -------------------------------------------------------------------------------------------------------------

void Encoder::head(std::uint8_t major, std::uint64_t argument) {
  append_head(out_, major, info_for(argument), argument);
}

void Encoder::integer(std::int64_t value) {
  if (value >= 0) return unsigned_integer(static_cast<std::uint64_t>(value));
  negative_integer(~static_cast<std::uint64_t>(value));
}

void Encoder::bytes(ByteView value) {
  head(2, value.size());
  append(out_, value);
}

void Encoder::text(std::string_view value) {
  head(3, value.size());
  append(out_, as_bytes(value));
}

void Encoder::simple(std::uint8_t value) {
  CHECK(value < kOneByte || value > kIndefinite);
  head(7, value);
}

void Encoder::floating(std::uint64_t binary64_bits) {
  if (const auto half = half_from_double(binary64_bits)) return append_head(out_, 7, kTwoBytes, *half);
  if (const auto single = single_from_double(binary64_bits)) return append_head(out_, 7, kFourBytes, *single);
  append_head(out_, 7, kEightBytes, binary64_bits);
}

// Decoder: heads ------------------------------------------------------------------------------------------------------

/// What fails says why in `error_` and returns false: a Result for each of the many small steps would cost more than
/// the steps.
bool Decoder::refuse(Error why) {
  error_ = std::move(why);
  return false;
}

bool Decoder::malformed(std::string_view what) {
  return refuse({Errc::malformed, std::string(what) + " at byte " + std::to_string(item_)});
}

Result<Kind> Decoder::peek() const {
  if (left() == 0) return fail(Errc::malformed, "the input ends too early at byte " + std::to_string(position_));
  return kind_of(input_[position_]);
}

bool Decoder::take_head(Head& head) {
  item_ = position_;
  if (done_) return malformed("a second item, where one is expected,");
  if (left() == 0) return malformed("the input ends too early");
  if (depth_ > 0) {
    Level& level = levels_[depth_ - 1];
    if (level.is_map && level.remaining % 2 == 0) level.key_begin = position_;
  }
  const Byte initial = input_[position_++];
  head.kind = kind_of(initial);
  head.info = static_cast<std::uint8_t>(initial & 31);
  head.argument = head.info;
  if (head.info >= kOneByte && !take_argument(head)) return false;
  return content_of_ == kNotATag || check_tag_content(head);
}

/// Of an item whose argument is not in its first byte.
bool Decoder::take_argument(Head& head) {
  if (head.info == kIndefinite) return malformed("an indefinite length or a break, which are not allowed,");
  if (head.info > kEightBytes) return malformed("a reserved length code");
  const std::size_t size = argument_size(head.info);
  if (left() < size) return malformed("the input ends inside the item");
  head.argument = 0;
  for (std::size_t i = 0; i < size; ++i) head.argument = head.argument << 8 | input_[position_++];
  return check_argument(head);
}

bool Decoder::take_head(Kind expected, Head& head) {
  if (!take_head(head)) return false;
  if (head.kind == expected) return true;
  return malformed("expected " + std::string(kind_name(expected)) + ", found " + std::string(kind_name(head.kind)));
}

/// Shortest forms only.
bool Decoder::check_argument(const Head& head) {
  if (head.kind == Kind::floating) {
    const bool shortest = head.info == kTwoBytes ||
                          (head.info == kFourBytes && !half_from_double(double_from_single(head.argument))) ||
                          (head.info == kEightBytes && !single_from_double(head.argument));
    return shortest || malformed("a float that is not in its shortest form");
  }
  if (head.kind == Kind::simple) {
    return head.argument > kIndefinite || malformed("a reserved simple value");
  }
  return info_for(head.argument) == head.info || malformed("a number that is not in its shortest form");
}

/// The content that RFC 8949 section 3.4 asks for; big numbers must be too big for plain integers and start with a
/// digit.
bool Decoder::check_tag_content(const Head& head) {
  const bool is_number =
      head.kind == Kind::unsigned_integer || head.kind == Kind::negative_integer || head.kind == Kind::floating;
  switch (content_of_) {
    case kTagDateText:
      return head.kind == Kind::text || malformed("a date (tag 0) that is not text");
    case kTagDateNumber:
      return is_number || malformed("a date (tag 1) that is not a number");
    case kTagBigPositive:
    case kTagBigNegative:
      if (head.kind != Kind::bytes) return malformed("a big number that is not a byte string");
      if (head.argument <= sizeof(std::uint64_t) || left() == 0 || input_[position_] == 0) {
        return malformed("a big number that is not in its shortest form");
      }
      return true;
    default:
      return true;
  }
}

// Decoder: containers -------------------------------------------------------------------------------------------------

/// Opens an array, a map or a tag, whose head was just read.
bool Decoder::open(const Head& head) {
  content_of_ = head.kind == Kind::tag ? head.argument : kNotATag;
  const bool is_map = head.kind == Kind::map;
  const std::uint64_t count = head.kind == Kind::tag ? 1 : head.argument;
  if (count > (is_map ? left() / 2 : left())) return malformed("more elements announced than bytes remain");
  if (depth_ == kMaxDepth) {
    return refuse({Errc::too_large,
                   "nested deeper than " + std::to_string(kMaxDepth) + " levels at byte " + std::to_string(item_)});
  }
  if (count == 0) return complete_item();
  const std::size_t remaining = static_cast<std::size_t>(count) * (is_map ? 2 : 1);
  levels_[depth_++] = {remaining, position_, 0, 0, is_map};
  return true;
}

/// An item is complete; so are the containers whose last member it was.
bool Decoder::complete_item() {
  while (depth_ > 0) {
    Level& level = levels_[depth_ - 1];
    if (level.is_map && level.remaining % 2 == 0 && !complete_key(level)) return false;
    if (--level.remaining > 0) return true;
    --depth_;
  }
  done_ = true;
  return true;
}

/// An item without members is complete; it was the content of the tag before it, if there was one.
bool Decoder::complete_scalar() {
  content_of_ = kNotATag;
  return complete_item();
}

bool Decoder::complete_key(Level& level) {
  const auto encoded = [&](std::size_t begin, std::size_t end) { return as_text(input_.subspan(begin, end - begin)); };
  const bool is_first = level.last_key_end == 0;
  // Of nearly all keys the first byte decides.
  if (!is_first && input_[level.key_begin] <= input_[level.last_key_begin]) {
    const std::string_view key = encoded(level.key_begin, position_);
    const std::string_view last = encoded(level.last_key_begin, level.last_key_end);
    if (key == last) return malformed("a map key that was there before");
    if (key < last) return malformed("a map key out of order");
  }
  level.last_key_begin = level.key_begin;
  level.last_key_end = position_;
  return true;
}

bool Decoder::take_scalar(Kind expected, Head& head) { return take_head(expected, head) && complete_scalar(); }

Status Decoder::finish() const {
  if (depth_ > 0 || !done_) {
    return fail(Errc::malformed, "the item is not complete at byte " + std::to_string(position_));
  }
  if (left() > 0) return fail(Errc::malformed, std::to_string(left()) + " bytes too many after the item");
  return {};
}

// Decoder: items ------------------------------------------------------------------------------------------------------

Result<std::uint64_t> Decoder::unsigned_integer() {
  Head head;
  if (!take_scalar(Kind::unsigned_integer, head)) [[unlikely]]
    return failure();
  return head.argument;
}

Result<std::uint64_t> Decoder::negative_integer() {
  Head head;
  if (!take_scalar(Kind::negative_integer, head)) return failure();
  return head.argument;
}

Result<std::int64_t> Decoder::integer() {
  EKIDEN_ASSIGN(const Kind kind, peek());
  const bool negative = kind == Kind::negative_integer;
  EKIDEN_ASSIGN(const std::uint64_t number, negative ? negative_integer() : unsigned_integer());
  if (number > INT64_MAX) {
    malformed("an integer that does not fit 64 bits");
    return failure();
  }
  return static_cast<std::int64_t>(negative ? ~number : number);
}

bool Decoder::take_string(const Head& head, std::size_t max_size, ByteView& out) {
  if (head.argument > left()) return malformed("a string longer than the bytes that remain");
  const auto size = static_cast<std::size_t>(head.argument);
  if (size > max_size) return refuse(over_limit("the number of bytes of the string", size, max_size));
  out = input_.subspan(position_, size);
  if (head.kind == Kind::text && !is_utf8(out)) return malformed("text that is not UTF-8");
  position_ += size;
  return complete_scalar();
}

Result<ByteView> Decoder::bytes(std::size_t max_size) {
  Head head;
  ByteView view;
  if (!take_head(Kind::bytes, head) || !take_string(head, max_size, view)) [[unlikely]]
    return failure();
  return view;
}

Result<std::string_view> Decoder::text(std::size_t max_size) {
  Head head;
  ByteView view;
  if (!take_head(Kind::text, head) || !take_string(head, max_size, view)) [[unlikely]]
    return failure();
  return as_text(view);
}

Result<std::uint8_t> Decoder::simple() {
  Head head;
  if (!take_scalar(Kind::simple, head)) return failure();
  return static_cast<std::uint8_t>(head.argument);
}

Result<bool> Decoder::boolean() {
  EKIDEN_ASSIGN(const std::uint8_t value, simple());
  if (value == 20 || value == 21) return value == 21;
  malformed("expected true or false, found another simple value");
  return failure();
}

Status Decoder::null() {
  EKIDEN_ASSIGN(const std::uint8_t value, simple());
  if (value == 22) return {};
  malformed("expected null, found another simple value");
  return failure();
}

Result<std::uint64_t> Decoder::floating() {
  Head head;
  if (!take_scalar(Kind::floating, head)) return failure();
  if (head.info == kTwoBytes) return double_from_half(head.argument);
  return head.info == kFourBytes ? double_from_single(head.argument) : head.argument;
}

/// `what` is counted.
Result<std::size_t> Decoder::container(Kind kind, std::size_t max_count, std::string_view what) {
  Head head;
  if (!take_head(kind, head) || !open(head)) [[unlikely]]
    return failure();
  const auto count = static_cast<std::size_t>(head.argument);
  if (count <= max_count) return count;
  return std::unexpected(over_limit(what, count, max_count));
}

Result<std::size_t> Decoder::array(std::size_t max_count) {
  return container(Kind::array, max_count, "the number of elements of the array");
}

Result<std::size_t> Decoder::map(std::size_t max_count) {
  return container(Kind::map, max_count, "the number of pairs of the map");
}

Result<std::uint64_t> Decoder::tag() {
  Head head;
  if (!take_head(Kind::tag, head) || !open(head)) return failure();
  return head.argument;
}

/// One item, without the members of a container.
bool Decoder::skip_one() {
  Head head;
  ByteView ignored;
  if (!take_head(head)) return false;
  switch (head.kind) {
    case Kind::array:
    case Kind::map:
    case Kind::tag:
      return open(head);
    case Kind::bytes:
    case Kind::text:
      return take_string(head, SIZE_MAX, ignored);
    default:
      return complete_scalar();
  }
}

Status Decoder::skip() {
  const std::size_t outside = depth_;
  do {
    if (!skip_one()) return failure();
  } while (depth_ > outside);
  return {};
}

Status validate(ByteView bytes) {
  Decoder decoder(bytes);
  EKIDEN_TRY(decoder.skip());
  return decoder.finish();
}

}  // namespace ekiden::wire
