// Noise vectors as cacophony, snow and noise-c publish them: {"vectors": [{"protocol_name" or "name", keys,
// "messages"}]}.
//
// Ekiden speaks two protocols; every case of them runs on both sides, byte for byte: each handshake message is made and
// read, then the handshake hash is compared, then the remaining messages travel as transport messages, the initiator's
// first message being the one with an even number.
#include "noise/noise.hpp"

#include <algorithm>

#include "formats.hpp"

namespace ekiden::vectors {
namespace {

using noise::HandshakeState;
using noise::Pattern;

std::string protocol_of(const Json& vector) {
  const auto name = text_or_empty(vector, "protocol_name");
  return name.empty() ? text_or_empty(vector, "name") : name;
}

std::optional<Pattern> pattern_of(const Json& vector) {
  if (protocol_of(vector) == "Noise_XX_25519_AESGCM_SHA256") return Pattern::xx;
  if (protocol_of(vector) == "Noise_IK_25519_AESGCM_SHA256") return Pattern::ik;
  return std::nullopt;
}

/// Both sides of one handshake, and what the file says about it.
class Conversation {
 public:
  explicit Conversation(const Json& vector)
      : vector_(vector),
        initiator_key_(
            crypto::X25519KeyPair::from_secret(crypto::X25519SecretKey(array_at<32>(vector, "init_static")))),
        responder_key_(
            crypto::X25519KeyPair::from_secret(crypto::X25519SecretKey(array_at<32>(vector, "resp_static")))),
        initiator_(make_initiator()),
        responder_(make_responder()) {}

  Status judge() {
    const auto& messages = vector_.at("messages");
    std::size_t i = 0;
    for (; !initiator_.is_finished() || !responder_.is_finished(); ++i) {
      EKIDEN_TRY(expect(i < messages.size(), "the file ends before the handshake"));
      EKIDEN_TRY(handshake_message(messages[i], i));
    }
    EKIDEN_TRY(judge_agreement());
    EKIDEN_TRY(expect(i < messages.size(), "the file has no transport message"));
    auto from_initiator = Channel{initiator_.split(contexts_).send, responder_.split(contexts_).receive};
    auto from_responder = Channel{responder_.split(contexts_).send, initiator_.split(contexts_).receive};
    for (; i < messages.size(); ++i) {
      EKIDEN_TRY(transport_message(messages[i], i, i % 2 == 0 ? from_initiator : from_responder));
    }
    return {};
  }

 private:
  struct Channel {
    noise::CipherState send;
    noise::CipherState receive;
  };

  HandshakeState make_initiator() const {
    const auto prologue = hex_or_empty(vector_, "init_prologue");
    HandshakeState::Setup setup{.pattern = *pattern_of(vector_),
                                .initiator = true,
                                .prologue = prologue,
                                .static_key = initiator_key_,
                                .ephemeral_entropy = array_at<32>(vector_, "init_ephemeral")};
    if (vector_.contains("init_remote_static")) {
      setup.remote_static = crypto::X25519PublicKey{array_at<32>(vector_, "init_remote_static")};
    } else if (setup.pattern == Pattern::ik) {
      setup.remote_static = responder_key_.public_key;
    }
    return HandshakeState(setup);
  }

  HandshakeState make_responder() const {
    const auto prologue = hex_or_empty(vector_, "resp_prologue");
    return HandshakeState({.pattern = *pattern_of(vector_),
                           .initiator = false,
                           .prologue = prologue,
                           .static_key = responder_key_,
                           .ephemeral_entropy = array_at<32>(vector_, "resp_ephemeral")});
  }

  Status handshake_message(const Json& message, std::size_t number) {
    const auto payload = hex_at(message, "payload");
    const auto expected = hex_at(message, "ciphertext");
    auto& writer = initiator_.is_my_turn() ? initiator_ : responder_;
    auto& reader = initiator_.is_my_turn() ? responder_ : initiator_;
    Bytes written;
    EKIDEN_TRY(writer.write_message(payload, written));
    EKIDEN_TRY(expect(written == expected, "handshake message " + std::to_string(number) + " differs"));
    EKIDEN_ASSIGN(const Bytes read, reader.read_message(expected));
    return expect(read == payload, "handshake payload " + std::to_string(number) + " differs");
  }

  Status judge_agreement() const {
    EKIDEN_TRY(expect(initiator_.handshake_hash() == responder_.handshake_hash(), "the handshake hashes differ"));
    EKIDEN_TRY(expect(initiator_.remote_static() == responder_key_.public_key, "another static key of the responder"));
    EKIDEN_TRY(expect(responder_.remote_static() == initiator_key_.public_key, "another static key of the initiator"));
    if (!vector_.contains("handshake_hash")) return {};
    return expect(to_bytes(initiator_.handshake_hash().view()) == hex_at(vector_, "handshake_hash"),
                  "another handshake hash");
  }

  static Status transport_message(const Json& message, std::size_t number, Channel& channel) {
    const auto payload = hex_at(message, "payload");
    const auto expected = hex_at(message, "ciphertext");
    Bytes sealed(payload.size() + crypto::kTagSize);
    EKIDEN_TRY(channel.send.encrypt(payload, sealed));
    EKIDEN_TRY(expect(sealed == expected, "transport message " + std::to_string(number) + " differs"));
    Bytes opened(payload.size());
    EKIDEN_TRY(channel.receive.decrypt(expected, opened));
    return expect(opened == payload, "transport payload " + std::to_string(number) + " differs");
  }

  const Json& vector_;
  crypto::X25519KeyPair initiator_key_;
  crypto::X25519KeyPair responder_key_;
  HandshakeState initiator_;
  HandshakeState responder_;
  noise::CipherContexts contexts_;
};

bool is_noise(const VectorFile& file) {
  if (!file.json.is_object() || !file.json.contains("vectors")) return false;
  const auto& vectors = file.json["vectors"];
  return vectors.is_array() && !vectors.empty() && std::ranges::all_of(vectors, [](const Json& vector) {
           return protocol_of(vector).starts_with("Noise") && vector.contains("messages");
         });
}

void run_noise(const VectorFile& file, Report& report) {
  for (const auto& vector : file.json["vectors"]) {
    if (!pattern_of(vector)) {
      report.skip("neither XX nor IK with 25519, AESGCM and SHA256");
    } else {
      report.run(protocol_of(vector), [&] { return Conversation(vector).judge(); });
    }
  }
}

}  // namespace

const Format kNoise{is_noise, run_noise};

}  // namespace ekiden::vectors
