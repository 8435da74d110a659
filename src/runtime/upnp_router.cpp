// UPnP Internet Gateway Device, through miniupnpc.
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "runtime/port_mapper.hpp"

namespace ekiden::runtime {
namespace {

constexpr int kDiscoveryMs = 2000;
constexpr unsigned char kTtl = 2;  ///< The library's own default: the local network.
constexpr const char* kDescription = "Ekiden";
/// UPnP IGD, WANIPConnection:1, 2.4.16: ConflictInMappingEntry, OnlyPermanentLeasesSupported.
constexpr int kTaken = 718;
constexpr int kOnlyPermanent = 725;
/// Tried after the one that we listen at: enough for all nodes of a home.
constexpr unsigned kOtherPorts = 16;

/// The next one that needs no privilege.
std::uint16_t port_after(std::uint16_t port) {
  constexpr std::uint16_t kFirst = 1024;
  return port == std::numeric_limits<std::uint16_t>::max() ? kFirst
                                                           : std::max(kFirst, static_cast<std::uint16_t>(port + 1));
}

const char* text_of(Router::Protocol protocol) { return protocol == Router::Protocol::udp ? "UDP" : "TCP"; }

std::unexpected<Error> failed(const char* what, int code) {
  const char* why = strupnperror(code);
  return fail(Errc::refused, std::string(what) + ": " + (why != nullptr ? why : "error " + std::to_string(code)));
}

class UpnpRouter final : public Router {
 public:
  ~UpnpRouter() override {
    if (has_urls_) FreeUPNPUrls(&urls_);
  }

  Status discover() {
    int error = 0;
    UPNPDev* devices = upnpDiscover(kDiscoveryMs, nullptr, nullptr, UPNP_LOCAL_PORT_ANY, 0, kTtl, &error);
    if (devices == nullptr) return fail(Errc::unreachable, "no router answers to UPnP");
    const int kind = UPNP_GetValidIGD(devices, &urls_, &data_, lan_.data(), static_cast<int>(lan_.size()));
    freeUPNPDevlist(devices);
    has_urls_ = kind != 0;
    // 1: a gateway that is connected. Others are not, or no gateways.
    return kind == 1 ? Status{} : fail(Errc::unreachable, "no gateway among the UPnP devices");
  }

  Status open(const std::string& description_url) {
    has_urls_ =
        UPNP_GetIGDFromUrl(description_url.c_str(), &urls_, &data_, lan_.data(), static_cast<int>(lan_.size())) == 1;
    return has_urls_ ? Status{} : fail(Errc::unreachable, "no description at " + description_url);
  }

  std::string_view name() const override { return "UPnP"; }

  Result<Mapping> map(Protocol protocol, std::uint16_t port, seconds lifetime) override {
    std::array<char, 64> text{};
    if (const int code = UPNP_GetExternalIPAddress(urls_.controlURL, data_.first.servicetype, text.data()); code != 0) {
      return failed("its external address", code);
    }
    text.back() = '\0';
    EKIDEN_ASSIGN(const auto external, identity::IpAddress::parse(text.data()));
    // What it forwards already first, or it would forward two ports after the other one has become free.
    const auto granted = granted_.try_emplace({protocol, port}, port).first;
    std::uint16_t outside = granted->second;
    int code = add(protocol, port, outside, lifetime);
    for (unsigned i = 0; code == kTaken && i < kOtherPorts; ++i) {
      outside = port_after(outside);
      code = add(protocol, port, outside, lifetime);
    }
    if (code != 0) return failed("port mapping", code);
    granted->second = outside;
    return Mapping{.external = {external, outside}, .lifetime = lifetime};
  }

  void unmap(Protocol protocol, std::uint16_t port, std::uint16_t external_port) override {
    granted_.erase({protocol, port});
    const std::string number = std::to_string(external_port);
    UPNP_DeletePortMapping(urls_.controlURL, data_.first.servicetype, number.c_str(), text_of(protocol), nullptr);
  }

 private:
  /// The code of the error, or 0.
  int add(Protocol protocol, std::uint16_t port, std::uint16_t outside, seconds lifetime) {
    const std::string inside_text = std::to_string(port);
    const std::string outside_text = std::to_string(outside);
    const auto ask = [&](const std::string& lease) {
      return UPNP_AddPortMapping(urls_.controlURL, data_.first.servicetype, outside_text.c_str(), inside_text.c_str(),
                                 lan_.data(), kDescription, text_of(protocol), nullptr, lease.c_str());
    };
    const int code = ask(std::to_string(lifetime.count()));
    return code == kOnlyPermanent ? ask("0") : code;
  }

  std::map<std::pair<Protocol, std::uint16_t>, std::uint16_t> granted_;  ///< the ports outside, by those inside
  UPNPUrls urls_{};
  IGDdatas data_{};
  bool has_urls_ = false;
  std::array<char, 64> lan_{};
};

}  // namespace

Result<std::unique_ptr<Router>> find_upnp_router(const std::string& description_url) {
  auto router = std::make_unique<UpnpRouter>();
  EKIDEN_TRY(description_url.empty() ? router->discover() : router->open(description_url));
  return router;
}

}  // namespace ekiden::runtime
