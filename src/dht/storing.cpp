// STORE queries of ours: a bounded queue, and a bounded number under way.
#include <utility>

#include "dht/impl.hpp"

namespace ekiden::dht {

/// Call pump_stores() when all are added. Over the bound it counts as failed.
void Dht::Impl::add_store(StoreJob job, Out& out) {
  if (stores.size() >= config.max_stores_waiting) return note_stored(job.own, job.round, std::nullopt, out);
  stores.push_back(std::move(job));
}

void Dht::Impl::pump_stores(Now now, Out& out) {
  while (!stores.empty() && stores_under_way < config.max_stores_under_way) {
    const StoreJob job = std::move(stores.front());
    stores.pop_front();
    ++stores_under_way;
    ask(now, {.kind = Pending::Kind::store, .to = job.to, .own = job.own, .round = job.round},
        {.kind = QueryKind::store, .target = job.key, .value_kind = job.kind, .value = ByteView(*job.bytes)}, out);
  }
}

}  // namespace ekiden::dht
