// The DHT and registries agree: what is offered stands in registries, what stands there is found in the DHT, and
// whoever holds a registry reaches those who have something in it.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness.hpp"
#include "registry/messages.hpp"
#include "registry/reserved.hpp"
#include "unit/node/stranger.hpp"
#include "wire/message.hpp"

namespace ekiden::node {
namespace {

using Names = std::vector<std::string>;

const std::string kTeam = "team";

class ServicesOfNodes : public testing::Test {
 protected:
  Status done(std::size_t i, std::uint64_t request) {
    net.advance(milliseconds(10));
    const auto& reply = net[i].replies.at(request);
    return reply ? Status() : std::unexpected(reply.error());
  }
  Status put(std::size_t i, const std::string& name, const std::string& capability, const std::string& realm = {}) {
    registry::Draft draft;
    draft.name = name;
    draft.capability = capability;
    draft.lifetime = minutes(30);
    const Status put = done(i, net.request<PutEntry>(i, draft, realm));
    net.advance(seconds(5));
    return put;
  }
  Status remove(std::size_t i, const std::string& name) {
    const Status removed = done(i, net.request<RemoveEntry>(i, net[i].id, name));
    net.advance(seconds(5));
    return removed;
  }
  void withdraw(std::size_t i, const std::string& capability) {
    ASSERT_TRUE(done(i, net.request<WithdrawCapability>(i, capability)));
    net.advance(seconds(5));
  }
  void read(std::initializer_list<std::size_t> nodes) {
    for (const std::size_t i : nodes) net.feed(i, ReadRegistry{});
    net.advance(minutes(2));
  }

  /// Of all entries with this capability at node i.
  Names listed(std::size_t i, const std::string& capability, const std::string& realm = {}) {
    Names names;
    const registry::Registry* registry = net[i].node->registry_of(realm);
    registry::Query query;
    query.capability = capability;
    for (const auto& entry : registry->find(net.now(), query, 0, 100).entries) {
      names.push_back(entry.name);
    }
    return names;
  }
  /// How many owners node i finds in the DHT.
  std::size_t found(std::size_t i, const std::string& capability) {
    net.find(i, capability);
    net.advance(seconds(5));
    const auto& owners = net[i].owners.back().owners;
    return owners ? owners->size() : 0;
  }

