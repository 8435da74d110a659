#include "realm/members.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "crypto/hash.hpp"
#include "wire/link_message.hpp"

namespace ekiden::realm {
namespace {

constexpr std::string_view kPurpose = "ekiden realm hello 1";

Proof proof_of(const ProofKey& key, const identity::PeerId& prover, const identity::PeerId& verifier) {
  const crypto::ChainKey code = crypto::hmac_sha256(key.view(), {as_bytes(kPurpose), prover.view(), verifier.view()});
  return take_array<sizeof(Proof)>(code.view());
}

}  // namespace

// Our realms. ---------------------------------------------------------------------------------------------------------

Status Members::enter(const Realm& realm, Effects& out) {
  if (realms_.size() >= kMaxRealms && !realms_.contains(realm.name)) {
    return fail(Errc::limit_exceeded, "a node is in at most " + std::to_string(kMaxRealms) + " realms at a time");
  }
  forget(realm.name, out);
  const Entered& entered =
      realms_.insert_or_assign(realm.name, Entered{.id = realm.id(), .key = realm.proof_key()}).first->second;
  say_hello_to_all(out);
  for (auto& [peer, linked] : linked_) recognise(peer, linked, realm.name, entered, out);
  return {};
}

void Members::leave(const std::string& name, Effects& out) {
  if (!realms_.contains(name)) return;
  forget(name, out);
  realms_.erase(name);
  say_hello_to_all(out);
}

void Members::forget(const std::string& name, Effects& out) {
  for (auto& [peer, linked] : linked_) {
    if (linked.realms.erase(name) != 0) out.push(MemberDown{name, peer});
  }
}

// Linked peers. -------------------------------------------------------------------------------------------------------

void Members::on_link_up(const identity::PeerId& peer, Effects& out) {
  linked_.try_emplace(peer);
  if (!realms_.empty()) say_hello(peer, out);
}

void Members::on_link_down(const identity::PeerId& peer, bool lost, Effects& out) {
  const auto gone = linked_.find(peer);
  if (gone == linked_.end()) return;
  for (const std::string& name : gone->second.realms) out.push(MemberDown{name, peer, lost});
  linked_.erase(gone);
}

Status Members::on_hello(const identity::PeerId& from, ByteView body, Effects& out) {
  EKIDEN_ASSIGN(auto hello, wire::decode<Hello>(body));
  const auto sender = linked_.find(from);
  if (sender == linked_.end()) return fail(Errc::refused, "a hello, from a peer that does not speak of realms");
  Linked& linked = sender->second;
  const std::set<std::string> before = linked.realms;
  linked.has_said = true;
  linked.proofs = std::move(hello.proofs);
  if (linked.withdrawn >= kMaxWithdrawn) linked.proofs.clear();
  for (const auto& [name, realm] : realms_) recognise(from, linked, name, realm, out);
  linked.withdrawn += static_cast<std::size_t>(
      std::ranges::count_if(before, [&](const std::string& name) { return !linked.realms.contains(name); }));
  if (hello.asks && !realms_.empty()) say_hello(from, out);
  if (linked.withdrawn >= kMaxWithdrawn) return fail(Errc::refused, "a hello, from a peer that comes and goes");
  return {};
}

bool Members::proves(const identity::PeerId& peer, const Linked& linked, const Entered& realm) const {
  const Proof expected = proof_of(realm.key, peer, self_);
  return std::ranges::any_of(linked.proofs,
                             [&](const Proof& proof) { return crypto::equal_in_constant_time(proof, expected); });
}

/// Whether it is in this realm may have changed.
void Members::recognise(const identity::PeerId& peer, Linked& linked, const std::string& name, const Entered& realm,
                        Effects& out) const {
  if (proves(peer, linked, realm)) {
    if (linked.realms.insert(name).second) out.push(MemberUp{name, peer});
  } else if (linked.realms.erase(name) != 0) {
    out.push(MemberDown{name, peer});
  }
}

void Members::say_hello(const identity::PeerId& to, Effects& out) const {
  Hello hello{.proofs = {}, .asks = !linked_.at(to).has_said};
  for (const auto& [name, realm] : realms_) hello.proofs.push_back(proof_of(realm.key, self_, to));
  // Otherwise their order, by name, would tell that somebody has entered one between two others.
  std::ranges::sort(hello.proofs);
  out.push(Transmit{to, wire::link_message(wire::MessageType::realm_hello, hello, 20 * hello.proofs.size() + 16)});
}

void Members::say_again(const identity::PeerId& peer, Effects& out) const {
  if (linked_.contains(peer)) say_hello(peer, out);
}

void Members::say_hello_to_all(Effects& out) const {
  for (const auto& [peer, linked] : linked_) say_hello(peer, out);
}

// Queries. ------------------------------------------------------------------------------------------------------------

const std::string* Members::shared_with(const identity::PeerId& peer, const RealmId& id) const {
  const auto linked = linked_.find(peer);
  const auto ours = std::ranges::find_if(realms_, [&](const auto& realm) { return realm.second.id == id; });
  if (linked == linked_.end() || ours == realms_.end()) return nullptr;
  return linked->second.realms.contains(ours->first) ? &ours->first : nullptr;
}

bool Members::has_heard(const identity::PeerId& peer) const {
  const auto linked = linked_.find(peer);
  return linked != linked_.end() && linked->second.has_said;
}

std::size_t Members::count(const std::string& realm) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(linked_, [&](const auto& linked) { return linked.second.realms.contains(realm); }));
}

void Members::check_invariants() const {
  CHECK(realms_.size() <= kMaxRealms);
  for (const auto& [peer, linked] : linked_) {
    CHECK(linked.proofs.size() <= kMaxRealms);
    for (const auto& [name, realm] : realms_) CHECK(linked.realms.contains(name) == proves(peer, linked, realm));
    for (const std::string& name : linked.realms) CHECK(realms_.contains(name));
  }
}

}  // namespace ekiden::realm
