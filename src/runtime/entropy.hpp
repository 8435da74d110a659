// Entropy of the operating system: the only place where a node gets any.
#pragma once

#include "base/rng.hpp"

namespace ekiden::runtime {

/// Initialises libsodium (once, thread-safe), which also chooses its fastest code for this processor. Stops the program
/// if the system has no entropy to give: there is nothing safe to do without.
void ensure_crypto_ready();

/// 32 fresh bytes from getrandom(2), for the Rng of a node or a new identity.
Rng::Seed entropy_seed();

}  // namespace ekiden::runtime