  Harness net = make_network(4);
};

TEST_F(ServicesOfNodes, ThatAreOfferedStandInTheRegistry) {
  offer(net, 2, "ocr/latin");
  read({2, 3});
  EXPECT_EQ(listed(3, "ocr"), Names{"ekiden/offer/ocr/latin"});
  const std::string longest = "a/" + std::string(62, 'b');
  offer(net, 2, longest);
  net.advance(seconds(30));
  ASSERT_EQ(listed(3, longest).size(), 1U);
  EXPECT_TRUE(listed(3, longest).front().starts_with("ekiden/long-offer/"));
  net.crash(2);
  net.boot(2);
  net.advance(minutes(2));
  EXPECT_EQ(net[2].node->status().registry.shown, 2U);
  withdraw(2, "ocr/latin");
  net.advance(seconds(30));
  EXPECT_EQ(listed(3, "ocr"), Names());
  EXPECT_EQ(listed(3, "a").size(), 1U);
  EXPECT_EQ(net[2].node->status().registry.renewals, 1U) << "as long as it is offered";
}

TEST_F(ServicesOfNodes, ThatStandInTheRegistryAreFoundInTheDht) {
  ASSERT_TRUE(put(2, "scanner", "scan/colour"));
  ASSERT_TRUE(put(2, "copier", "scan/colour"));
  EXPECT_EQ(found(0, "scan"), 1U);
  const auto offers = net[2].node->offers();
  ASSERT_EQ(offers.size(), 1U);
  EXPECT_TRUE(offers[0].of_entry);
  EXPECT_GT(offers[0].holders, 0U);
  ASSERT_TRUE(remove(2, "copier"));
  EXPECT_EQ(found(0, "scan"), 1U) << "the other one names it, too";
  net.crash(2);
  net.boot(2);
  net.advance(minutes(2));
  EXPECT_EQ(found(0, "scan/colour"), 1U);
  offer(net, 2, "scan/colour");
  withdraw(2, "scan/colour");
  EXPECT_EQ(found(0, "scan"), 1U);
  EXPECT_EQ(listed(2, "scan"), Names{"scanner"});
  ASSERT_TRUE(put(2, "scanner", "fax"));
  EXPECT_EQ(found(0, "scan"), 0U);
  EXPECT_EQ(found(0, "fax"), 1U);
  net.advance(hours(1));
  EXPECT_EQ(found(0, "fax"), 0U) << "the entry has expired";
}

TEST_F(ServicesOfNodes, GetQuestions) {
  ASSERT_TRUE(put(2, "scanner", "scan"));
  const RequestId request = net.next_request();
  net.feed(3, AskQuestion{request, {.capability = "scan", .body = to_bytes(as_bytes("a page"))}});
  net.advance(seconds(10));
  EXPECT_EQ(net[2].node->requests("scan", 0, 10).size(), 1U);
}

TEST_F(ServicesOfNodes, OfARealmAreAnnouncedNowhereElse) {
  using How = EnterRealm::How;
  ASSERT_TRUE(done(1, net.request<EnterRealm>(1, kTeam, How::create_closed, std::optional<realm::Realm>())));
  const std::optional<realm::Realm> invitation = net[1].node->realms().front().realm;
  ASSERT_TRUE(done(2, net.request<EnterRealm>(2, kTeam, How::invited, invitation)));
  net.advance(minutes(2));
  ASSERT_TRUE(put(1, "vault", "keys", kTeam));
  offer(net, 2, "ocr");
  net.advance(seconds(30));
  EXPECT_EQ(listed(2, "keys", kTeam), Names{"vault"});
  EXPECT_EQ(listed(1, "ocr", kTeam), Names{"ekiden/offer/ocr"});
  EXPECT_EQ(found(0, "keys"), 0U);
  EXPECT_EQ(found(0, "ocr"), 1U);
  EXPECT_FALSE(net[2].node->status().registry_member);
  const RequestId request = net.next_request();
  net.feed(2, AskQuestion{request, {.capability = "keys", .body = to_bytes(as_bytes("a key"))}});
  net.advance(minutes(1));
  EXPECT_TRUE(net[1].node->requests("keys", 0, 10).empty());
  EXPECT_EQ(net[2].answers.at(static_cast<std::uint64_t>(request)).result.error().code, Errc::not_found);
  ASSERT_TRUE(done(2, net.request<LeaveRealm>(2, kTeam)));
  net.advance(minutes(2));
  EXPECT_EQ(listed(1, "ocr", kTeam), Names{"ekiden/offer/ocr"}) << "until it expires";
}

/// The entry of its user says more of it.
TEST_F(ServicesOfNodes, StandThereOnce) {
  read({3});
  offer(net, 2, "scan");
  ASSERT_TRUE(put(2, "scanner", "scan"));
  EXPECT_EQ(listed(3, "scan"), Names{"scanner"});
  ASSERT_TRUE(remove(2, "scanner"));
  EXPECT_EQ(listed(3, "scan"), Names{"ekiden/offer/scan"});
  ASSERT_TRUE(put(2, "scanner", "scan"));
  EXPECT_EQ(listed(3, "scan"), Names{"scanner"});
}

/// It holds the registry because others do.
TEST_F(ServicesOfNodes, AreNotListedByNodesThatUseNoRegistry) {
  offer(net, 2, "ocr");
  ASSERT_TRUE(put(1, "scanner", "scan"));
  net.advance(minutes(2));
  EXPECT_TRUE(net[2].node->status().registry_member);
  EXPECT_EQ(listed(1, "ocr"), Names());
  read({2});
  EXPECT_EQ(listed(1, "ocr"), Names{"ekiden/offer/ocr"});
}

TEST_F(ServicesOfNodes, AreWithdrawnWhenTheirNodeEnds) {
  ASSERT_TRUE(put(2, "scanner", "scan"));
  EXPECT_EQ(found(0, "scan"), 1U);
  net.feed(2, ShutDown{});
  net.request<OfferCapability>(2, std::string("ocr"));
  net.pump();
  while (net[2].node->is_leaving()) net.advance(milliseconds(100));
  EXPECT_EQ(found(0, "scan"), 0U);
  EXPECT_EQ(found(0, "ocr"), 0U);
}

TEST_F(ServicesOfNodes, KeepNamesOfNodesFromUsers) {
  EXPECT_EQ(put(1, "ekiden/record", "").error().code, Errc::invalid_argument);
  EXPECT_EQ(put(1, "ekiden/other", "").error().code, Errc::invalid_argument);
  offer(net, 1, "ocr");
  read({1});
  EXPECT_EQ(remove(1, "ekiden/offer/ocr").error().code, Errc::invalid_argument);
  EXPECT_TRUE(put(1, "ekiden", ""));
}

TEST_F(ServicesOfNodes, ComeWithTheRecordOfTheirOwner) {
  read({1, 3});
  EXPECT_FALSE(net[3].node->registry().get(net.now(), net[1].id, registry::kRecordName)) << "it has nothing there";
  ASSERT_TRUE(put(1, "scanner", "scan"));
  const auto shown = [&] { return net[3].node->registry().get(net.now(), net[1].id, registry::kRecordName); };
  ASSERT_TRUE(shown());
  EXPECT_EQ(shown()->values.front().value, to_bytes(net[1].node->own_record()));
  const auto all = net[3].node->registry().list(net.now(), {}, 100);
  ASSERT_EQ(all.size(), 1U) << "nobody has written it";
  EXPECT_EQ(net[3].node->status().registry.shown, 1U);
  for (const std::string& change : net[3].changed_entries) EXPECT_NE(change, registry::kRecordName);
  offer(net, 1, "ocr");  // The record names it.
  net.advance(seconds(10));
  EXPECT_EQ(shown()->values.front().value, to_bytes(net[1].node->own_record()));
}

/// Somebody who tells a node of entries that are called records.
class ListedRecords : public StrangerTest {
 protected:
  ListedRecords() : StrangerTest(registry::kRegistryFeature) {}

