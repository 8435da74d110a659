#include "session/header.hpp"

#include <string>
#include <utility>

#include "crypto/aead.hpp"

namespace ekiden::session {
namespace {

enum class Kind : Byte { ordinary = 1, initial = 2 };

/// Takes fields off the front. The size was checked before for all of them.
class Reader {
 public:
  explicit Reader(ByteView rest) : rest_(rest) {}

  ByteView bytes(std::size_t size) {
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  template <class Key>
  Key key() {
    return Key{take_array<Key::kSize>(bytes(Key::kSize))};
  }
  template <class Integer>
  Integer integer() {
    return get_be<Integer>(bytes(sizeof(Integer)));
  }

 private:
  ByteView rest_;
};

}  // namespace

void append_header(const Header& header, Bytes& out) {
  out.push_back(static_cast<Byte>(header.initiation ? Kind::initial : Kind::ordinary));
  append(out, header.session.bytes);
  append(out, header.position.ratchet.view());
  append_be(out, header.position.previous);
  append_be(out, header.position.number);
  append_be(out, header.position.sequence);
  if (!header.initiation) return;
  append(out, header.initiation->ephemeral.view());
  append_be(out, header.initiation->prekey);
  append_be(out, header.initiation->generation);
  append(out, header.initiation->sender.view());
}

Result<SealedView> parse_sealed(ByteView sealed) {
  if (sealed.empty()) return fail(Errc::malformed, "a sealed message is empty");
  const auto kind = static_cast<Kind>(sealed[0]);
  if (kind != Kind::ordinary && kind != Kind::initial) {
    return fail(Errc::unsupported,
                "a sealed message is of kind " + std::to_string(sealed[0]) + ", which this version does not know");
  }
  const std::size_t header_size = kind == Kind::initial ? kInitialHeaderSize : kOrdinaryHeaderSize;
  if (sealed.size() < header_size + crypto::kTagSize) {
    return fail(Errc::malformed, "a sealed message has " + std::to_string(sealed.size()) + " bytes, too few for its " +
                                     "header and tag");
  }
  SealedView view{.header = {}, .header_bytes = sealed.first(header_size), .ciphertext = sealed.subspan(header_size)};
  Reader in(view.header_bytes.subspan(1));
  EKIDEN_ASSIGN(view.header.session, Uuid::from_bytes(in.bytes(16)));
  Position& position = view.header.position;
  position.ratchet = in.key<crypto::X25519PublicKey>();
  position.previous = in.integer<std::uint32_t>();
  position.number = in.integer<std::uint32_t>();
  position.sequence = in.integer<std::uint64_t>();
  if (kind == Kind::initial) {
    Initiation& initiation = view.header.initiation.emplace();
    initiation.ephemeral = in.key<crypto::X25519PublicKey>();
    initiation.prekey = in.integer<std::uint32_t>();
    initiation.generation = in.integer<std::uint32_t>();
    initiation.sender = in.key<crypto::Ed25519PublicKey>();
  }
  return view;
}

}  // namespace ekiden::session
