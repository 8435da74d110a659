#include "router/envelope.hpp"

#include "wire/cbor.hpp"

namespace ekiden::router {
namespace {

/// The fields of an envelope that its ciphertext is bound to: all but the ciphertext.
struct EnvelopeHeader {
  static constexpr std::string_view kName = "envelope header";
  MessageId id;
  identity::PeerId from;
  identity::PeerId to;
  WallTime expires;
  wire::Priority priority = wire::Priority::normal;
  DeliveryClass delivery = DeliveryClass::durable;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("id", &EnvelopeHeader::id), wire::field<2>("from", &EnvelopeHeader::from),
                   wire::field<3>("to", &EnvelopeHeader::to), wire::field<4>("expires", &EnvelopeHeader::expires),
                   wire::field<5>("priority", &EnvelopeHeader::priority, wire::max_enum(wire::Priority::background)),
                   wire::field<6>("delivery", &EnvelopeHeader::delivery, wire::max_enum(DeliveryClass::volatile_)));
};

constexpr std::size_t kHeaderSize = 128;  // more than any encoding of the six fields

}  // namespace

Bytes Envelope::associated_data() const {
  Bytes out;
  out.reserve(kHeaderSize);
  const EnvelopeHeader header{
      .id = id, .from = from, .to = to, .expires = expires, .priority = priority, .delivery = delivery};
  wire::encode_to(header, out);
  return out;
}

}  // namespace ekiden::router
