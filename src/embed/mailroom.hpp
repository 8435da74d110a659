// What arrives at an embedded node, kept for receive() or handed to a handler.
//
// Filled on the node's thread, read from any. Durable messages that wait are bounded by the inbox, which they share; of
// volatile ones at most kMaxWaitingVolatile wait, and further ones are dropped: nobody's memory may grow because an
// application does not read.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <ekiden/message.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/host.hpp"

namespace ekiden::embed {

class Mailroom final : public runtime::Listener {
 public:
  static constexpr std::size_t kMaxWaitingVolatile = 4096;

  // On the node's thread.

  void on_arrival(const router::ArrivedPtr& arrived) override;
  void on_state(const node::StateChanged& change) override;
  /// Replaces receive(): called first for what waits.
  void set_handler(std::function<void(const Message&)> handler);
  void set_state_handler(std::function<void(const std::string&, MessageState)> handler);
  /// Called when a request of somebody came; requests and replies are not for receive().
  void set_request_listener(std::function<void()> listener);
  /// What the owner thinks of a sender; before anything arrives.
  void set_tiers(std::function<TrustTier(const identity::PeerId&)> tier_of) { tier_of_ = std::move(tier_of); }
  /// Nothing arrives any more: whoever waits is told.
  void end(Error why);

  // On any thread.

  /// Errors: timed_out; closed when the node has ended and nothing waits.
  Result<Message> receive(std::chrono::milliseconds timeout);
  /// Counts changes of state and the end; see wait_for_change().
  std::uint64_t changes() const;
  /// Waits until there were more changes than `seen`, or until then. Errors: closed when the node has ended.
  Status wait_for_change(std::uint64_t seen, std::chrono::steady_clock::time_point until);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  struct Waiting {
    router::ArrivedPtr message;
    TrustTier tier = TrustTier::stranger;
  };
  std::deque<Waiting> waiting_;
  std::size_t waiting_volatile_ = 0;
  std::uint64_t changes_ = 0;
  std::optional<Error> ended_;

  // Of the node's thread alone.
  std::function<void(const Message&)> handler_;
  std::function<void(const std::string&, MessageState)> state_handler_;
  std::function<void()> request_listener_;
  std::function<TrustTier(const identity::PeerId&)> tier_of_;
};

}  // namespace ekiden::embed
