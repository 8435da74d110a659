#include "embed/mailroom.hpp"

#include <utility>

#include "embed/convert.hpp"

namespace ekiden::embed {
namespace {

bool is_volatile(const router::ArrivedPtr& arrived) { return arrived->delivery == router::DeliveryClass::volatile_; }

}  // namespace

void Mailroom::on_arrival(const router::ArrivedPtr& arrived) {
  if (arrived->exchange) {
    if (request_listener_ && arrived->exchange->part == router::Exchange::Part::request) request_listener_();
    return;
  }
  const TrustTier tier = tier_of_ ? tier_of_(arrived->from) : TrustTier::stranger;
  if (handler_) return handler_(to_message(*arrived, tier));
  const std::lock_guard lock(mutex_);
  if (is_volatile(arrived)) {
    if (waiting_volatile_ == kMaxWaitingVolatile) return;
    ++waiting_volatile_;
  }
  waiting_.push_back({arrived, tier});
  changed_.notify_all();
}

void Mailroom::on_state(const node::StateChanged& change) {
  if (state_handler_) state_handler_(change.id.text(), static_cast<MessageState>(change.state));
  const std::lock_guard lock(mutex_);
  ++changes_;
  changed_.notify_all();
}

void Mailroom::set_handler(std::function<void(const Message&)> handler) {
  handler_ = std::move(handler);
  std::deque<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
    waiting_volatile_ = 0;
  }
  for (const auto& [arrived, tier] : waiting) handler_(to_message(*arrived, tier));
}

void Mailroom::set_state_handler(std::function<void(const std::string&, MessageState)> handler) {
  state_handler_ = std::move(handler);
}

void Mailroom::set_request_listener(std::function<void()> listener) { request_listener_ = std::move(listener); }

void Mailroom::end(Error why) {
  const std::lock_guard lock(mutex_);
  ended_ = std::move(why);
  ++changes_;
  changed_.notify_all();
}

Result<Message> Mailroom::receive(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return !waiting_.empty() || ended_; });
  if (waiting_.empty() && ended_) return std::unexpected(*ended_);
  if (waiting_.empty()) return fail(Errc::timed_out, "no message arrived in time");
  const auto [arrived, tier] = std::move(waiting_.front());
  waiting_.pop_front();
  if (is_volatile(arrived)) --waiting_volatile_;
  lock.unlock();
  return to_message(*arrived, tier);
}

std::uint64_t Mailroom::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

Status Mailroom::wait_for_change(std::uint64_t seen, std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return changes_ != seen; });
  if (ended_) return std::unexpected(*ended_);
  return {};
}

}  // namespace ekiden::embed
