// UPnP Internet Gateway Device, through miniupnpc.
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include <array>
#include <string>

#include "runtime/port_mapper.hpp"

namespace ekiden::runtime {
namespace {

constexpr int kDiscoveryMs = 2000;
constexpr unsigned char kTtl = 2;  ///< The library's own default: the local network.
constexpr const char* kDescription = "Ekiden";

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
    const std::string number = std::to_string(port);
    const auto add = [&](const std::string& lease) {
      return UPNP_AddPortMapping(urls_.controlURL, data_.first.servicetype, number.c_str(), number.c_str(), lan_.data(),
                                 kDescription, text_of(protocol), nullptr, lease.c_str());
    };
    int code = add(std::to_string(lifetime.count()));
    constexpr int kOnlyPermanent = 725;
    if (code == kOnlyPermanent) code = add("0");
    if (code != 0) return failed("port mapping", code);
    return Mapping{.external = {external, port}, .lifetime = lifetime};
  }

  void unmap(Protocol protocol, std::uint16_t /*port*/, std::uint16_t external_port) override {
    const std::string number = std::to_string(external_port);
    UPNP_DeletePortMapping(urls_.controlURL, data_.first.servicetype, number.c_str(), text_of(protocol), nullptr);
  }

 private:
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
