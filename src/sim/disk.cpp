#include "sim/disk.hpp"

#include <utility>

#include "base/check.hpp"

namespace ekiden::sim {

Disk::Disk(Schedule& schedule, DiskModel model, Rng rng, std::function<void(store::PersistToken)> on_commit)
    : schedule_(schedule), model_(model), rng_(std::move(rng)), on_commit_(std::move(on_commit)) {}

void Disk::write(store::PersistToken token, store::Batch batch) {
  gathering_.push_back({token, std::move(batch)});
  begin();
}

void Disk::begin() {
  if (stalled_ || !committing_.empty() || gathering_.empty()) return;
  committing_.swap(gathering_);
  const Duration latency = rng_.between(model_.sync_min, model_.sync_max) + extra_;
  schedule_.after(latency, [this, generation = generation_] {
    if (generation == generation_ && !stalled_) finish();
  });
}

void Disk::finish() {
  ++commits_;
  if (crash_point && crash_point(commits_, committing_.size())) return;
  for (const Write& write : committing_) synced_.apply(write.batch);
  const store::PersistToken last = committing_.back().token;
  committing_.clear();
  begin();
  on_commit_(last);
}

void Disk::read(store::Fetch wanted, std::function<void(store::Fetched)> done) {
  reading_.push_back({std::move(wanted), std::move(done)});
  if (reading_.size() == 1) read_next();
}

void Disk::read_next() {
  const Duration latency = rng_.between(model_.read_min, model_.read_max) + extra_;
  schedule_.after(latency, [this, generation = generation_] {
    if (generation != generation_) return;
    const Read read = std::move(reading_.front());
    reading_.pop_front();
    if (!reading_.empty()) read_next();
    read.done(synced_.fetch(read.wanted));
  });
}

void Disk::crash(std::optional<std::size_t> prefix) {
  ++generation_;
  const std::size_t reached = prefix ? *prefix : rng_.below(committing_.size() + 1);
  CHECK(reached <= committing_.size());
  for (std::size_t i = 0; i < reached; ++i) synced_.apply(committing_[i].batch);
  committing_.clear();
  gathering_.clear();
  reading_.clear();
}

void Disk::set_stalled(bool stalled) {
  if (stalled_ == stalled) return;
  stalled_ = stalled;
  if (stalled_) return;
  if (!committing_.empty()) {
    finish();
  } else {
    begin();
  }
}

}  // namespace ekiden::sim
