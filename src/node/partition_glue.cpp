// The network as a whole: links carry heartbeats and statements, whoever is met belongs to it, and members that a split
// has taken away are dialled by whatever way there is.
#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "node/impl.hpp"

namespace ekiden::node {
namespace {

/// Members of the other side that are wanted at a time: those probed last.
constexpr std::size_t kMaxProbed = 8;

std::string peers(std::size_t count) { return std::to_string(count) + (count == 1 ? " peer" : " peers"); }

std::string span(Duration time) {
  const auto tenths = std::chrono::duration_cast<milliseconds>(time).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string healed_line(const partition::Healed& healed) {
  return "whole again after " + span(healed.split_for) + ": " + std::to_string(healed.back) + " of " +
         peers(healed.away_most) + " came back, " + std::to_string(healed.merged) + " entries were merged, " +
         std::to_string(healed.conflicts) + " of them in conflict; healing took " + span(healed.took);
}

std::string change_line(const partition::Changed& changed) {
  switch (changed.state) {
    case partition::State::whole:
      return changed.healed ? healed_line(*changed.healed) : "whole: what looked like a split is over";
    case partition::State::suspected:
      return "perhaps split: " + std::string(partition::reason_name(changed.reason));
    case partition::State::split:
      return "split: " + peers(changed.away) + " on the other side so far, " + std::to_string(changed.here) +
             " here with this node (" + std::string(partition::reason_name(changed.reason)) +
             "); see `ekiden partition status`";
    case partition::State::healing:
      return "healing: the other side is back, " + peers(changed.away) + " of it not yet";
  }
  CHECK(false);
}

}  // namespace

void Node::Impl::on_partition_effect(Now now, partition::Effect effect) {
  std::visit(
      Overloaded{
          [&](const partition::Transmit& transmit) {
            // What a link does not take is as if it had been lost, and the next one follows.
            static_cast<void>(links.send(now, transmit.to, transmit.priority, *transmit.message, link_out));
          },
          [&](partition::Changed& changed) { tell_change(now, std::move(changed)); },
          [&](const partition::NeighbourSilent& neighbour) {
            log_limited(now, link_lines, LogLevel::info, "network",
                        neighbour.peer.text() +
                            (neighbour.silent ? " does not answer over its link" : " answers over its link again"));
          },
          [&](const partition::Abandon& abandon) {
            links.cut(now, abandon.peer, {Errc::unreachable, "nothing comes through the link any more"}, link_out);
          },
          [&](const partition::Probe& probe) { probe_away(now, probe.peer); },
          [&](const partition::Misbehaved& member) {
            log_limited(now, message_lines, LogLevel::warning, "network",
                        member.peer.text() + ": " + member.what + "; it is not heard for ten minutes");
          },
      },
      effect);
}

void Node::Impl::tell_change(Now now, partition::Changed changed) {
  const bool is_bad = changed.state == partition::State::split;
  log(is_bad ? LogLevel::warning : LogLevel::info, "network", change_line(changed));
  const bool is_whole = changed.state == partition::State::whole;
  if (changed.state == partition::State::healing || (is_whole && changed.healed)) gossip.reunite(now, gossip_out);
  if (is_whole) {
    for (const identity::PeerId& peer : std::exchange(watch.probed, {})) unwant(now, peer, by_watch);
  }
  out->push(std::move(changed));
}

/// Its link, if one comes of it, is one like others: the topics of both meet again over it.
void Node::Impl::probe_away(Now now, const identity::PeerId& peer) {
  if (ending) return;
  if (std::ranges::find(watch.probed, peer) == watch.probed.end()) watch.probed.push_back(peer);
  want(now, peer, by_watch);
  links.retry_now(now, peer, link_out);
  if (watch.probed.size() <= kMaxProbed) return;
  const identity::PeerId oldest = watch.probed.front();
  watch.probed.erase(watch.probed.begin());
  unwant(now, oldest, by_watch);
}

void Node::Impl::watch_neighbour(Now now, const identity::PeerId& peer) {
  if (!watch.begun) return;
  if (!watch.detector) {
    watch.detector = std::make_unique<partition::Detector>(self, config.partition, Rng(watch.seed), *watch.begun);
  }
  watch.detector->on_neighbour_up(now, peer, watch.out);
}

void Node::Impl::show_to_watch(Now now, const identity::PeerRecord& peer) {
  if (watch.detector && (peer.features & partition::kPartitionFeature) != 0) watch.detector->on_member(now, peer.id());
}

NetworkStatus Node::network(Now now) const {
  if (!impl_->watch.begun) return {};
  if (!impl_->watch.detector) {
    const partition::Changed begun = partition::whole_since(*impl_->watch.begun);
    return {.is_watched = true, .counts = {.last = begun}, .history = {begun}};
  }
  const partition::Detector& detector = *impl_->watch.detector;
  return {.is_watched = true,
          .counts = detector.status(now),
          .away = detector.away(),
          .history = {detector.history().begin(), detector.history().end()}};
}

}  // namespace ekiden::node
