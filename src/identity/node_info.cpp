#include "identity/node_info.hpp"

namespace ekiden::identity {

std::string SocketAddress::text() const {
  const bool v6 = ip.family == IpAddress::Family::v6;
  return (v6 ? "[" + ip.text() + "]" : ip.text()) + ":" + std::to_string(port);
}

}  // namespace ekiden::identity
