// The part of a Node that is about what nodes share: topics, the registry, and the realms that have their own of both.
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embed/convert.hpp"
#include "embed/entries.hpp"
#include "embed/node_impl.hpp"
#include "realm/realm.hpp"

namespace ekiden {

Status Node::subscribe(const std::string& topic, std::function<void(const TopicMessage&)> handler,
                       const std::string& realm) {
  return impl_->call<Status>([&](std::promise<Status>& done) {
    // First the handler: what is kept comes with the subscription.
    if (!impl_->topics->add(realm, topic, std::move(handler))) {
      return done.set_value(fail(Errc::already_exists, "there is a handler for " + topic));
    }
    impl_->host->subscribe_topic(topic, realm, [&done, &topic, &realm, topics = impl_->topics](Status status) {
      if (!status) topics->remove(realm, topic);
      done.set_value(std::move(status));
    });
  });
}

Status Node::unsubscribe(const std::string& topic, const std::string& realm) {
  return impl_->call<Status>([&](std::promise<Status>& done) {
    if (!impl_->topics->remove(realm, topic)) {
      return done.set_value(fail(Errc::not_found, "no handler for " + topic));
    }
    impl_->host->unsubscribe_topic(topic, realm, [&done](Status status) { done.set_value(std::move(status)); });
  });
}

Result<Publication> Node::publish(const std::string& topic, const std::string& body, const std::string& realm) {
  return impl_->call<Result<Publication>>([&](std::promise<Result<Publication>>& done) {
    impl_->host->publish(topic, realm, to_bytes(as_bytes(body)), [&done](const Result<gossip::Publication>& published) {
      done.set_value(embed::converted(published, embed::to_publication));
    });
  });
}

Status Node::put(NewEntry entry) {
  return impl_->call<Status>([&](std::promise<Status>& done) {
    const std::string realm = entry.realm;
    impl_->host->put_entry(embed::to_entry_draft(std::move(entry)), realm,
                           [&](Status status) { done.set_value(status); });
  });
}

Status Node::remove(const std::string& name, const std::optional<PeerId>& owner, const std::string& realm) {
  return impl_->call<Status>([&](std::promise<Status>& done) {
    const identity::PeerId of = owner ? identity::PeerId{owner->bytes} : impl_->host->node().self().id();
    impl_->host->remove_entry(of, name, realm, [&](Status status) { done.set_value(status); });
  });
}

std::vector<RegistryEntry> Node::entries(const RegistryQuery& query) const {
  return impl_->call<std::vector<RegistryEntry>>([&](std::promise<std::vector<RegistryEntry>>& done) {
    if (query.realm.empty()) impl_->host->read_registry();
    const registry::Registry* registry = impl_->host->node().registry_of(query.realm);
    done.set_value(registry == nullptr ? std::vector<RegistryEntry>{}
                                       : embed::find_entries(*registry, impl_->host->now(), query));
  });
}

void Node::watch(std::function<void(const PeerId& owner, const std::string& name)> handler, const std::string& realm) {
  impl_->call<bool>([&](std::promise<bool>& done) {
    // That of a realm is shared as long as the node is in it.
    if (realm.empty()) impl_->host->read_registry();
    impl_->watcher->set(realm, std::move(handler));
    done.set_value(true);
  });
}

Status Node::Impl::enter(node::EnterRealm realm) {
  return call<Status>([&](std::promise<Status>& done) {
    host->enter_realm(std::move(realm), [&](Status status) { done.set_value(std::move(status)); });
  });
}

Result<std::string> Node::Impl::make(const std::string& name, node::EnterRealm::How how) {
  EKIDEN_TRY(enter({.request = {}, .name = name, .how = how}));
  // Somebody else may have left it meanwhile, or even be in an open one of that name now: then it says so.
  return invitation(name);
}

Result<std::string> Node::Impl::invitation(const std::string& name) {
  // Perhaps it is an invitation, a secret, by mistake: no later error may quote it.
  EKIDEN_TRY(realm::check_realm_name(name));
  return call<Result<std::string>>([&](std::promise<Result<std::string>>& done) {
    for (const auto& status : host->node().realms()) {
      if (status.realm.name != name) continue;
      if (status.realm.closed) return done.set_value(realm::invitation_to(status.realm));
      return done.set_value(fail(Errc::invalid_argument, "\"" + name + "\" is open: whoever knows its name can enter"));
    }
    done.set_value(fail(Errc::not_found, "this node is in no realm \"" + name + "\""));
  });
}

Status Node::enter_realm(const std::string& name_or_invitation) {
  if (!realm::is_invitation(name_or_invitation)) return impl_->enter({.request = {}, .name = name_or_invitation});
  EKIDEN_ASSIGN(auto invited, realm::read_invitation(name_or_invitation));
  const std::string name = invited.name;
  return impl_->enter(
      {.request = {}, .name = name, .how = node::EnterRealm::How::invited, .invitation = std::move(invited)});
}

Result<std::string> Node::create_realm(const std::string& name) {
  return impl_->make(name, node::EnterRealm::How::create_closed);
}

Result<std::string> Node::change_realm_key(const std::string& name) {
  return impl_->make(name, node::EnterRealm::How::change_key);
}

Result<std::string> Node::invitation(const std::string& realm) const { return impl_->invitation(realm); }

Status Node::leave_realm(const std::string& name) {
  EKIDEN_TRY(realm::check_realm_name(name));
  return impl_->call<Status>([&](std::promise<Status>& done) {
    impl_->host->leave_realm(name, [&](Status status) { done.set_value(std::move(status)); });
  });
}

std::vector<Realm> Node::realms() const {
  return impl_->call<std::vector<Realm>>([&](std::promise<std::vector<Realm>>& done) {
    std::vector<Realm> all;
    for (const auto& status : impl_->host->node().realms()) {
      all.push_back({.name = status.realm.name,
                     .closed = status.realm.closed,
                     .members = status.members,
                     .entries = status.registry.shown});
    }
    done.set_value(std::move(all));
  });
}

}  // namespace ekiden
