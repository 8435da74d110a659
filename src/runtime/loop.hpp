// The event loop of a Host, for servers that share its thread (the local API). Keeps Boost out of host.hpp.
#pragma once

#include <boost/asio/io_context.hpp>
#include <utility>

#include "runtime/host.hpp"

namespace ekiden::runtime {

struct HostAccess {
  static boost::asio::io_context& loop(Host& host);
};

}  // namespace ekiden::runtime
