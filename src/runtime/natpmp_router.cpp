// NAT-PMP (RFC 6886), through libnatpmp.
#include <arpa/inet.h>
#include <natpmp.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "runtime/clock.hpp"
#include "runtime/port_mapper.hpp"

namespace ekiden::runtime {
namespace {

/// For one answer, with the retries of the library inside: a gateway is one hop away.
constexpr milliseconds kPatience{2000};

identity::IpAddress address_of(const in_addr& address) {
  ByteArray<4> bytes;
  std::memcpy(bytes.data(), &address, bytes.size());
  return identity::IpAddress::v4(bytes);
}

class NatPmpRouter final : public Router {
 public:
  ~NatPmpRouter() override {
    if (is_open_) closenatpmp(&state_);
  }

  Status open(std::optional<identity::IpAddress> gateway) {
    in_addr_t forced = 0;
    if (gateway) std::memcpy(&forced, gateway->bytes.data() + 12, sizeof(forced));
    if (initnatpmp(&state_, gateway ? 1 : 0, forced) < 0) return fail(Errc::unreachable, "no gateway to ask");
    is_open_ = true;
    return ask_external();
  }

  std::string_view name() const override { return "NAT-PMP"; }

  Result<Mapping> map(Protocol protocol, std::uint16_t port, seconds lifetime) override {
    EKIDEN_TRY(ask_external());  // It may have changed.
    const auto until = static_cast<std::uint32_t>(lifetime.count());
    EKIDEN_ASSIGN(const natpmpresp_t answer, ask_mapping(protocol, port, port, until));
    const auto& granted = answer.pnu.newportmapping;
    if (granted.mappedpublicport == 0 || granted.lifetime == 0) return fail(Errc::malformed, "it maps to no port");
    return Mapping{.external = {external_, granted.mappedpublicport},
                   .lifetime = std::min(lifetime, seconds(granted.lifetime))};
  }

  void unmap(Protocol protocol, std::uint16_t port, std::uint16_t /*external_port*/) override {
    static_cast<void>(ask_mapping(protocol, port, 0, 0));
  }

 private:
  Status ask_external() {
    if (sendpublicaddressrequest(&state_) < 0) return fail(Errc::unreachable, "the gateway cannot be asked");
    EKIDEN_ASSIGN(const natpmpresp_t answer, read(NATPMP_RESPTYPE_PUBLICADDRESS));
    external_ = address_of(answer.pnu.publicaddress.addr);
    return {};
  }

  Result<natpmpresp_t> ask_mapping(Protocol protocol, std::uint16_t port, std::uint16_t wanted,
                                   std::uint32_t lifetime) {
    const bool is_udp = protocol == Protocol::udp;
    const int kind = is_udp ? NATPMP_PROTOCOL_UDP : NATPMP_PROTOCOL_TCP;
    if (sendnewportmappingrequest(&state_, kind, port, wanted, lifetime) < 0) {
      return fail(Errc::unreachable, "the gateway cannot be asked");
    }
    return read(is_udp ? NATPMP_RESPTYPE_UDPPORTMAPPING : NATPMP_RESPTYPE_TCPPORTMAPPING);
  }

  Result<natpmpresp_t> read(std::uint16_t wanted) {
    const Instant end = read_clocks().mono + kPatience;
    for (;;) {
      natpmpresp_t answer{};
      const int result = readnatpmpresponseorretry(&state_, &answer);
      if (result == 0 && answer.type == wanted) return answer;
      if (result != 0 && result != NATPMP_TRYAGAIN) return fail(Errc::refused, "the gateway answers with an error");
      if (read_clocks().mono >= end) return fail(Errc::timed_out, "the gateway does not answer");
      timeval wait{};
      if (result == 0 || getnatpmprequesttimeout(&state_, &wait) < 0) continue;
      const auto wait_ms = std::clamp<std::int64_t>(wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1, 1, 500);
      pollfd ready{.fd = state_.s, .events = POLLIN, .revents = 0};
      poll(&ready, 1, static_cast<int>(wait_ms));
    }
  }

  natpmp_t state_{};
  bool is_open_ = false;
  identity::IpAddress external_{};
};

}  // namespace

Result<std::unique_ptr<Router>> find_natpmp_router(std::optional<identity::IpAddress> gateway) {
  auto router = std::make_unique<NatPmpRouter>();
  EKIDEN_TRY(router->open(gateway));
  return router;
}

}  // namespace ekiden::runtime
