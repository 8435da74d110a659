// How soon a thread that wakes up has its turn.
//
// A thread that mostly waits for the disk should not wait for the processor as well: another thread of its core may
// otherwise go on for milliseconds, which is many times what a sync takes. Linux 6.12 and later let such a thread ask
// for short time slices, in exchange for which it interrupts threads with longer ones; its share of the processor stays
// the same, and no privilege is needed.
#pragma once

#include <chrono>

namespace ekiden::runtime {

/// The shortest that Linux gives.
inline constexpr std::chrono::nanoseconds kShortSlice = std::chrono::microseconds(100);

/// For the calling thread, from now on. Older systems, and those that forbid it, ignore it.
void shorten_time_slice();

}  // namespace ekiden::runtime
