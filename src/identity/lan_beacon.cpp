#include "identity/lan_beacon.hpp"

#include <string>
#include <utility>

#include "base/check.hpp"
#include "identity/cose_sign.hpp"

namespace ekiden::identity {
namespace {

constexpr std::string_view kBeaconPurpose = "ekiden lan 1";

Result<LanBeacon> verify(ByteView signed_bytes) {
  if (signed_bytes.size() > kMaxLanBeaconSize) {
    return fail(Errc::too_large, std::to_string(signed_bytes.size()) + " bytes, at most " +
                                     std::to_string(kMaxLanBeaconSize) + " are allowed");
  }
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(signed_bytes));
  EKIDEN_ASSIGN(LanBeacon beacon, wire::decode<LanBeacon>(parts.payload));
  // What costs least comes first: a signature costs more than everything else here.
  if (beacon.udp_port == 0) return fail(Errc::malformed, "it names no UDP port");
  EKIDEN_TRY(cose_verify(parts, beacon.public_key, as_bytes(kBeaconPurpose)));
  return beacon;
}

}  // namespace

Result<Bytes> sign_lan_beacon(const Identity& identity, const LanBeacon& beacon) {
  if (beacon.public_key != identity.public_key()) {
    return fail(Errc::invalid_argument, "the beacon names another node's key");
  }
  if (beacon.udp_port == 0) return fail(Errc::invalid_argument, "a beacon names a UDP port");
  Bytes out = cose_sign(identity, as_bytes(kBeaconPurpose), wire::encode(beacon));
  CHECK(out.size() <= kMaxLanBeaconSize);
  return out;
}

Result<LanBeacon> verify_lan_beacon(ByteView signed_bytes) {
  auto beacon = verify(signed_bytes);
  if (!beacon) return fail("the beacon is not valid", std::move(beacon).error());
  return beacon;
}

}  // namespace ekiden::identity
