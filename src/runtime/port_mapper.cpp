#include "runtime/port_mapper.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::runtime {
namespace {

using Transport = identity::Endpoint::Transport;

/// wss:// needs a name, which no router knows; on loopback nobody else could come.
bool is_mapped(const identity::Endpoint& endpoint) {
  const auto address = endpoint.address();
  return endpoint.transport != Transport::wss && address && address->family == identity::IpAddress::Family::v4 &&
         identity::classify(*address) != identity::AddressClass::loopback;
}

Router::Protocol protocol_of(const identity::Endpoint& endpoint) {
  return endpoint.transport == Transport::udp ? Router::Protocol::udp : Router::Protocol::tcp;
}

}  // namespace

bool PortMapper::is_useful(const std::vector<identity::Endpoint>& listening) {
  return std::ranges::any_of(listening, is_mapped);
}

PortMapper::PortMapper(PortMapperOptions options) : options_(std::move(options)) {
  for (const identity::Endpoint& endpoint : options_.listening) {
    if (is_mapped(endpoint)) wishes_.push_back({.listening = endpoint});
  }
  thread_ = std::thread([this] { run(); });
}

PortMapper::~PortMapper() {
  stop();
  thread_.join();
}

void PortMapper::stop() {
  const std::scoped_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

bool PortMapper::is_stopping() {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

bool PortMapper::wait(seconds time) {
  std::unique_lock lock(mutex_);
  return wake_.wait_for(lock, time, [this] { return stopping_; });
}

void PortMapper::run() {
  for (;;) {
    if (router_ == nullptr) find_router();
    if (router_ != nullptr) map_all();
    seconds next = router_ == nullptr ? options_.retry : options_.lifetime / 2;
    for (const Wish& wish : wishes_) {
      if (wish.mapped) next = std::min(next, std::max(seconds(1), wish.lifetime / 2));
    }
    if (wait(next)) break;
  }
  for (const Wish& wish : wishes_) {
    if (wish.mapped) router_->unmap(protocol_of(wish.listening), wish.listening.port, wish.mapped->port);
  }
}

void PortMapper::find_router() {
  for (const auto& find : options_.find) {
    if (is_stopping()) return;
    auto found = find();
    if (!found) continue;
    router_ = std::move(*found);
    has_said_none_ = false;
    options_.log("the router forwards ports (" + std::string(router_->name()) + ")");
    return;
  }
  if (!std::exchange(has_said_none_, true)) {
    options_.log("no router answers to NAT-PMP or UPnP: if this node is behind one, forward its ports there");
  }
}

void PortMapper::map_all() {
  std::size_t answered = 0;
  for (Wish& wish : wishes_) {
    if (is_stopping()) return;
    const auto mapping = router_->map(protocol_of(wish.listening), wish.listening.port, options_.lifetime);
    if (!mapping) {
      options_.log(wish.listening.text() + " is not forwarded: " + mapping.error().message);
      lose(wish);
      continue;
    }
    ++answered;
    const identity::Endpoint endpoint{wish.listening.transport, mapping->external.ip.text(), mapping->external.port};
    wish.lifetime = mapping->lifetime;
    if (wish.mapped == endpoint) continue;
    lose(wish);
    wish.mapped = endpoint;
    options_.log(endpoint.text() + " is forwarded to " + wish.listening.text());
    options_.mapped(endpoint);
  }
  if (answered == 0) router_.reset();
}

void PortMapper::lose(Wish& wish) {
  if (wish.mapped) options_.lost(*std::exchange(wish.mapped, std::nullopt));
}

}  // namespace ekiden::runtime
