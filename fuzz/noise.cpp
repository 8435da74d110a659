// Noise handshakes, IK and XX, between two states whose messages the input changes on the way. The model: unchanged,
// both finish with the same hash and ciphers that fit; changed anywhere, they never do.
#include "noise/noise.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/check.hpp"

namespace {

using namespace ekiden;
using noise::HandshakeState;
using noise::Pattern;

/// The input, taken byte by byte; zeros when it is used up.
class Script {
 public:
  explicit Script(ByteView bytes) : rest_(bytes) {}

  Byte next() {
    if (rest_.empty()) return 0;
    const Byte first = rest_[0];
    rest_ = rest_.subspan(1);
    return first;
  }
  ByteView take(std::size_t size) {
    const auto taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  ByteView rest_;
};

crypto::X25519KeyPair key(Byte number) {
  ByteArray<32> entropy{};
  entropy.fill(number);
  return crypto::X25519KeyPair::from_secret(crypto::X25519SecretKey(entropy));
}

HandshakeState make_state(Pattern pattern, bool initiator, ByteView prologue) {
  static const auto initiator_key = key(1);
  static const auto responder_key = key(2);
  ByteArray<32> ephemeral{};
  ephemeral.fill(initiator ? 3 : 4);
  const bool knows = pattern == Pattern::ik && initiator;
  return HandshakeState({.pattern = pattern,
                         .initiator = initiator,
                         .prologue = prologue,
                         .static_key = initiator ? initiator_key : responder_key,
                         .ephemeral_entropy = ephemeral,
                         .remote_static = knows ? std::optional(responder_key.public_key) : std::nullopt});
}

/// True if it changed the message.
bool change(Script& script, Bytes& message) {
  const Bytes original = message;
  switch (script.next() % 5) {
    case 1:
      message.resize(message.size() * script.next() / 256);
      break;
    case 2:
      message[script.next() * message.size() / 256] ^= script.next();
      break;
    case 3:
      message = to_bytes(script.take(script.next()));
      break;
    case 4:
      append(message, script.take(script.next()));
      break;
    default:
      break;
  }
  return message != original;
}

void check_ciphers(HandshakeState& initiator, HandshakeState& responder) {
  noise::CipherContexts contexts;
  auto left = initiator.split(contexts);
  auto right = responder.split(contexts);
  Bytes sealed(3 + crypto::kTagSize);
  Bytes opened(3);
  CHECK(left.send.encrypt(as_bytes("abc"), sealed));
  CHECK(right.receive.decrypt(sealed, opened) && as_text(opened) == "abc");
  CHECK(!left.receive.decrypt(sealed, opened));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script({data, size});
  const auto setting = script.next();
  const auto pattern = setting % 2 == 0 ? Pattern::ik : Pattern::xx;
  const auto prologue = script.take(setting / 2 % 8);
  auto initiator = make_state(pattern, true, prologue);
  auto responder = make_state(pattern, false, prologue);
  bool changed = false;
  while (!initiator.is_finished() || !responder.is_finished()) {
    auto& from = initiator.is_my_turn() ? initiator : responder;
    auto& to = initiator.is_my_turn() ? responder : initiator;
    const Bytes payload = to_bytes(script.take(script.next()));
    Bytes message;
    if (!from.write_message(payload, message)) {  // A low-order key came before it.
      CHECK(changed);
      return 0;
    }
    changed = change(script, message) || changed;
    const auto read = to.read_message(message);
    CHECK(changed || (read && *read == payload));
    if (!read) return 0;
  }
  CHECK((initiator.handshake_hash() == responder.handshake_hash()) == !changed);
  if (!changed) check_ciphers(initiator, responder);
  return 0;
}
