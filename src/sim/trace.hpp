// What the trace hash is made of: every field of every input, of every effect and of every row, in the order in which
// they happen. Nothing is left out, so that two runs with equal hashes did the same, on the wire, on the disk, in their
// answers and in their logs.
#pragma once

#include <vector>

#include "base/time.hpp"
#include "node/input.hpp"
#include "sim/trace_hash.hpp"
#include "store/batch.hpp"

namespace ekiden::sim {

void trace(TraceHash& hash, Now now);
void trace(TraceHash& hash, const node::Input& input);
void trace(TraceHash& hash, const node::Effect& effect);
/// What a node finds on its disk when it boots.
void trace(TraceHash& hash, const std::vector<store::Row>& rows);

}  // namespace ekiden::sim
