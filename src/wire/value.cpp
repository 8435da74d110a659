#include "wire/value.hpp"

#include "base/encoding.hpp"
#include "wire/cbor.hpp"

namespace ekiden::wire {
namespace {

Result<Value> read(Decoder& in);

/// Recursion is bounded by the decoder, which opens at most kMaxDepth containers.
Result<Value> read_array(Decoder& in) {
  EKIDEN_ASSIGN(const std::size_t count, in.array());
  Array out;
  for (std::size_t i = 0; i < count; ++i) {
    EKIDEN_ASSIGN(Value element, read(in));
    out.push_back(std::move(element));
  }
  return Value{std::move(out)};
}

Result<Value> read_map(Decoder& in) {
  EKIDEN_ASSIGN(const std::size_t count, in.map());
  Map out;
  for (std::size_t i = 0; i < count; ++i) {
    EKIDEN_ASSIGN(Value key, read(in));
    EKIDEN_ASSIGN(Value value, read(in));
    out.emplace_back(std::move(key), std::move(value));
  }
  return Value{std::move(out)};
}

Result<Value> read_tagged(Decoder& in) {
  Tagged out;
  EKIDEN_ASSIGN(out.tag, in.tag());
  EKIDEN_ASSIGN(Value content, read(in));
  out.content.push_back(std::move(content));
  return Value{std::move(out)};
}

template <class Wrap, class T>
Result<Value> wrapped(Result<T> result) {
  if (!result) return std::unexpected(std::move(result).error());
  return Value{Wrap{*result}};
}

Result<Value> read(Decoder& in) {
  EKIDEN_ASSIGN(const Kind kind, in.peek());
  switch (kind) {
    case Kind::unsigned_integer:
      return wrapped<std::uint64_t>(in.unsigned_integer());
    case Kind::negative_integer:
      return wrapped<Negative>(in.negative_integer());
    case Kind::bytes: {
      EKIDEN_ASSIGN(const ByteView view, in.bytes());
      return Value{to_bytes(view)};
    }
    case Kind::text:
      return wrapped<std::string>(in.text());
    case Kind::array:
      return read_array(in);
    case Kind::map:
      return read_map(in);
    case Kind::tag:
      return read_tagged(in);
    case Kind::simple:
      return wrapped<Simple>(in.simple());
    case Kind::floating:
      return wrapped<Floating>(in.floating());
  }
  return fail(Errc::internal, "a kind of CBOR item that does not exist");
}

class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}

  void operator()(std::uint64_t value) { out_.unsigned_integer(value); }
  void operator()(Negative value) { out_.negative_integer(value.n); }
  void operator()(const Bytes& value) { out_.bytes(value); }
  void operator()(const std::string& value) { out_.text(value); }
  void operator()(Simple value) { out_.simple(value.value); }
  void operator()(Floating value) { out_.floating(value.bits); }
  void operator()(const Array& value) {
    out_.array(value.size());
    for (const Value& element : value) std::visit(*this, element.of);
  }
  void operator()(const Map& value) {
    out_.map(value.size());
    for (const auto& [key, element] : value) {
      std::visit(*this, key.of);
      std::visit(*this, element.of);
    }
  }
  void operator()(const Tagged& value) {
    out_.tag(value.tag);
    for (const Value& content : value.content) std::visit(*this, content.of);
  }

 private:
  Encoder out_;
};

/// Prints a value until the text has its size.
class Printer {
 public:
  explicit Printer(std::size_t max_size) : max_size_(max_size) {}

  void operator()(std::uint64_t value) { text_ += std::to_string(value); }
  void operator()(Negative value) {
    // -1 - n; the largest n has no 64-bit successor.
    text_ += value.n == UINT64_MAX ? std::string("-18446744073709551616") : "-" + std::to_string(value.n + 1);
  }
  void operator()(const Bytes& value) {
    const std::size_t shown = value.size() < max_size_ ? value.size() : max_size_;
    text_ += "h'" + to_hex(ByteView(value).first(shown)) + "'";
  }
  void operator()(const std::string& value) {
    text_ += '"';
    for (const char c : value) {
      if (full()) break;
      const auto byte = static_cast<Byte>(c);
      if (c == '"' || c == '\\') {
        text_ += std::string("\\") + c;
      } else if (byte < 0x20 || byte == 0x7f) {
        text_ += "\\u00" + to_hex(ByteView(&byte, 1));
      } else {
        text_ += c;
      }
    }
    text_ += '"';
  }
  void operator()(Simple value) {
    constexpr std::string_view kNames[] = {"false", "true", "null", "undefined"};
    text_ += value.value >= 20 && value.value <= 23 ? std::string(kNames[value.value - 20])
                                                    : "simple(" + std::to_string(value.value) + ")";
  }
  void operator()(Floating value) {
    Bytes bits;
    append_be(bits, value.bits);
    text_ += "float'" + to_hex(bits) + "'";
  }
  void operator()(const Array& value) {
    list('[', ']', value, [this](const Value& element) { std::visit(*this, element.of); });
  }
  void operator()(const Map& value) {
    list('{', '}', value, [this](const auto& pair) {
      std::visit(*this, pair.first.of);
      text_ += ": ";
      std::visit(*this, pair.second.of);
    });
  }
  void operator()(const Tagged& value) {
    text_ += std::to_string(value.tag) + "(";
    for (const Value& content : value.content) std::visit(*this, content.of);
    text_ += ")";
  }

  std::string take() {
    if (text_.size() > max_size_) {
      text_.resize(max_size_);
      text_ += "...";
    }
    return std::move(text_);
  }

 private:
  bool full() const { return text_.size() > max_size_; }

  template <class Items, class Print>
  void list(char open, char close, const Items& items, Print print) {
    text_ += open;
    for (std::size_t i = 0; i < items.size() && !full(); ++i) {
      if (i > 0) text_ += ", ";
      print(items[i]);
    }
    text_ += close;
  }

  std::string text_;
  std::size_t max_size_;
};

}  // namespace

bool operator==(const Tagged& a, const Tagged& b) { return a.tag == b.tag && a.content == b.content; }
bool operator==(const Value& a, const Value& b) { return a.of == b.of; }

Result<Value> decode_value(ByteView bytes) {
  Decoder decoder(bytes);
  EKIDEN_ASSIGN(Value value, read(decoder));
  EKIDEN_TRY(decoder.finish());
  return value;
}

Bytes encode_value(const Value& value) {
  Bytes out;
  std::visit(Writer(out), value.of);
  return out;
}

std::string to_diagnostic(const Value& value, std::size_t max_size) {
  Printer printer(max_size);
  std::visit(printer, value.of);
  return printer.take();
}

}  // namespace ekiden::wire
