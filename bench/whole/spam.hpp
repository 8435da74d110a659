// A thousand fresh identities of one network that write to a node, in a process of its own.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "identity/peer_id.hpp"
#include "whole/child.hpp"
#include "whole/figure.hpp"

namespace ekiden::bench {

inline constexpr unsigned kSpammers = 1000;

/// Makes their links to the node, and returns when nine of ten have one. They write until the child ends, with what of
/// the processors nobody else wants.
Result<Child> start_spam(const Options& options, const std::string& victim, const std::string& endpoint);

/// words: id and port of the node.
int role_spammers(const std::vector<std::string>& words);

}  // namespace ekiden::bench
