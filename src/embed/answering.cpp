#include "embed/answering.hpp"

#include <chrono>
#include <future>
#include <utility>

#include "embed/convert.hpp"

namespace ekiden::embed {
namespace {

constexpr Duration kRetry = seconds(1);  // while the outbox is full
constexpr std::size_t kPage = 64;

}  // namespace

Answering::Answering(runtime::Host& host, std::string capability, std::size_t concurrency, Node::Handler handler)
    : host_(host), capability_(std::move(capability)), handler_(std::move(handler)) {
  for (std::size_t i = 0; i < concurrency; ++i) threads_.emplace_back([this] { work(); });
}

Answering::~Answering() {
  stop();
  for (std::thread& thread : threads_) thread.join();
}

void Answering::news() {
  const std::lock_guard lock(mutex_);
  ++news_;
  changed_.notify_all();
}

void Answering::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void Answering::work() {
  while (const auto request = next()) {
    answer(*request);
    const std::lock_guard lock(mutex_);
    taken_.erase(request->number);
  }
}

router::ArrivedPtr Answering::next() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto seen = news_;
    // The node's thread may wait for our lock in news(): it must not be held while we wait for that thread.
    lock.unlock();
    auto request = look();
    lock.lock();
    if (request != nullptr) return request;
    changed_.wait(lock, [&] { return stopping_ || news_ != seen; });
  }
  return nullptr;
}

/// The oldest that is free, taken; or null.
router::ArrivedPtr Answering::look() {
  std::uint64_t after = 0;
  for (;;) {
    std::promise<std::vector<router::ArrivedPtr>> promise;
    auto page = promise.get_future();
    host_.post([&] { promise.set_value(host_.node().requests(capability_, after, kPage)); });
    const auto found = page.get();
    const std::lock_guard lock(mutex_);
    for (const auto& request : found) {
      after = request->number;
      if (taken_.insert(request->number).second) return request;
    }
    if (found.size() < kPage) return nullptr;
  }
}

/// Again while the node has no room for it, as long as the request is in the inbox.
void Answering::answer(const router::Arrived& request) {
  const router::Response response = to_response(handler_(to_request(request, capability_)));
  for (;;) {
    std::promise<Errc> promise;
    auto result = promise.get_future();
    host_.post([&] {
      host_.answer(request.number, response, [&promise](const Result<router::MessageId>& id) {
        promise.set_value(id ? Errc::internal : id.error().code);
      });
    });
    const Errc code = result.get();
    std::unique_lock lock(mutex_);
    if (stopping_ || (code != Errc::limit_exceeded && code != Errc::storage_full)) return;
    changed_.wait_for(lock, kRetry, [this] { return stopping_; });
  }
}

}  // namespace ekiden::embed
