#include "identity/peer_id.hpp"

#include <ekiden/message.hpp>

namespace ekiden {

Result<PeerId> PeerId::parse(std::string_view text) {
  EKIDEN_ASSIGN(const auto id, identity::PeerId::parse(text));
  return PeerId{id.bytes};
}

std::string PeerId::text() const { return identity::PeerId{bytes}.text(); }

}  // namespace ekiden
