#include "unit/runtime/host_fixture.hpp"

#include <algorithm>
#include <utility>

#include "runtime/loop.hpp"

namespace ekiden::runtime {

void Heard::on_arrival(const router::ArrivedPtr& message) {
  const std::lock_guard lock(mutex_);
  arrivals_.push_back(message);
  changed_.notify_all();
}

void Heard::on_state(const node::StateChanged& change) {
  const std::lock_guard lock(mutex_);
  states_.push_back(change);
  changed_.notify_all();
}

void Heard::on_peer_up(const identity::PeerId& /*peer*/) {
  const std::lock_guard lock(mutex_);
  ++peers_;
  changed_.notify_all();
}

void Heard::on_stopping() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
}

std::vector<router::ArrivedPtr> Heard::arrivals(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kHostPatience, [&] { return arrivals_.size() >= count; });
  return arrivals_;
}

bool Heard::wait_for_state(const router::MessageId& id, router::MessageState state) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kHostPatience, [&] {
    return std::ranges::any_of(states_, [&](const auto& change) { return change.id == id && change.state == state; });
  });
}

bool Heard::wait_for_peer() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kHostPatience, [&] { return peers_ > 0; });
}

bool Heard::was_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void HeardLog::add(const LogLine& line) {
  const std::lock_guard lock(mutex_);
  text_.append(line.text).append("\n");
  changed_.notify_all();
}

bool HeardLog::wait_for(std::string_view words) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kHostPatience, [&] { return text_.find(words) != std::string::npos; });
}

TestNode::TestNode(const std::filesystem::path& data_dir) : data_dir_(data_dir) {
  auto id = init_data_dir({.data_dir = data_dir_, .listen = {"tcp://127.0.0.1:0"}, .advertise = {}});
  EXPECT_TRUE(id) << id.error().message;
  if (id) id_ = *id;
}

TestNode::~TestNode() {
  if (thread_.joinable()) crash();
}

HostOptions TestNode::options(const char* vfs, bool new_store) {
  auto settings = load_settings(data_dir_);
  EXPECT_TRUE(settings) << settings.error().message;
  if (settings) settings->node.router.strangers = router::Strangers::accept;
  auto seed = load_identity(data_dir_);
  EXPECT_TRUE(seed) << seed.error().message;
  return {.data_dir = data_dir_,
          .settings = *settings,
          .identity = *seed,
          .new_store = new_store,
          .max_backlog = max_backlog_,
          .certificate_watch = certificate_watch_,
          .log = [log = log_](const LogLine& line) { log->add(line); },
          .store_vfs = vfs};
}

Result<std::unique_ptr<Host>> TestNode::open(const char* vfs, bool new_store) {
  return Host::open(options(vfs, new_store));
}

void TestNode::start(const char* vfs, bool new_store) {
  auto opened = open(vfs, new_store);
  ASSERT_TRUE(opened) << opened.error().message;
  host_ = std::move(*opened);
  heard_ = std::make_shared<Heard>();
  host_->subscribe(heard_);
  thread_ = std::thread([this] { outcome_ = host_->run(); });
}

Status TestNode::stop() {
  host_->stop();
  return wait();
}

Status TestNode::wait() {
  thread_.join();
  host_.reset();
  return outcome_;
}

void TestNode::crash() {
  host_->post([this] { HostAccess::loop(*host_).stop(); });
  thread_.join();
  host_.reset();
}

Result<router::MessageId> TestNode::send(const identity::PeerId& to, const std::string& text,
                                         router::DeliveryClass delivery) {
  auto promise = std::make_shared<std::promise<Result<router::MessageId>>>();
  auto future = promise->get_future();
  host_->post([this, to, text, delivery, promise] {
    router::Draft draft;
    draft.to = to;
    draft.body = to_bytes(as_bytes(text));
    draft.delivery = delivery;
    host_->send(std::move(draft), [promise](auto result) { promise->set_value(std::move(result)); });
  });
  if (future.wait_for(kHostPatience) != std::future_status::ready) return fail(Errc::timed_out, "no answer to send");
  return future.get();
}

Status TestNode::take(std::vector<std::uint64_t> numbers) {
  auto promise = std::make_shared<std::promise<Status>>();
  auto future = promise->get_future();
  host_->post([this, numbers = std::move(numbers), promise] {
    host_->take(numbers, [promise](Status status) { promise->set_value(std::move(status)); });
  });
  if (future.wait_for(kHostPatience) != std::future_status::ready) return fail(Errc::timed_out, "no answer to take");
  return future.get();
}

Status TestNode::put_contact(identity::Contact contact) {
  auto promise = std::make_shared<std::promise<Status>>();
  auto future = promise->get_future();
  host_->post([this, contact = std::move(contact), promise] {
    host_->put_contact(contact, true, [promise](Status status) { promise->set_value(std::move(status)); });
  });
  if (future.wait_for(kHostPatience) != std::future_status::ready) return fail(Errc::timed_out, "no answer to contact");
  return future.get();
}

Status TestNode::meet(const std::string& name, TestNode& other) {
  identity::Contact contact;
  contact.id = other.id();
  contact.petname = name;
  contact.endpoints = other.host().listening();
  return put_contact(std::move(contact));
}

node::NodeStatus TestNode::status() {
  return call([this] { return host_->node().status(); });
}

std::vector<router::ArrivedPtr> TestNode::inbox() {
  return call([this] { return host_->node().inbox(0, 10'000); });
}

}  // namespace ekiden::runtime
