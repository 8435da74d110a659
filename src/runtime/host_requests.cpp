// What is asked of a running node: each request gets a number, under which its answer comes back.
#include <string>
#include <utility>

#include "runtime/host.hpp"
#include "runtime/host_impl.hpp"

namespace ekiden::runtime {

void Host::send(router::Draft draft, SendDone done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::SendMessage{id, std::move(draft)}, std::move(done));
}

namespace {

/// Most requests are answered by success or an error alone.
Host::SendDone without_id(Host::Done done) {
  return [done = std::move(done)](Result<router::MessageId> result) {
    if (result) {
      done({});
    } else {
      done(std::unexpected(std::move(result).error()));
    }
  };
}

}  // namespace

void Host::place(router::Draft draft, std::string capability, PlaceDone done) {
  const router::RequestId id{impl_->next_request++};
  if (impl_->state == Impl::State::ended) return done(fail(Errc::closed, "the node has ended"));
  impl_->places.emplace(id, std::move(done));
  impl_->ask(node::PlaceMessage{id, std::move(draft), std::move(capability)});
}

void Host::ask(router::Question question, AskDone done) {
  const router::RequestId id{impl_->next_request++};
  if (impl_->state == Impl::State::ended) {
    return done({.request = id, .to = {}, .result = fail(Errc::closed, "the node has ended")});
  }
  impl_->asks.emplace(id, std::move(done));
  impl_->ask(node::AskQuestion{id, std::move(question)});
}

void Host::answer(std::uint64_t number, router::Response response, SendDone done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::AnswerQuestion{id, number, std::move(response)}, std::move(done));
}

void Host::take(std::vector<std::uint64_t> numbers, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::TakeMessages{id, std::move(numbers)}, without_id(std::move(done)));
}

void Host::put_contact(identity::Contact contact, bool replace, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::PutContact{id, std::move(contact), replace}, without_id(std::move(done)));
}

void Host::remove_contact(const identity::PeerId& peer, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::RemoveContact{id, peer}, without_id(std::move(done)));
}

void Host::block(const identity::PeerId& peer, bool blocked, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::BlockPeer{id, peer, blocked}, without_id(std::move(done)));
}

void Host::retry_now(const identity::PeerId& peer, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::RetryNow{id, peer}, without_id(std::move(done)));
}

void Host::probe_bootstrap(Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::ProbeBootstrap{id}, without_id(std::move(done)));
}

void Host::find_peer(const identity::PeerId& peer, FindDone done) {
  const router::RequestId id{impl_->next_request++};
  if (impl_->state == Impl::State::ended) {
    done({id, peer, fail(Errc::closed, "the node has ended"), {}});
    return;
  }
  impl_->finds.emplace(id, std::move(done));
  impl_->ask(node::FindPeer{id, peer});
}

void Host::find_capability(std::string capability, std::size_t limit, OwnersDone done) {
  const router::RequestId id{impl_->next_request++};
  if (impl_->state == Impl::State::ended) {
    done({id, std::move(capability), fail(Errc::closed, "the node has ended"), {}});
    return;
  }
  impl_->owner_finds.emplace(id, std::move(done));
  impl_->ask(node::FindCapability{id, std::move(capability), limit});
}

void Host::offer_capability(std::string capability, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::OfferCapability{id, std::move(capability)}, without_id(std::move(done)));
}

void Host::withdraw_capability(std::string capability, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::WithdrawCapability{id, std::move(capability)}, without_id(std::move(done)));
}

void Host::switch_relay(bool on, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::SwitchRelay{id, on}, without_id(std::move(done)));
}

void Host::subscribe_topic(std::string topic, std::string realm, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::SubscribeTopic{id, std::move(topic), std::move(realm)}, without_id(std::move(done)));
}

void Host::unsubscribe_topic(std::string topic, std::string realm, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::UnsubscribeTopic{id, std::move(topic), std::move(realm)}, without_id(std::move(done)));
}

void Host::publish(std::string topic, std::string realm, Bytes payload, PublishDone done) {
  const router::RequestId id{impl_->next_request++};
  if (impl_->state == Impl::State::ended) return done(fail(Errc::closed, "the node has ended"));
  impl_->publications.emplace(id, std::move(done));
  impl_->ask(node::PublishInTopic{id, std::move(topic), std::move(payload), std::move(realm)});
}

void Host::put_entry(registry::Draft draft, std::string realm, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::PutEntry{id, std::move(draft), std::move(realm)}, without_id(std::move(done)));
}

void Host::remove_entry(const identity::PeerId& owner, std::string name, std::string realm, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::RemoveEntry{id, owner, std::move(name), std::move(realm)}, without_id(std::move(done)));
}

void Host::enter_realm(node::EnterRealm realm, Done done) {
  realm.request = router::RequestId{impl_->next_request++};
  const router::RequestId id = realm.request;
  impl_->request(id, std::move(realm), without_id(std::move(done)));
}

void Host::leave_realm(std::string name, Done done) {
  const router::RequestId id{impl_->next_request++};
  impl_->request(id, node::LeaveRealm{id, std::move(name)}, without_id(std::move(done)));
}

void Host::read_registry() {
  if (impl_->state != Impl::State::ended) impl_->ask(node::ReadRegistry{});
}

void Host::probe_peer(node::ProbePeer probe, ProbeDone done) {
  probe.request = router::RequestId{impl_->next_request++};
  if (impl_->state == Impl::State::ended) {
    done({probe.request, probe.peer, probe.endpoint, ekiden::fail(Errc::closed, "the node has ended")});
    return;
  }
  impl_->probes.emplace(probe.request, std::move(done));
  impl_->ask(std::move(probe));
}

}  // namespace ekiden::runtime
