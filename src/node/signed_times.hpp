// The times of what this node signs: records, announcements and its list of nodes.
#pragma once

#include "base/time.hpp"

namespace ekiden::node {

/// The lifetime of what ends a record or an announcement.
inline constexpr seconds kEndTtl{1};
/// How far in our future what we have signed may lie before it is signed again. Far less than peers allow, and more
/// than a clock that is being steered goes back.
inline constexpr milliseconds kMaxAhead = minutes(1);

}  // namespace ekiden::node
