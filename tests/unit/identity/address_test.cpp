#include "identity/address.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>

#include "base/encoding.hpp"

namespace ekiden::identity {
namespace {

AddressClass class_of(std::string_view text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address ? classify(*address) : AddressClass::global;
}

TEST(IpAddress, ReadsAndWritesIpv4) {
  const auto address = IpAddress::parse("203.0.113.7");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->family, IpAddress::Family::v4);
  EXPECT_EQ(to_hex(address->bytes), "00000000000000000000ffffcb007107");
  EXPECT_EQ(address->text(), "203.0.113.7");
  EXPECT_EQ(IpAddress::parse("0.0.0.0")->text(), "0.0.0.0");
  EXPECT_EQ(IpAddress::parse("255.255.255.255")->text(), "255.255.255.255");
}

TEST(IpAddress, RefusesEveryLooseFormOfIpv4) {
  for (const char* text : {"",           "1",         "1.2",        "1.2.3",    "1.2.3.4.5", "1.2.3.",     ".1.2.3",
                           "1..2.3",     "256.1.1.1", "1.2.3.1000", "01.2.3.4", "1.2.3.04",  "0x7f.0.0.1", "127.1",
                           "2130706433", "1.2.3.4 ",  " 1.2.3.4",   "1.2.3.-4", "1.2.3.4/8", "a.b.c.d"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

// RFC 4291 section 2.2 to read, RFC 5952 section 4 to write.
TEST(IpAddress, ReadsEveryFormOfIpv6AndWritesTheCanonicalOne) {
  const std::pair<const char*, const char*> cases[] = {
      {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
      {"2001:db8::8:800:200c:417a", "2001:db8::8:800:200c:417a"},
      {"ff01::101", "ff01::101"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},  // the first of equal runs
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},                  // one zero is not shortened
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},                           // the longest run
      {"::ffff:192.0.2.128", "::ffff:192.0.2.128"},
      {"::ffff:c000:280", "::ffff:192.0.2.128"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
      {"fe80::", "fe80::"},
  };
  for (const auto& [text, canonical] : cases) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), canonical);
    EXPECT_EQ(IpAddress::parse(address->text()), address);
  }
}

TEST(IpAddress, RefusesWhatIsNotIpv6) {
  for (const char* text : {":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "1::2::3",
                           "12345::",
                           "g::",
                           ":1",
                           "1:",
                           "::1:",
                           ":1::",
                           "1:::2",
                           "1.2.3.4::",
                           "::1.2.3",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::01.2.3.4",
                           "fe80::1%eth0",
                           "[::1]",
                           "::1/128",
                           " ::1",
                           "::1 ",
                           "::-1"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, DoesNotRepeatControlCharactersOfBadInput) {
  const auto address = IpAddress::parse("\x1b[31m\n");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().message.find('\x1b'), std::string::npos);
  EXPECT_EQ(address.error().message.find('\n'), std::string::npos);
}

RC_GTEST_PROP(IpAddress, GoesThroughItsText, (const std::vector<std::uint8_t>& random)) {
  ByteArray<16> bytes{};
  for (std::size_t i = 0; i < 16 && i < random.size(); ++i) bytes[i] = random[i];
  const IpAddress v6 = IpAddress::v6(bytes);
  RC_ASSERT(IpAddress::parse(v6.text()).value() == v6);
  const IpAddress v4 = IpAddress::v4(take_array<4>(bytes));
  RC_ASSERT(IpAddress::parse(v4.text()).value() == v4);
}

TEST(IpAddress, IsWhatADualStackSocketMeans) {
  const IpAddress v4 = IpAddress::v4({198, 51, 100, 1});
  EXPECT_EQ(IpAddress::from_socket_v6(v4.bytes), v4);
  EXPECT_TRUE(IpAddress::v6(v4.bytes).is_mapped());
  EXPECT_FALSE(v4.is_mapped());
  EXPECT_EQ(IpAddress::from_socket_v6(IpAddress::parse("2001:db8::1")->bytes), IpAddress::parse("2001:db8::1").value());
}

struct RangeCase {
  const char* first;
  const char* last;
  AddressClass expected;
};

/// Each range of the special-purpose registries at both its ends.
TEST(AddressClass, KnowsTheSpecialPurposeRegistries) {
  using enum AddressClass;
  const RangeCase cases[] = {
      {"0.0.0.0", "0.255.255.255", unspecified},
      {"10.0.0.0", "10.255.255.255", private_use},
      {"100.64.0.0", "100.127.255.255", private_use},
      {"127.0.0.0", "127.255.255.255", loopback},
      {"169.254.0.0", "169.254.255.255", link_local},
      {"172.16.0.0", "172.31.255.255", private_use},
      {"192.0.0.0", "192.0.0.255", reserved},
      {"192.0.2.0", "192.0.2.255", documentation},
      {"192.88.99.0", "192.88.99.255", translation},
      {"192.168.0.0", "192.168.255.255", private_use},
      {"198.18.0.0", "198.19.255.255", benchmarking},
      {"198.51.100.0", "198.51.100.255", documentation},
      {"203.0.113.0", "203.0.113.255", documentation},
      {"224.0.0.0", "239.255.255.255", multicast},
      {"240.0.0.0", "255.255.255.255", reserved},
      {"::", "::", unspecified},
      {"::1", "::1", loopback},
      {"::2", "::fffe:ffff:ffff", reserved},
      {"::ffff:0.0.0.0", "::ffff:255.255.255.255", translation},
      {"64:ff9b::", "64:ff9b::ffff:ffff", translation},
      {"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", translation},
      {"100::", "100::ffff:ffff:ffff:ffff", reserved},
      {"2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", translation},
      {"2001:1::", "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
      {"2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", benchmarking},
      {"2001:10::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
      {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", documentation},
      {"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", translation},
      {"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", documentation},
      {"4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
      {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", private_use},
      {"fe00::", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
      {"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", link_local},
      {"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", private_use},
      {"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", multicast},
  };
  for (const auto& [first, last, expected] : cases) {
    EXPECT_EQ(class_of(first), expected) << first;
    EXPECT_EQ(class_of(last), expected) << last;
    EXPECT_FALSE(may_dial(IpAddress::parse(first).value(), LearnedFrom::remote_record)) << first;
    EXPECT_FALSE(may_dial(IpAddress::parse(last).value(), LearnedFrom::remote_record)) << last;
  }
}

TEST(AddressClass, LeavesTheNeighboursOfThoseRangesGlobal) {
  for (const char* text : {"1.0.0.0",
                           "9.255.255.255",
                           "11.0.0.0",
                           "100.63.255.255",
                           "100.128.0.0",
                           "126.255.255.255",
                           "128.0.0.0",
                           "169.253.255.255",
                           "169.255.0.0",
                           "172.15.255.255",
                           "172.32.0.0",
                           "191.255.255.255",
                           "192.0.1.0",
                           "192.0.3.0",
                           "192.88.98.255",
                           "192.88.100.0",
                           "192.167.255.255",
                           "192.169.0.0",
                           "198.17.255.255",
                           "198.20.0.0",
                           "198.51.99.255",
                           "198.51.101.0",
                           "203.0.112.255",
                           "203.0.114.0",
                           "223.255.255.255",
                           "2000::",
                           "2001:200::",
                           "2001:db7:ffff::",
                           "2001:db9::",
                           "2003::",
                           "2a00:1450:4001:829::200e",
                           "3ffe::",
                           "3fff:1000::"}) {
    EXPECT_EQ(class_of(text), AddressClass::global) << text;
    EXPECT_TRUE(may_dial(IpAddress::parse(text).value(), LearnedFrom::remote_record)) << text;
  }
}

TEST(AddressClass, HasAName) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(AddressClass::reserved); ++i) {
    EXPECT_TRUE(names.insert(class_name(static_cast<AddressClass>(i))).second);
  }
  EXPECT_EQ(class_name(AddressClass::link_local), "link-local");
  EXPECT_EQ(class_name(AddressClass::reserved), "reserved");
}

TEST(MayDial, TrustsItsSourcesDifferently) {
  struct Row {
    const char* address;
    bool configuration, lan, remote;
  };
  const Row rows[] = {
      {"9.9.9.9", true, true, true},
      {"192.168.1.1", true, true, false},
      {"fd00::1", true, true, false},
      {"127.0.0.1", true, false, false},
      {"::1", true, false, false},
      {"169.254.169.254", true, false, false},
      {"fe80::1", true, false, false},
      {"0.0.0.0", false, false, false},
      {"::", false, false, false},
      {"224.0.0.1", false, false, false},
      {"ff02::1", false, false, false},
      {"::ffff:9.9.9.9", true, false, false},
      {"2002:7f00:1::1", true, false, false},
      {"203.0.113.1", true, false, false},
  };
  for (const auto& row : rows) {
    const auto address = IpAddress::parse(row.address).value();
    EXPECT_EQ(may_dial(address, LearnedFrom::configuration), row.configuration) << row.address;
    EXPECT_EQ(may_dial(address, LearnedFrom::lan), row.lan) << row.address;
    EXPECT_EQ(may_dial(address, LearnedFrom::remote_record), row.remote) << row.address;
  }
}

TEST(AddressPrefix, JoinsTheAddressesOfOneCustomer) {
  const auto prefix = [](std::string_view text) { return prefix_of(IpAddress::parse(text).value()); };
  EXPECT_EQ(prefix("203.0.113.1"), prefix("203.0.113.255"));
  EXPECT_NE(prefix("203.0.113.1"), prefix("203.0.112.1"));
  EXPECT_EQ(prefix("203.0.113.1"), prefix("::ffff:203.0.113.9"));
  EXPECT_EQ(prefix("2001:db8:0:ab00::1"), prefix("2001:db8:0:abff:ffff::"));
  EXPECT_NE(prefix("2001:db8:0:ab00::1"), prefix("2001:db8:0:ac00::1"));
  EXPECT_EQ(prefix("203.0.113.1").text(), "203.0.113.0/24");
  EXPECT_EQ(prefix("2001:db8:0:abcd::1").text(), "2001:db8:0:ab00::/56");
  // An IPv6 prefix that begins with the bytes of an IPv4 one is another.
  EXPECT_NE(prefix("203.0.113.1"), prefix("cb00:7100::"));
}

}  // namespace
}  // namespace ekiden::identity
