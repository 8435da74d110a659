// How a Host hears from its store, and how it ends.
#include <utility>

#include "runtime/host_impl.hpp"

namespace ekiden::runtime {
namespace {

/// Batches on disk that the node hears of at once.
constexpr std::uint64_t kPortion = 16;

}  // namespace

/// On the store's thread: each event is carried over to the loop. Commits that follow each other faster than the loop
/// looks are one event.
StoreEvents Host::Impl::store_events() {
  StoreEvents events;
  events.on_persisted = [this](store::PersistToken up_to) {
    on_disk.store(static_cast<std::uint64_t>(up_to), std::memory_order_release);
    if (look_pending.exchange(true, std::memory_order_acq_rel)) return;
    asio::post(loop, [this] { on_persisted(); });
  };
  events.on_fetched = [this](store::Fetched rows) {
    asio::post(loop, [this, rows = std::move(rows)]() mutable {
      feed(std::move(rows));
      end_round();
    });
  };
  events.on_stalled = [this](Error why) {
    asio::post(loop, [this, why = std::move(why)]() mutable {
      feed(node::StorageStalled{std::move(why)});
      end_round();
    });
  };
  events.on_resumed = [this] {
    asio::post(loop, [this] {
      feed(node::StorageResumed{});
      end_round();
    });
  };
  events.on_mended = [this](const Mended& mended) {
    asio::post(loop, [this, mended] { log(node::LogLevel::warning, "store", mended.text()); });
  };
  events.on_failed = [this](Error why) {
    asio::post(loop, [this, why = std::move(why)]() mutable { fail(std::move(why)); });
  };
  return events;
}

void Host::Impl::on_persisted() {
  // Cleared before the token is read: a commit between the two posts again, and is at worst seen twice.
  look_pending.exchange(false, std::memory_order_acq_rel);
  end_round();
}

/// Tells the node what is on disk now.
void Host::Impl::look_at_disk() {
  const store::PersistToken up_to{on_disk.load(std::memory_order_acquire)};
  if (up_to == persisted) return;
  std::uint64_t fed = static_cast<std::uint64_t>(std::exchange(persisted, up_to));
  const bool was_congested = backlog.congested();
  backlog.persisted(up_to);
  if (was_congested && !backlog.congested()) {
    tcp.resume_reading();
    log(node::LogLevel::info, "store", "the disk has caught up: reading from other nodes goes on");
  }
  // In portions that are written at once: the other side works on the first messages while the rest are made ready.
  while (static_cast<std::uint64_t>(up_to) - fed > kPortion) {
    fed += kPortion;
    feed(node::Persisted{store::PersistToken{fed}});
    tcp.flush();
  }
  feed(node::Persisted{up_to});
  tcp.flush();  // Before what the application asks for now: others wait for it.
  if (state == State::running) accept_when_ready();
}

void Host::Impl::stop() {
  if (state != State::running) return;
  state = State::stopping;
  log(node::LogLevel::info, "node", "stopping");
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    if (const auto listener = listeners[i].lock()) listener->on_stopping();
  }
  patience.expires_after(kShutdownTimeout);
  patience.async_wait([this](ErrorCode error) {
    if (error || state == State::ended) return;
    const bool stored = persisted == asked;
    end(stored ? Status{}
               : ekiden::fail(Errc::timed_out,
                              "the last changes could not be written in time; what was acknowledged "
                              "is on disk"));
  });
  if (port_mapper) port_mapper->stop();
  tcp.stop_accepting();
  feed(node::ShutDown{});
  end_round();
}

void Host::Impl::finish_if_done() {
  if (state != State::stopping || tcp.connections() != 0 || persisted != asked || node.is_leaving()) return;
  end({});
}

void Host::Impl::fail(Error why) {
  log(node::LogLevel::error, "store", why.message);
  end(std::unexpected(std::move(why)));
}

/// From here on nothing reaches the node and nothing leaves it.
void Host::Impl::end(Status why) {
  if (state == State::ended) return;
  state = State::ended;
  outcome = std::move(why);
  timer.cancel();
  certificate_timer.cancel();
  patience.cancel();
  tcp.close_all();
  udp.close();
  lan.close();
  for (auto& [id, done] : std::exchange(finds, {})) {
    done({id, {}, ekiden::fail(Errc::closed, "the node has ended"), {}});
  }
  for (auto& [id, done] : std::exchange(owner_finds, {})) {
    done({id, {}, ekiden::fail(Errc::closed, "the node has ended"), {}});
  }
  for (auto& [id, done] : std::exchange(places, {})) {
    done(ekiden::fail(Errc::closed, "the node has ended"));
  }
  for (auto& [id, done] : std::exchange(asks, {})) {
    done({.request = id, .to = {}, .result = ekiden::fail(Errc::closed, "the node has ended")});
  }
  for (auto& [id, done] : std::exchange(requests, {})) {
    done(ekiden::fail(Errc::closed, "the node has ended" + (outcome ? "" : ": " + outcome.error().message)));
  }
  loop.stop();
}

}  // namespace ekiden::runtime
