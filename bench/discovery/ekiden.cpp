#include "discovery/ekiden.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "datagram/datagrams.hpp"
#include "dht/dht.hpp"
#include "identity/identity.hpp"
#include "identity/peer_record.hpp"
#include "runtime/asio.hpp"
#include "runtime/clock.hpp"
#include "runtime/entropy.hpp"
#include "runtime/udp.hpp"

namespace ekiden::bench {
namespace {

/// Nodes on loopback tell each other addresses on loopback; all else is as delivered.
dht::Config dht_config() {
  dht::Config config;
  config.allow_special_addresses = true;
  return config;
}

/// A /24 for each node, so that the limits by address prefix are as in the world outside.
std::string address_of(std::size_t node) {
  constexpr std::size_t kInOne = 250;
  return "127." + std::to_string(1 + node / kInOne) + "." + std::to_string(1 + node % kInOne) + ".1";
}

/// What a node tells its network.
class Owner {
 public:
  virtual void on_deadline_of(std::size_t node, std::optional<Instant> at) = 0;
  virtual void count_datagram() = 0;

 protected:
  ~Owner() = default;
};

/// Queries of the DHT are numbered from below.
constexpr std::uint64_t kFirstGreeting = std::uint64_t{1} << 63;

class EkidenNode final : public runtime::UdpUser {
 public:
  EkidenNode(std::size_t number, runtime::asio::io_context& loop, Owner& owner)
      : number_(number),
        owner_(owner),
        rng_(runtime::entropy_seed()),
        identity_(crypto::Ed25519Seed(rng_.bytes<32>())),
        datagrams_(identity_, {}, rng_.split()),
        dht_(identity_.id(), dht_config(), rng_.split()),
        udp_(loop, *this) {}

  Status open() {
    EKIDEN_ASSIGN(
        endpoint_,
        udp_.listen({.transport = identity::Endpoint::Transport::udp, .host = address_of(number_), .port = 0}));
    udp_.start();
    dht_.start(runtime::read_clocks(), dht_out_);
    end_round();
    return {};
  }

  identity::NodeInfo info() const { return {identity_.public_key(), {*endpoint_.address(), endpoint_.port}}; }
  const identity::PeerId& id() const { return identity_.id(); }
  bool has_joined() const { return has_joined_; }
  bool has_published() const { return has_published_; }

  void meet(const identity::NodeInfo& other) {
    dht_.on_candidate(runtime::read_clocks(), other, dht_out_);
    end_round();
  }

  /// A record as `ekiden init` and `ekiden up` make it: one endpoint, a prekey.
  Status publish() {
    const Now now = runtime::read_clocks();
    identity::PeerRecord record;
    record.public_key = identity_.public_key();
    record.sequence = 1;
    record.issued_at = now.wall;
    record.ttl_seconds = 86'400;
    record.endpoints = {endpoint_.text()};
    record.prekey = identity::Prekey{.id = 1, .public_key = {rng_.bytes<32>()}};
    EKIDEN_ASSIGN(auto bytes, identity::sign_record(identity_, record));
    EKIDEN_TRY(dht_.publish(now, std::move(bytes), dht_out_));
    end_round();
    return {};
  }

  /// With a ping of the DHT's, as an idle node sends them.
  void greet(const identity::NodeInfo& other) {
    ++greetings_;
    Bytes ping;
    wire::encode_to(dht::Query{}, ping);
    datagrams_.ask(runtime::read_clocks(), datagram::QueryId{kFirstGreeting + greetings_}, other, std::move(ping),
                   /*first_flight_allowed=*/true, datagram_out_);
    end_round();
  }
  bool has_greeted() const { return datagrams_.status().queries == 0; }

  void look_up(const identity::PeerId& peer, Network::Watch watch) {
    const dht::LookupId id{++last_lookup_};
    lookups_.emplace(last_lookup_, std::move(watch));
    dht_.find_peer(runtime::read_clocks(), id, peer, dht_out_);
    end_round();
  }

  void on_time() {
    const Now now = runtime::read_clocks();
    datagrams_.on_deadline(now, datagram_out_);
    dht_.on_deadline(now, dht_out_);
    end_round();
  }

  void on_datagram(const identity::SocketAddress& from, ByteView bytes) override {
    const Now now = runtime::read_clocks();
    datagrams_.on_packet(now, from, bytes, datagram_out_);
    pump(now);
  }

  void end_round() override {
    pump(runtime::read_clocks());
    udp_.flush();
    owner_.on_deadline_of(number_, earlier(datagrams_.deadline(), dht_.deadline()));
  }

 private:
  /// As node/dht_glue.cpp.
  void pump(Now now) {
    while (!datagram_out_.empty() || !dht_out_.empty()) {
      datagram_out_.drain([&](datagram::Datagrams::Effect&& effect) { on_datagram_effect(now, std::move(effect)); });
      dht_out_.drain([&](dht::Dht::Effect&& effect) { on_dht_effect(now, std::move(effect)); });
    }
  }

  void on_datagram_effect(Now now, datagram::Datagrams::Effect effect) {
    std::visit(Overloaded{
                   [&](datagram::Send& send) {
                     owner_.count_datagram();
                     udp_.send(send.to, std::move(send.packet));
                   },
                   [&](const datagram::Queried& query) {
                     dht_.on_query(now, dht::QueryToken{static_cast<std::uint64_t>(query.token)}, query.from,
                                   query.proven, query.body.view(), dht_out_);
                   },
                   [&](const datagram::Answered& answer) {
                     dht_.on_answer(now, dht::QueryId{static_cast<std::uint64_t>(answer.id)}, answer.body.view(),
                                    dht_out_);
                   },
                   [&](const datagram::Failed& failed) {
                     dht_.on_failed(now, dht::QueryId{static_cast<std::uint64_t>(failed.id)}, failed.why, dht_out_);
                   },
                   [&](const datagram::Confirmed& confirmed) { dht_.on_confirmed(now, confirmed.node, dht_out_); },
               },
               effect);
  }

