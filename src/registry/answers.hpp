// What a node says when a neighbour compares its replica with ours. Nothing is remembered between two messages.
//
// Bounds: a question costs its asker a token of `budget` for each place and comparison, and for each entry that is
// named or sent; over
// that nothing more is said, and the asker tries again later. So whoever asks endlessly gets what anybody gets.
#pragma once

#include "base/result.hpp"
#include "flow/token_bucket.hpp"
#include "registry/packer.hpp"
#include "registry/replica.hpp"

namespace ekiden::registry {

struct Budget {
  flow::TokenBucket& bucket;
  Instant now;

  bool take() { return bucket.take(now); }
};

/// The answer to the body of an ask. Errors: malformed.
Result<Messages> answer_ask(const Trie& trie, ByteView body, Budget budget);

/// The answer to the body of a want. Errors: malformed.
Result<Messages> answer_want(const Replica& replica, ByteView body, Budget budget);

}  // namespace ekiden::registry
