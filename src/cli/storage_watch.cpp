#include "cli/storage_watch.hpp"

#include "cli/json_read.hpp"

namespace ekiden::cli {
namespace {

constexpr Duration kPatience = seconds(1);

}  // namespace

StorageWatch::StorageWatch(const Context& context) : thread_([this, &context] { look(context); }) {}

StorageWatch::~StorageWatch() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool StorageWatch::is_over_within(Duration duration) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, duration, [this] { return over_; });
}

void StorageWatch::look(const Context& context) {
  while (!is_over_within(kPatience)) {
    auto client = context.client(kPatience);
    if (!client) continue;
    const auto status = client->get("/v1/status");
    if (!status || !status->contains("storage_problem")) continue;
    context.output.warning("the node cannot write: " + text_of(status->at("storage_problem"), "detail") +
                           ". The message is in its memory until then, and accepted once it is written; waiting");
    return;
  }
}

}  // namespace ekiden::cli
