// What follows for each engine from the configuration of the node.
#pragma once

#include "gossip/messages.hpp"
#include "node/messages.hpp"
#include "node/node.hpp"
#include "partition/messages.hpp"
#include "realm/messages.hpp"
#include "registry/messages.hpp"

namespace ekiden::node {

inline dht::Config dht_config(const Config& config) {
  dht::Config dht = config.dht;
  if (config.private_network) dht.allow_special_addresses = true;
  // Memberships take no room from what the owner offers.
  dht.max_own_values += config.gossip.max_topics + 1 + realm::kMaxRealms;
  return dht;
}

inline bootstrap::Config bootstrap_config(const Config& config) {
  bootstrap::Config bootstrap = config.bootstrap;
  if (config.private_network) bootstrap.listed_as = identity::LearnedFrom::configuration;
  return bootstrap;
}

inline reachability::Config reachability_config(const Config& config) {
  reachability::Config reachability = config.reachability;
  reachability.private_network = config.private_network;
  return reachability;
}

inline Config with_features(Config config) {
  const bool takes_part = config.discovery && config.take_part;
  if (takes_part) config.link.features |= kReachabilityFeature;
  config.link.features |= gossip::kGossipFeature | realm::kRealmFeature;
  if (config.hold_registry) config.link.features |= registry::kRegistryFeature;
  if (config.watch_network) config.link.features |= partition::kPartitionFeature;
  if (config.mailbox.serve) config.link.features |= mailbox::kMailboxFeature;
  if (!takes_part && config.mailbox.pinned.empty()) config.mailbox.collect = false;
  config.router.mailboxes = config.mailbox.deposit;
  return config;
}

inline lan::Config lan_config(const Config& config) {
  lan::Config lan = config.lan;
  if (config.private_network) lan.special_sources = true;
  return lan;
}

}  // namespace ekiden::node
