#include "runtime/proxy.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/encoding.hpp"

namespace ekiden::runtime {
namespace {

using identity::Endpoint;
using identity::IpAddress;

constexpr unsigned kMappedBits = 96;  ///< in front of an IPv4 address

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Name and password with their %-escapes undone. Control characters have no place in a header.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto decoded = from_hex(text.substr(i + 1, 2));
      if (!decoded || decoded->size() != 1) return std::nullopt;
      c = static_cast<char>(decoded->front());
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    out.push_back(c);
  }
  return out;
}

bool same_prefix(const IpAddress& a, const IpAddress& b, unsigned bits) {
  for (unsigned i = 0; i < a.bytes.size() && bits > 8 * i; ++i) {
    const unsigned of_byte = std::min(8U, bits - 8 * i);
    if (((a.bytes[i] ^ b.bytes[i]) >> (8 - of_byte)) != 0) return false;
  }
  return a.family == b.family;
}

}  // namespace

std::string Proxy::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return "http://" + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

/// The text of the value is never quoted: it may hold a password.
Result<Proxy> parse_proxy(std::string_view text) {
  if (text.size() > Proxies::kMaxValue) return fail(Errc::malformed, "it is too long");
  if (const auto slashes = text.find("://"); slashes != std::string_view::npos) {
    if (lower_case(text.substr(0, slashes)) != "http") {
      return fail(Errc::unsupported, "only proxies that speak HTTP are known, as in http://proxy.example:3128");
    }
    text.remove_prefix(slashes + 3);
  }
  Proxy proxy;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    proxy.credentials = unescaped(text.substr(0, at));
    if (!proxy.credentials) return fail(Errc::malformed, "its name or password is not written with right %-escapes");
    if (proxy.credentials->find(':') == std::string::npos) proxy.credentials->push_back(':');
    text.remove_prefix(at + 1);
  }
  text = text.substr(0, text.find('/'));
  const bool has_port = text.rfind(':') != std::string_view::npos && !text.ends_with(']');
  std::string endpoint = "tcp://" + std::string(text);
  if (!has_port) endpoint += ":" + std::to_string(Proxies::kDefaultPort);
  const auto parsed = Endpoint::parse(endpoint);
  if (!parsed) return fail(Errc::malformed, "it does not name a host and a port, as in http://proxy.example:3128");
  proxy.host = parsed->host;
  proxy.port = parsed->port;
  return proxy;
}

Proxies Proxies::from(const Get& get) {
  const auto look_up = [&](const std::string& name) {
    auto value = get(lower_case(name));
    if (!value) value = get(name);
    return value;
  };
  const auto read = [&](const std::string& name) -> Result<std::optional<Proxy>> {
    const auto value = look_up(name);
    if (!value || trimmed(*value).empty()) return std::nullopt;
    auto proxy = parse_proxy(trimmed(*value));
    if (!proxy) return fail("the environment variable " + name + " cannot be used", std::move(proxy).error());
    return *proxy;
  };
  Proxies proxies;
  proxies.http_ = read("HTTP_PROXY");
  proxies.https_ = read("HTTPS_PROXY");
  const std::string list = look_up("NO_PROXY").value_or("");
  std::string_view rest = list;
  while (!rest.empty() && proxies.direct_.size() < kMaxDirect) {
    const auto comma = std::min(rest.find(','), rest.size());
    if (auto direct = parse_direct(trimmed(rest.substr(0, comma)))) proxies.direct_.push_back(std::move(*direct));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return proxies;
}

Proxies Proxies::from_environment() {
  return from([](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

std::optional<Proxies::Direct> Proxies::parse_direct(std::string_view text) {
  Direct direct;
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    const auto address = IpAddress::parse(text.substr(0, slash));
    const auto bits = number<unsigned>(text.substr(slash + 1));
    if (!address || !bits) return std::nullopt;
    direct.address = *address;
    direct.prefix = *bits + (address->family == IpAddress::Family::v4 ? kMappedBits : 0);
    if (direct.prefix > 8 * address->bytes.size()) return std::nullopt;
    return direct;
  }
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    if (text.substr(bracket).starts_with("]:"))
      direct.port = number<std::uint16_t>(text.substr(bracket + 2)).value_or(0);
    text = text.substr(1, bracket - 1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    direct.port = number<std::uint16_t>(text.substr(colon + 1)).value_or(0);
    text = text.substr(0, colon);
  }
  if (const auto address = IpAddress::parse(text)) {
    direct.address = *address;
    direct.prefix = 8 * static_cast<unsigned>(address->bytes.size());
    return direct;
  }
  if (text.starts_with("*.")) text.remove_prefix(1);
  if (text.starts_with('.')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  direct.name = lower_case(text);
  return direct;
}

bool Proxies::covers(const Direct& direct, const Endpoint& endpoint) {
  if (direct.port != 0 && direct.port != endpoint.port) return false;
  if (direct.name == "*") return true;
  const auto address = endpoint.address();
  if (direct.name.empty()) return address && same_prefix(*address, direct.address, direct.prefix);
  return !address && (endpoint.host == direct.name || endpoint.host.ends_with("." + direct.name));
}

Result<std::optional<Proxy>> Proxies::find(const Endpoint& endpoint) const {
  const bool secure = endpoint.transport == Endpoint::Transport::wss;
  if (!secure && endpoint.transport != Endpoint::Transport::ws) return std::nullopt;
  if (std::ranges::any_of(direct_, [&](const Direct& direct) { return covers(direct, endpoint); })) return std::nullopt;
  return secure ? https_ : http_;
}

}  // namespace ekiden::runtime
