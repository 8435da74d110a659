#include "runtime/port_mapper.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
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

/// What the thread does. Whoever owns the mapper calls stop() and leave() alone.
class PortMapper::Work {
 public:
  explicit Work(PortMapperOptions options) : options_(std::move(options)) {
    for (const identity::Endpoint& endpoint : options_.listening) {
      if (is_mapped(endpoint)) wishes_.push_back({.listening = endpoint});
    }
  }

  void run();
  void stop();
  /// Waits for the end of run(), until the patience since stop() is over; afterwards no callback is called.
  void leave();

 private:
  struct Wish {
    identity::Endpoint listening;
    std::optional<identity::Endpoint> mapped = {};
    seconds lifetime{};
  };

  void find_router();
  void map_all();
  void lose(Wish& wish);
  bool is_stopping();
  /// True if it is over because of stop().
  bool wait(seconds time);
  /// Unless leave() is over. The lock is held meanwhile, so that it does not end during a callback.
  template <class Callback, class What>
  void tell(const Callback& callback, What&& what);

  const PortMapperOptions options_;
  std::vector<Wish> wishes_;
  std::unique_ptr<Router> router_;
  bool has_said_none_ = false;

  std::mutex mutex_;  ///< of everything below
  std::condition_variable wake_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point leave_by_{};  ///< once it is stopping
  bool ended_ = false;
  bool left_ = false;
};

bool PortMapper::is_useful(const std::vector<identity::Endpoint>& listening) {
  return std::ranges::any_of(listening, is_mapped);
}

PortMapper::PortMapper(PortMapperOptions options) : work_(std::make_shared<Work>(std::move(options))) {
  std::thread([work = work_] { work->run(); }).detach();
}

PortMapper::~PortMapper() {
  work_->stop();
  work_->leave();
}

void PortMapper::stop() { work_->stop(); }

void PortMapper::Work::stop() {
  const std::scoped_lock lock(mutex_);
  if (std::exchange(stopping_, true)) return;
  leave_by_ = std::chrono::steady_clock::now() + options_.patience;
  wake_.notify_all();
}

void PortMapper::Work::leave() {
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, leave_by_, [this] { return ended_; });
  left_ = true;
}

bool PortMapper::Work::is_stopping() {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

bool PortMapper::Work::wait(seconds time) {
  std::unique_lock lock(mutex_);
  return wake_.wait_for(lock, time, [this] { return stopping_; });
}

template <class Callback, class What>
void PortMapper::Work::tell(const Callback& callback, What&& what) {
  const std::scoped_lock lock(mutex_);
  if (!left_) callback(std::forward<What>(what));
}

void PortMapper::Work::run() {
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
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  wake_.notify_all();
}

void PortMapper::Work::find_router() {
  for (const auto& find : options_.find) {
    if (is_stopping()) return;
    auto found = find();
    if (!found) continue;
    router_ = std::move(*found);
    has_said_none_ = false;
    tell(options_.log, "the router forwards ports (" + std::string(router_->name()) + ")");
    return;
  }
  if (!std::exchange(has_said_none_, true)) {
    tell(options_.log, "no router answers to NAT-PMP or UPnP: if this node is behind one, forward its ports there");
  }
}

void PortMapper::Work::map_all() {
  std::size_t answered = 0;
  for (Wish& wish : wishes_) {
    if (is_stopping()) return;
    const auto mapping = router_->map(protocol_of(wish.listening), wish.listening.port, options_.lifetime);
    if (!mapping) {
      tell(options_.log, wish.listening.text() + " is not forwarded: " + mapping.error().message);
      lose(wish);
      continue;
    }
    ++answered;
    const identity::Endpoint endpoint{wish.listening.transport, mapping->external.ip.text(), mapping->external.port};
    wish.lifetime = mapping->lifetime;
    if (wish.mapped == endpoint) continue;
    lose(wish);
    wish.mapped = endpoint;
    tell(options_.log, endpoint.text() + " is forwarded to " + wish.listening.text());
    tell(options_.mapped, endpoint);
  }
  if (answered == 0) router_.reset();
}

void PortMapper::Work::lose(Wish& wish) {
  if (wish.mapped) tell(options_.lost, *std::exchange(wish.mapped, std::nullopt));
}

}  // namespace ekiden::runtime
