#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "embed/convert.hpp"
#include "embed/node_impl.hpp"
#include "embed/open_host.hpp"

namespace ekiden {

Node::Impl::Impl(std::unique_ptr<runtime::Host> opened) : host(std::move(opened)) {
  host->post([this] {
    mailroom->set_tiers(
        [this](const identity::PeerId& peer) { return static_cast<TrustTier>(host->node().contacts().tier_of(peer)); });
    mailroom->set_request_listener([this] { on_request(); });
    for (const auto& arrived : host->node().inbox(0, SIZE_MAX)) mailroom->on_arrival(arrived);
    host->subscribe(mailroom);
    host->subscribe(topics);
    host->subscribe(watcher);
    host->subscribe(network);
  });
  thread = std::thread([this] { run(); });
}

Node::Impl::~Impl() {
  // Those who answer wait for the node, so they end first; their offers stand, as after a crash.
  take_answering();
  host->stop();
  thread.join();
}

/// Out of the table first: their threads wait for the node's, which may wait for the table.
void Node::Impl::take_answering() {
  std::map<std::string, std::unique_ptr<embed::Answering>> ended;
  const std::lock_guard lock(answering_mutex);
  ended.swap(answering);
}

Status Node::Impl::offer(const std::string& capability) {
  return call<Status>([&](std::promise<Status>& done) {
    host->offer_capability(capability, [&done](Status status) { done.set_value(std::move(status)); });
  });
}

Status Node::Impl::withdraw(const std::string& capability) {
  return call<Status>([&](std::promise<Status>& done) {
    host->withdraw_capability(capability, [&done](Status status) { done.set_value(std::move(status)); });
  });
}

Status Node::Impl::set_blocked(const PeerId& id, bool blocked) {
  return call<Status>([&](std::promise<Status>& done) {
    host->block(identity::PeerId{id.bytes}, blocked, [&done](Status status) { done.set_value(std::move(status)); });
  });
}

void Node::Impl::on_request() {
  const std::lock_guard lock(answering_mutex);
  for (const auto& [capability, each] : answering) each->news();
}

void Node::Impl::run() {
  const Status outcome = host->run();
  mailroom->end({Errc::closed, "the node has ended" + (outcome ? "" : ": " + outcome.error().message)});
}

Result<router::Trace> Node::Impl::trace(const std::string& id) {
  EKIDEN_ASSIGN(const auto message, Uuid::parse(id));
  auto found = call<std::optional<router::Trace>>([&](auto& done) { done.set_value(host->node().trace(message)); });
  if (!found) return fail(Errc::not_found, "no message with the id " + id + " is known here any more");
  return std::move(*found);
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;

Result<Node> Node::start(NodeOptions options) {
  EKIDEN_ASSIGN(auto host, embed::open_host(options));
  return Node(std::make_unique<Impl>(std::move(host)));
}

PeerId Node::id() const { return PeerId{impl_->host->node().self().id().bytes}; }

std::vector<std::string> Node::listening() const {
  std::vector<std::string> all;
  for (const auto& endpoint : impl_->host->listening()) all.push_back(endpoint.text());
  return all;
}

Status Node::add_contact(const std::string& name, const PeerId& id, const std::vector<std::string>& endpoints) {
  EKIDEN_ASSIGN(auto contact, embed::to_contact(name, id, endpoints));
  return impl_->call<Status>([&](std::promise<Status>& done) {
    impl_->host->put_contact(std::move(contact), true, [&done](Status status) { done.set_value(std::move(status)); });
  });
}

Status Node::trust(const PeerId& id, bool trusted) {
  return impl_->call<Status>([&](std::promise<Status>& done) {
    const auto* known = impl_->host->node().contacts().find(identity::PeerId{id.bytes});
    if (known == nullptr) return done.set_value(fail(Errc::not_found, id.text() + " is no contact"));
    auto contact = *known;
    contact.tier = trusted ? identity::TrustTier::trusted : identity::TrustTier::contact;
    impl_->host->put_contact(std::move(contact), true, [&done](Status status) { done.set_value(std::move(status)); });
  });
}

std::vector<ContactRequest> Node::contact_requests() const {
  return impl_->call<std::vector<ContactRequest>>([&](auto& done) {
    std::vector<ContactRequest> all;
    for (const auto& each : impl_->host->node().contact_requests()) all.push_back(embed::to_contact_request(each));
    done.set_value(std::move(all));
  });
}

Status Node::accept(const PeerId& id, const std::string& name) { return add_contact(name, id, {}); }

Status Node::block(const PeerId& id) { return impl_->set_blocked(id, true); }

Status Node::unblock(const PeerId& id) { return impl_->set_blocked(id, false); }

Status Node::remove_contact(const PeerId& id) {
  return impl_->call<Status>([&](std::promise<Status>& done) {
    impl_->host->remove_contact(identity::PeerId{id.bytes},
                                [&done](Status status) { done.set_value(std::move(status)); });
  });
}

std::vector<Contact> Node::contacts() const {
  return impl_->call<std::vector<Contact>>([&](auto& done) {
    std::vector<Contact> all;
    for (const auto& [id, contact] : impl_->host->node().contacts()) all.push_back(embed::from_contact(contact));
    done.set_value(std::move(all));
  });
}

Result<std::string> Node::send(OutgoingMessage message) {
  std::promise<Result<std::string>> promise;
  auto result = promise.get_future();
  send(std::move(message), [&promise](Result<std::string> id) { promise.set_value(std::move(id)); });
  return result.get();
}

void Node::send(OutgoingMessage message, std::function<void(Result<std::string>)> done) {
  auto draft = embed::to_draft(std::move(message));
  if (!draft) {
    done(std::unexpected(draft.error()));
    return;
  }
  impl_->host->post([host = impl_->host.get(), draft = std::move(*draft), done = std::move(done)]() mutable {
    host->send(std::move(draft), [done = std::move(done)](Result<router::MessageId> id) {
      if (id) {
        done(id->text());
      } else {
        done(std::unexpected(id.error()));
      }
    });
  });
}

Result<Placement> Node::send_to_capability(const std::string& capability, OutgoingMessage message) {
  EKIDEN_ASSIGN(auto draft, embed::to_draft(std::move(message)));
  return impl_->call<Result<Placement>>([&](std::promise<Result<Placement>>& done) {
    impl_->host->place(std::move(draft), capability, [&done](const Result<router::Placement>& placed) {
      done.set_value(embed::converted(placed, embed::to_placement));
    });
  });
}

Result<Answer> Node::ask(Question question) { return ask_async(std::move(question)).get(); }

std::future<Result<Answer>> Node::ask_async(Question question) {
  auto promise = std::make_shared<std::promise<Result<Answer>>>();
  auto answer = promise->get_future();
  ask(std::move(question), [promise](Result<Answer> result) { promise->set_value(std::move(result)); });
  return answer;
}

void Node::ask(Question question, std::function<void(Result<Answer>)> done) {
  impl_->host->post(
      [host = impl_->host.get(), question = embed::to_question(std::move(question)), done = std::move(done)]() mutable {
        host->ask(std::move(question), [done = std::move(done)](const node::Answered& answered) {
          done(embed::converted(answered.result, embed::to_answer));
        });
      });
}

Status Node::serve(const std::string& capability, std::size_t concurrency, Handler handler) {
  constexpr std::size_t kMaxConcurrency = 64;
  if (concurrency == 0 || concurrency > kMaxConcurrency || !handler) {
    return fail(Errc::invalid_argument, "serving needs a handler and 1 to 64 threads");
  }
  {
    const std::lock_guard lock(impl_->answering_mutex);
    if (impl_->answering.contains(capability)) return fail(Errc::already_exists, capability + " is served already");
  }
  EKIDEN_TRY(impl_->offer(capability));
  auto answering = std::make_unique<embed::Answering>(*impl_->host, capability, concurrency, std::move(handler));
  const std::lock_guard lock(impl_->answering_mutex);
  if (!impl_->answering.try_emplace(capability, std::move(answering)).second) {
    return fail(Errc::already_exists, capability + " is served already");
  }
  return {};
}

Status Node::stop_serving(const std::string& capability) {
  std::unique_ptr<embed::Answering> ended;
  {
    const std::lock_guard lock(impl_->answering_mutex);
    auto found = impl_->answering.extract(capability);
    if (found.empty()) return fail(Errc::not_found, capability + " is not served");
    ended = std::move(found.mapped());
  }
  return impl_->withdraw(capability);
}

std::vector<NetworkChange> Node::network() const {
  using Changes = std::vector<NetworkChange>;
  return impl_->call<Changes>([&](std::promise<Changes>& done) {
    done.set_value(embed::to_network_changes(impl_->host->node().network(impl_->host->now())));
  });
}

void Node::on_network_change(std::function<void(const NetworkChange&)> handler) {
  impl_->call<bool>([&](std::promise<bool>& done) {
    impl_->network->set(std::move(handler));
    done.set_value(true);
  });
}

Result<Message> Node::receive(std::chrono::milliseconds timeout) { return impl_->mailroom->receive(timeout); }

Status Node::take(const Message& message) {
  std::promise<Status> promise;
  auto result = promise.get_future();
  take(message, [&promise](Status status) { promise.set_value(std::move(status)); });
  return result.get();
}

void Node::take(const Message& message, std::function<void(Status)> done) {
  if (message.delivery == Delivery::volatile_) {
    done({});
    return;
  }
  impl_->host->post([host = impl_->host.get(), number = message.number, done = std::move(done)]() mutable {
    host->take({number}, std::move(done));
  });
}

void Node::on_message(std::function<void(const Message&)> handler) {
  impl_->host->post(
      [room = impl_->mailroom, handler = std::move(handler)]() mutable { room->set_handler(std::move(handler)); });
}

void Node::on_state(std::function<void(const std::string&, MessageState)> handler) {
  impl_->host->post([room = impl_->mailroom, handler = std::move(handler)]() mutable {
    room->set_state_handler(std::move(handler));
  });
}

Result<MessageState> Node::wait_settled(const std::string& id, std::chrono::milliseconds timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto seen = impl_->mailroom->changes();
    EKIDEN_ASSIGN(const auto trace, impl_->trace(id));
    if (!trace.outgoing) return fail(Errc::not_found, "message " + id + " came in; it was not sent by this node");
    const auto state = static_cast<MessageState>(trace.state);
    if (state != MessageState::queued && state != MessageState::in_flight) return state;
    if (std::chrono::steady_clock::now() >= until) {
      return fail(Errc::timed_out, "message " + id + " is not delivered yet");
    }
    EKIDEN_TRY(impl_->mailroom->wait_for_change(seen, until));
  }
}

Result<Trace> Node::trace(const std::string& id) const {
  EKIDEN_ASSIGN(const auto trace, impl_->trace(id));
  return embed::to_trace(trace);
}

Status Node::retry(const std::string& id) {
  EKIDEN_ASSIGN(const auto trace, impl_->trace(id));
  if (!trace.outgoing) return fail(Errc::invalid_argument, "message " + id + " came in; only outgoing ones are tried");
  return impl_->call<Status>([&](std::promise<Status>& done) {
    impl_->host->retry_now(trace.peer, [&done](Status status) { done.set_value(std::move(status)); });
  });
}

}  // namespace ekiden
