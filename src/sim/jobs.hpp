// Independent simulations, several at a time, each in a child process.
//
// A simulation that dies (a CHECK, a sanitizer) takes only its child with it, so that the parent can still say which
// one it was and how to replay it.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace ekiden::sim {

/// Calls work(0) … work(count - 1), each in a child of its own, at most `jobs` (from 1) at once. A child that returns
/// false, dies or cannot be made has failed: no more are started then, and those under way are waited for. What
/// children print comes in the order in which they end. Returns the failed ones, ascending.
std::vector<std::size_t> run_jobs(std::size_t count, std::size_t jobs, const std::function<bool(std::size_t)>& work);

}  // namespace ekiden::sim
