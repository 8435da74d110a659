// What reachability keeps in the store: one row of Table::meta with the endpoints that were verified, so that a node
// that restarts publishes them at once. Unknown keys are skipped.
#pragma once

#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "identity/endpoint.hpp"
#include "reachability/events.hpp"
#include "wire/message.hpp"

namespace ekiden::reachability {

inline constexpr std::string_view kRowName = "node.reachability";
/// Over any Config::max_candidates.
inline constexpr std::size_t kMaxRowEndpoints = 64;

struct VerifiedRow {
  static constexpr std::string_view kName = "verified_endpoint";
  identity::Endpoint endpoint;
  Source source{};
  WallTime verified_at{};

  static constexpr auto kFields =
      wire::fields(wire::field<1>("endpoint", &VerifiedRow::endpoint),
                   wire::field<2>("source", &VerifiedRow::source, wire::max_enum(Source::observed)),
                   wire::field<3>("verified_at", &VerifiedRow::verified_at));
  friend bool operator==(const VerifiedRow&, const VerifiedRow&) = default;
};

struct ReachabilityRow {
  static constexpr std::string_view kName = "reachability_row";
  std::vector<VerifiedRow> verified;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("verified", &ReachabilityRow::verified, wire::max_count(kMaxRowEndpoints)));
  friend bool operator==(const ReachabilityRow&, const ReachabilityRow&) = default;
};

}  // namespace ekiden::reachability
