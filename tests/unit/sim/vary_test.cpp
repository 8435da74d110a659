#include <gtest/gtest.h>

#include <set>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

/// Many draws, as one seed after the other makes them.
std::vector<node::Config> many() {
  Rng rng(Rng::Seed{5});
  std::vector<node::Config> configs;
  for (int i = 0; i < 200; ++i) configs.push_back(vary_config(rng));
  return configs;
}

TEST(VaryTest, KeepsWhatTheEnginesDemandOfTheirSettings) {
  for (const node::Config& config : many()) {
    EXPECT_LT(config.session.renew_before, config.session.lifetime);
    EXPECT_LE(config.session.reserve_block, config.session.max_skipped);
    EXPECT_LT(config.link.redial_min, config.link.redial_max);
    EXPECT_LE(config.router.retry_min, config.router.retry_max);
    EXPECT_LT(config.record_refresh, config.record_ttl);
  }
}

TEST(VaryTest, DrawsQuotasAndTermsThatARunOfMinutesMeets) {
  std::set<bool> outbox, inbox, window, lifetime, rotation, links, skipped;
  for (const node::Config& config : many()) {
    outbox.insert(config.router.max_outbox_messages < 100);
    inbox.insert(config.router.max_inbox_messages < 100);
    window.insert(config.router.max_window < 2000);
    lifetime.insert(config.session.lifetime < minutes(2));
    rotation.insert(config.session.prekey_rotation < minutes(1));
    links.insert(config.link.max_links_per_peer == 1);
    skipped.insert(config.session.max_skipped < 100);
  }
  for (const auto& drawn : {outbox, inbox, window, lifetime, rotation, links, skipped}) EXPECT_EQ(drawn.size(), 2U);
}

}  // namespace
}  // namespace ekiden::sim
