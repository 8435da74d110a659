// The baselines: the least that any program has to do for the same work on this machine.
#pragma once

#include <string>

#include "base/result.hpp"
#include "whole/figure.hpp"

namespace ekiden::bench {

/// Median round trip of 1 KiB between two processes over loopback TCP with epoll, in microseconds.
Result<double> raw_ping_pong(const Options& options);

/// Median time to append 1 KiB to a file and make it durable, in microseconds.
Result<double> raw_sync(const std::string& directory);

/// Rows of 1 KiB per second that SQLite inserts in batches of 100 (WAL, synchronous=FULL).
Result<double> raw_rows(const std::string& directory);

int listen_loopback(std::uint16_t& port);
int connect_loopback(std::uint16_t port);

/// Reads or writes exactly so many bytes; false at the end of the stream.
bool read_all(int fd, void* to, std::size_t size);
bool write_all(int fd, const void* from, std::size_t size);

int role_raw_echo();

}  // namespace ekiden::bench
