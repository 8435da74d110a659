// How many files and sockets the process may have open, and the links that fit in.
//
// Rationale: the usual soft limit of 1,024 stands for programs that use select(); links beyond it would take the
// descriptors that the store, the API and dials need. Source: setrlimit(2).
#pragma once

#include <cstddef>

#include "link/config.hpp"

namespace ekiden::runtime {

/// Kept for what is not a link: the store, the API and its clients, listening sockets, dials, lookups.
inline constexpr std::size_t kReservedDescriptors = 128;

/// Raises the soft limit as far as the hard one allows. For programs that are a node: a library leaves the limits of
/// its process alone.
void raise_descriptor_limit();

/// The soft limit.
std::size_t descriptor_limit();

/// Lowers max_half_open and max_links so that the sockets of both, and the reserve, are no more than `descriptors`; at
/// least one of each stays. True if that changed anything.
bool fit_links(link::Config& config, std::size_t descriptors);

}  // namespace ekiden::runtime