  void tell(const identity::Identity& owner, const Bytes& value) {
    registry::Entry entry;
    entry.name = registry::kRecordName;
    entry.owner = owner.public_key();
    entry.stamp = {static_cast<std::uint64_t>(to_unix_ms(now_.wall)), ++counter_};
    entry.expires = entry.kept = now_.wall + hours(1);
    entry.value = value;
    const Bytes signed_bytes = *registry::sign_entry(owner, entry);
    registry::Entries message;
    message.entries.emplace_back(signed_bytes);
    send(wire::MessageType::registry_entries, wire::encode(message));
  }
  std::uint64_t known(const identity::Identity& owner) const {
    const auto record = node_.peer_record(owner.id());
    return record ? record->record.sequence : 0;
  }

  const identity::Identity owner_{crypto::Ed25519Seed(ByteArray<32>{7})};
  const identity::Identity other_{crypto::Ed25519Seed(ByteArray<32>{8})};
  std::uint32_t counter_ = 0;
};

TEST_F(ListedRecords, AreTakenWhenTheyAreNewer) {
  tell(owner_, record_of(owner_, 5));
  EXPECT_EQ(known(owner_), 5U);
  tell(owner_, record_of(owner_, 6));
  EXPECT_EQ(known(owner_), 6U);
  tell(owner_, record_of(owner_, 4));
  EXPECT_EQ(known(owner_), 6U);
  tell(owner_, record_of(owner_, 9, hours(24 * 365)));
  EXPECT_EQ(known(owner_), 6U) << "issued in a year";
}

TEST_F(ListedRecords, AreThoseOfTheirOwnersOnly) {
  tell(owner_, record_of(other_, 5));
  EXPECT_EQ(known(owner_), 0U);
  EXPECT_EQ(known(other_), 0U);
  tell(owner_, {1, 2, 3});
  EXPECT_EQ(known(owner_), 0U);
  EXPECT_EQ(known(owner_), 0U) << "not looked at again";
  tell(owner_, record_of(owner_, 7));
  EXPECT_EQ(known(owner_), 7U);
}

/// Three nodes in a row, without a DHT: what the last one puts tells the first one where it is, at once.
TEST(Services, ReachTheirOwnersWithoutALookup) {
  Config config;
  config.private_network = true;
  config.relay.forward = false;
  Harness net(3, config);
  net.introduce(0, 1, "middle");
  net.introduce(2, 1, "middle");
  net.send(0, 1, "hello");
  net.send(2, 1, "hello");
  net.advance(seconds(10));
  net.send(0, 2, "where are you?");
  net.advance(seconds(10));
  EXPECT_FALSE(net[0].node->peer_record(net[2].id));
  registry::Draft draft;
  draft.name = "scanner";
  draft.capability = "scan";
  net.request<PutEntry>(2, draft);
  net.advance(milliseconds(100));
  EXPECT_TRUE(net[0].node->peer_record(net[2].id));
  EXPECT_EQ(net[2].arrivals.size(), 1U);
}

/// Of a capability that nobody else tells of.
TEST(Services, OfTheRegistryAreAskedWithoutALookup) {
  Harness net(2);
  net.introduce(0, 1, "other");
  net.send(0, 1, "hello");
  registry::Draft draft;
  draft.name = "scanner";
  draft.capability = "scan/colour";
  net.request<PutEntry>(1, draft);
  net.advance(seconds(10));
  net.feed(0, AskQuestion{net.next_request(), {.capability = "scan", .body = to_bytes(as_bytes("a page"))}});
  net.advance(seconds(10));
  EXPECT_EQ(net[1].node->requests("scan/colour", 0, 10).size(), 1U);
}

}  // namespace
}  // namespace ekiden::node
