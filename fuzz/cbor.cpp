// The CBOR decoder against a naive one: both accept the same bytes, and what is accepted comes back as the same bytes,
// whether it is skipped, read as a tree, or read item by item with the typed readers.
#include "wire/cbor.hpp"

#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "tests/support/cbor_reference.hpp"
#include "wire/value.hpp"

namespace {

using namespace ekiden;
using wire::Decoder;
using wire::Encoder;
using wire::Kind;

/// Reads the next head or scalar and writes it again. The containers are the decoder's to count.
Status copy_item(Decoder& in, Encoder& out) {
  EKIDEN_ASSIGN(const Kind kind, in.peek());
  switch (kind) {
    case Kind::unsigned_integer: {
      EKIDEN_ASSIGN(const auto value, in.unsigned_integer());
      out.unsigned_integer(value);
      return {};
    }
    case Kind::negative_integer: {
      EKIDEN_ASSIGN(const auto value, in.negative_integer());
      out.negative_integer(value);
      return {};
    }
    case Kind::bytes: {
      EKIDEN_ASSIGN(const auto value, in.bytes());
      out.bytes(value);
      return {};
    }
    case Kind::text: {
      EKIDEN_ASSIGN(const auto value, in.text());
      out.text(value);
      return {};
    }
    case Kind::array: {
      EKIDEN_ASSIGN(const auto count, in.array());
      out.array(count);
      return {};
    }
    case Kind::map: {
      EKIDEN_ASSIGN(const auto count, in.map());
      out.map(count);
      return {};
    }
    case Kind::tag: {
      EKIDEN_ASSIGN(const auto number, in.tag());
      out.tag(number);
      return {};
    }
    case Kind::simple: {
      EKIDEN_ASSIGN(const auto value, in.simple());
      out.simple(value);
      return {};
    }
    case Kind::floating: {
      EKIDEN_ASSIGN(const auto bits, in.floating());
      out.floating(bits);
      return {};
    }
  }
  CHECK(false);
}

Status copy_all(ByteView bytes, Bytes& copy) {
  Decoder in(bytes);
  Encoder out(copy);
  while (!in.finish()) {
    CHECK(in.depth() <= wire::kMaxDepth && in.position() <= bytes.size());
    EKIDEN_TRY(copy_item(in, out));
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const bool expected = test::CborReference::accepts(bytes);
  CHECK(wire::validate(bytes).has_value() == expected);
  Bytes copy;
  CHECK(copy_all(bytes, copy).has_value() == expected);
  CHECK(!expected || copy == to_bytes(bytes));
  const auto value = wire::decode_value(bytes);
  CHECK(value.has_value() == expected);
  if (!value) return 0;
  CHECK(wire::encode_value(*value) == to_bytes(bytes));
  CHECK(wire::to_diagnostic(*value, 64).size() < 1024);
  return 0;
}