  void on_dht_effect(Now now, dht::Dht::Effect effect) {
    std::visit(Overloaded{
                   [&](dht::Ask& ask) {
                     datagrams_.ask(now, datagram::QueryId{static_cast<std::uint64_t>(ask.id)}, ask.to,
                                    std::move(ask.body), ask.first_flight_allowed, datagram_out_);
                   },
                   [&](const dht::Answer& answer) {
                     datagrams_.answer(now, datagram::QueryToken{static_cast<std::uint64_t>(answer.token)}, answer.body,
                                       datagram_out_);
                   },
                   [&](dht::LookupDone& done) {
                     auto lookup = lookups_.extract(static_cast<std::uint64_t>(done.id));
                     if (done.record) lookup.mapped().found();
                     lookup.mapped().done();
                   },
                   [&](const dht::Published& published) { has_published_ = published.stored > 0; },
                   [&](const dht::Joined&) { has_joined_ = true; }, [&](const dht::SignAgain&) {},
                   [&](const dht::Misbehaved&) {}, [&](const dht::Observed&) {},
                   [&](const dht::Write&) {},  // The baseline writes nothing either.
               },
               effect);
  }

  std::size_t number_;
  Owner& owner_;
  Rng rng_;
  identity::Identity identity_;
  datagram::Datagrams datagrams_;
  dht::Dht dht_;
  runtime::Udp udp_;
  identity::Endpoint endpoint_;
  Outbox<datagram::Datagrams::Effect> datagram_out_;
  Outbox<dht::Dht::Effect> dht_out_;
  std::uint64_t last_lookup_ = 0;
  std::uint64_t greetings_ = 0;
  std::unordered_map<std::uint64_t, Network::Watch> lookups_;
  bool has_joined_ = false;
  bool has_published_ = false;
};

class EkidenNetwork final : public Network, public Owner {
 public:
  Status add_node() override {
    const std::size_t number = nodes_.size();
    nodes_.push_back(std::make_unique<EkidenNode>(number, loop_, *this));
    EKIDEN_TRY(nodes_.back()->open());
    for (int i = 0; i < 2 && number > 0; ++i) nodes_.back()->meet(nodes_[rng_.below(number)]->info());
    return {};
  }

  bool has_joined() override { return nodes_.size() == 1 || nodes_.back()->has_joined(); }

  Status publish(std::size_t number) override {
    publishing_ = number;
    return nodes_[number]->publish();
  }
  bool has_published() const override { return nodes_[publishing_]->has_published(); }

  /// A few at a time: each is a handshake, if there is no session.
  void acquaint(std::size_t askers) override {
    for (std::size_t a = 0; a < std::min(askers, nodes_.size()); ++a) {
      for (std::size_t b = a + 1; b < nodes_.size(); ++b) greetings_.emplace_back(a, b);
    }
    is_acquainted();
  }
  bool is_acquainted() override {
    for (; !greetings_.empty() && nodes_[greetings_.back().first]->has_greeted(); greetings_.pop_back()) {
      nodes_[greetings_.back().first]->greet(nodes_[greetings_.back().second]->info());
    }
    return greetings_.empty();
  }

  void look_up(std::size_t from, std::size_t of, Watch watch) override {
    nodes_[from]->look_up(nodes_[of]->id(), std::move(watch));
  }

  void turn() override {
    set_timer(runtime::read_clocks().mono + seconds(1));
    loop_.run_one();
  }

  std::uint64_t datagrams() const override { return datagrams_; }

  void count_datagram() override { ++datagrams_; }

  void on_deadline_of(std::size_t node, std::optional<Instant> at) override {
    if (!at) return deadlines_.cancel(node);
    if (deadlines_.at(node) == at) return;
    deadlines_.set(node, *at);
    set_timer(*at);
  }

 private:
  /// One that fires early costs a look, setting it costs a system call.
  void set_timer(Instant at) {
    if (timer_at_ && *timer_at_ <= at) return;
    timer_at_ = at;
    timer_.expires_at(std::chrono::steady_clock::time_point(at.time_since_epoch()));
    timer_.async_wait([this](runtime::ErrorCode error) {
      if (!error) on_timer();
    });
  }

  void on_timer() {
    timer_at_.reset();
    while (const auto node = deadlines_.pop_due(runtime::read_clocks().mono)) nodes_[*node]->on_time();
    if (const auto next = deadlines_.earliest()) set_timer(*next);
  }

  runtime::asio::io_context loop_{1};
  runtime::Timer timer_{loop_};
  std::optional<Instant> timer_at_;
  DeadlineMap<std::size_t> deadlines_;
  Rng rng_{runtime::entropy_seed()};
  std::vector<std::unique_ptr<EkidenNode>> nodes_;
  std::vector<std::pair<std::size_t, std::size_t>> greetings_;  ///< To come.
  std::uint64_t datagrams_ = 0;
  std::size_t publishing_ = 0;
};

}  // namespace

std::unique_ptr<Network> make_ekiden_network() { return std::make_unique<EkidenNetwork>(); }

}  // namespace ekiden::bench
