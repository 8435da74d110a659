#include "runtime/settings_endpoints.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "runtime/settings_table.hpp"

namespace ekiden::runtime {
namespace {

Status append_new(std::vector<identity::Endpoint>& endpoints, identity::Endpoint endpoint) {
  if (std::ranges::find(endpoints, endpoint) != endpoints.end()) {
    return fail(Errc::malformed, endpoint.text() + " stands there twice");
  }
  endpoints.push_back(std::move(endpoint));
  return {};
}

/// The address of "127.0.0.1:0" or "[::1]:7421"; nothing if there is no port behind it.
std::optional<identity::IpAddress> address_with_port(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || text.size() == colon + 1) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  const auto address = identity::IpAddress::parse(host);
  return address ? std::optional(*address) : std::nullopt;
}

}  // namespace

std::vector<std::string> texts_of(const std::vector<identity::Endpoint>& endpoints) {
  std::vector<std::string> texts;
  for (const identity::Endpoint& endpoint : endpoints) texts.push_back(endpoint.text());
  return texts;
}

Status set_listen(Settings& settings, const std::vector<std::string>& texts) {
  settings.listen.clear();
  for (const std::string& text : texts) {
    EKIDEN_ASSIGN(identity::Endpoint endpoint, parse_listen(text));
    EKIDEN_TRY(append_new(settings.listen, std::move(endpoint)));
  }
  return {};
}

Status set_advertise(Settings& settings, const std::vector<std::string>& texts) {
  settings.advertise.clear();
  for (const std::string& text : texts) {
    EKIDEN_ASSIGN(identity::Endpoint endpoint, identity::Endpoint::parse(text));
    const auto address = endpoint.address();
    if (address && !identity::may_dial(*address, identity::LearnedFrom::configuration)) {
      return fail(Errc::malformed,
                  text + " cannot be dialled: advertise the address and port at which others reach this node");
    }
    EKIDEN_TRY(append_new(settings.advertise, std::move(endpoint)));
  }
  settings.node.advertised = settings.advertise;
  return {};
}

Status set_api_listen(Settings& settings, const std::string& text) {
  const auto address = address_with_port(text);
  if (!address || classify(*address) != identity::AddressClass::loopback) {
    return fail(Errc::malformed, "must be a loopback address and a port, such as 127.0.0.1:0 or [::1]:7421");
  }
  settings.api_listen = text;
  return {};
}

Status set_metrics(Settings& settings, const std::string& text) {
  if (!text.empty() && !address_with_port(text)) {
    return fail(Errc::malformed, "must be an address and a port, such as 127.0.0.1:9420, or empty");
  }
  settings.metrics_listen = text;
  return {};
}

}  // namespace ekiden::runtime
