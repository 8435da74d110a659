// Where others can reach us, as our record says, and when that is to be said anew.
#pragma once

#include <optional>
#include <vector>

#include "base/time.hpp"
#include "identity/endpoint.hpp"

namespace ekiden::node {

struct OwnEndpoints {
  std::vector<identity::Endpoint> shown;  ///< in the record made last
  std::optional<Instant> publish_at;      ///< they have changed
  std::optional<Instant> published;       ///< for that reason, last
};

}  // namespace ekiden::node
