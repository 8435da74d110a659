#include "sim/traps.hpp"

#include "base/check.hpp"
#include "identity/endpoint.hpp"

namespace ekiden::sim {

const std::vector<std::string>& Traps::special() {
  static const std::vector<std::string> all = {
      "10.0.0.1:7420",         "100.64.0.1:7420",     "169.254.169.254:7420", "172.16.0.1:7420",
      "192.0.0.8:7420",        "192.0.2.1:7420",      "192.168.1.1:7420",     "198.18.0.1:7420",
      "198.51.100.1:7420",     "203.0.113.1:7420",    "240.0.0.1:7420",       "0.0.0.1:7420",
      "127.0.0.1:7420",        "192.88.99.1:7420",    "224.0.0.1:7420",       "255.255.255.255:7420",
      "[100::1]:7420",         "[2001:2::1]:7420",    "[2001:db8::1]:7420",   "[fc00::1]:7420",
      "[fe80::1]:7420",        "[::]:7420",           "[::1]:7420",           "[::ffff:10.0.0.2]:7420",
      "[64:ff9b::a00:1]:7420", "[64:ff9b:1::1]:7420", "[2001::1]:7420",       "[2002:a00:1::1]:7420",
      "[fec0::1]:7420",        "[ff02::1]:7420",
  };
  return all;
}

std::string Traps::open(std::size_t index) {
  return "63." + std::to_string(index % kOpen) + ".0.1:" + std::to_string(Network::kPort);
}

Traps::Traps(Network& network) {
  const auto set = [&](const std::string& where) {
    const auto endpoint = identity::Endpoint::parse("tcp://" + where);
    CHECK(endpoint.has_value() && endpoint->address());
    hosts_.push_back(std::make_unique<Bystander>(network, *endpoint->address()));
    network.watch(*endpoint->address());
  };
  for (const std::string& where : special()) set(where);
  for (std::size_t i = 0; i < kOpen; ++i) set(open(i));
}

void Traps::check(const Network& network, Ledger& ledger) const {
  for (const auto& host : hosts_) {
    const std::uint64_t tries = network.tries(host->at().ip);
    if (tries == 0 && host->dials() == 0 && host->datagrams() == 0) continue;
    ledger.breach(std::to_string(tries) + " links were begun to " + host->at().text() + " and " +
                  std::to_string(host->datagrams()) + " datagrams came there, which only strangers named");
  }
}

}  // namespace ekiden::sim
