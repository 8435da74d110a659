#include "link/handshake.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "crypto/secret.hpp"

namespace ekiden::link {
namespace {

constexpr std::string_view kMagic = "EKIDEN";
constexpr std::size_t kLengthSize = 2;
constexpr std::size_t kRefusalSize = kLengthSize + 1;

ByteArray<kPreambleSize> make_preamble(noise::Pattern pattern) {
  ByteArray<kPreambleSize> preamble{};
  std::ranges::copy(as_bytes(kMagic), preamble.begin());
  preamble[6] = kLinkFormat;
  preamble[7] = static_cast<Byte>(pattern);
  return preamble;
}

bool starts_like_magic(ByteView bytes) {
  return std::ranges::equal(bytes.first(std::min(bytes.size(), kMagic.size())),
                            as_bytes(kMagic.substr(0, bytes.size())));
}

std::unexpected<Objection> object(CloseReason tell, Error why) {
  return std::unexpected<Objection>(Objection{tell, std::move(why)});
}

}  // namespace

Handshake Handshake::dial(LocalParty& local, const identity::PeerId& wanted,
                          const std::optional<crypto::X25519PublicKey>& noise_key, const ByteArray<32>& entropy,
                          Bytes& out) {
  Handshake handshake(local, entropy);
  handshake.wanted_ = wanted;
  handshake.pattern_ = noise_key ? noise::Pattern::ik : noise::Pattern::xx;
  const auto preamble = make_preamble(handshake.pattern_);
  append(out, preamble);
  handshake.start(preamble, noise_key);
  const Bytes hello = noise_key ? wire::encode(local.hello()) : Bytes();
  // Fails only for a low-order key, and the caller's came from a verified record.
  CHECK(handshake.write_message(hello, out));
  return handshake;
}

Handshake Handshake::accept(LocalParty& local, const ByteArray<32>& entropy) { return Handshake(local, entropy); }

void Handshake::start(ByteView preamble, const std::optional<crypto::X25519PublicKey>& remote) {
  noise::HandshakeState::Setup setup{.pattern = pattern_,
                                     .initiator = is_initiator(),
                                     .prologue = preamble,
                                     .static_key = local_->self.noise_key(),
                                     .ephemeral_entropy = entropy_,
                                     .remote_static = remote};
  noise_.emplace(setup);
  crypto::erase(setup.ephemeral_entropy);
  crypto::erase(entropy_);
}

Status Handshake::receive(WallTime now, ByteView& input, Bytes& out) {
  CHECK(!is_finished());
  if (!noise_) {
    const auto preamble = pieces_.take(input, kPreambleSize);
    if (preamble) return receive_preamble(*preamble, out);
    if (starts_like_magic(pieces_.gathered())) return {};
    return fail(Errc::malformed, "it does not speak Ekiden");
  }
  const auto header = pieces_.peek(input, kLengthSize);
  if (!header) return {};
  const std::size_t size = get_be<std::uint16_t>(*header);
  if (size > kMaxHandshakeMessage) {
    return refuse(CloseReason::protocol,
                  {Errc::too_large, "a handshake message of " + std::to_string(size) + " bytes; at most 2,048"}, out);
  }
  const auto message = pieces_.take(input, size == 0 ? kRefusalSize : kLengthSize + size);
  if (!message) return {};
  if (size == 0) {
    const auto reason = static_cast<CloseReason>(message->back());
    return fail(Errc::refused, "the other side refused the handshake: " + std::string(reason_text(reason)));
  }
  auto status = receive_message(now, message->subspan(kLengthSize), out);
  pieces_.release();
  return status;
}

Status Handshake::receive_preamble(ByteView preamble, Bytes& out) {
  if (!starts_like_magic(preamble)) return fail(Errc::malformed, "it does not speak Ekiden");
  const Byte format = preamble[6];
  const Byte pattern = preamble[7];
  if (format != kLinkFormat) {
    return refuse(CloseReason::version,
                  {Errc::unsupported, "it wants link format " + std::to_string(format) + "; this node knows only 1"},
                  out);
  }
  if (pattern != static_cast<Byte>(noise::Pattern::ik) && pattern != static_cast<Byte>(noise::Pattern::xx)) {
    return refuse(CloseReason::version,
                  {Errc::unsupported, "it wants handshake pattern " + std::to_string(pattern) + "; known are 1 and 2"},
                  out);
  }
  pattern_ = static_cast<noise::Pattern>(pattern);
  start(preamble, std::nullopt);
  return {};
}

Status Handshake::receive_message(WallTime now, ByteView message, Bytes& out) {
  const bool is_first = std::exchange(first_, false) && !is_initiator();
  auto payload = noise_->read_message(message);
  if (!payload) {
    auto& why = payload.error();
    const bool forged = why.code == Errc::unauthenticated;
    const bool for_another = is_first && forged;
    if (for_another) {
      why.message = "its first message is for another node than this one, or was changed on the way";
    } else if (forged) {
      why.message = "its part of the handshake does not decrypt: it is replayed, forged or was changed on the way";
    }
    return refuse(for_another ? CloseReason::wrong_key : CloseReason::protocol, std::move(why), out);
  }
  if (pattern_ != noise::Pattern::xx || !is_first) remote_ = judge(now, *payload);
  if (noise_->is_finished()) return {};
  if (is_initiator() && !*remote_) return refuse(remote_->error().tell, std::move(remote_->error().why), out);
  return write_message(wire::encode(local_->hello()), out);
}

Status Handshake::write_message(ByteView payload, Bytes& out) {
  const auto start = out.size();
  out.resize(start + kLengthSize);
  if (auto status = noise_->write_message(payload, out); !status) {
    out.resize(start);
    return refuse(CloseReason::protocol, std::move(status).error(), out);
  }
  put_be(MutableBytes(out).subspan(start), static_cast<std::uint16_t>(out.size() - start - kLengthSize));
  return {};
}

std::expected<RemoteParty, Objection> Handshake::judge(WallTime now, ByteView payload) const {
  const auto hello = wire::decode<Hello>(payload);
  if (!hello) return object(CloseReason::protocol, hello.error());
  const auto verified = local_->verified.verify(hello->record, now);
  if (!verified) return object(CloseReason::record, fail("its record", verified.error()).error());
  const auto& entry = **verified;
  if (entry.noise_key != *noise_->remote_static()) {
    return object(CloseReason::record, {Errc::unauthenticated, "it shows the record of another node, " +
                                                                   entry.id.text() + ", whose key it does not have"});
  }
  if (entry.id == local_->self.id()) {
    return object(CloseReason::self, {Errc::refused, "this address leads to this node itself"});
  }
  if (wanted_ && entry.id != *wanted_) {
    return object(CloseReason::wrong_key,
                  {Errc::unauthenticated, "the node there is " + entry.id.text() + ", not " + wanted_->text() +
                                              ": correct the address or the id"});
  }
  const auto version = common_version(local_->hello(), *hello);
  if (!version) return object(CloseReason::version, version.error());
  return RemoteParty{.id = entry.id,
                     .noise_key = entry.noise_key,
                     .record = {entry.record, to_bytes(hello->record)},
                     .version = *version,
                     .features = hello->features & local_->features};
}

Status Handshake::refuse(CloseReason tell, Error why, Bytes& out) const {
  append_be(out, std::uint16_t{0});
  out.push_back(static_cast<Byte>(tell));
  return std::unexpected<Error>(std::move(why));
}

std::expected<RemoteParty, Objection> Handshake::take_remote() {
  CHECK(is_finished() && remote_.has_value());
  return std::move(*remote_);
}

}  // namespace ekiden::link
