#include "identity/node_info.hpp"

#include <gtest/gtest.h>

namespace ekiden::identity {
namespace {

TEST(SocketAddress, IsWrittenLikeTheEndOfAnEndpoint) {
  EXPECT_EQ((SocketAddress{IpAddress::v4({203, 0, 113, 9}), 4433}).text(), "203.0.113.9:4433");
  EXPECT_EQ((SocketAddress{IpAddress::parse("2001:db8::1").value(), 1}).text(), "[2001:db8::1]:1");
}

}  // namespace
}  // namespace ekiden::identity
