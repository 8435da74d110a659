// Why a socket cannot listen, in words that tell what to do.
#pragma once

#include "base/result.hpp"
#include "identity/endpoint.hpp"
#include "runtime/asio.hpp"

namespace ekiden::runtime {

std::unexpected<Error> listen_error(const identity::Endpoint& endpoint, const ErrorCode& error);

}  // namespace ekiden::runtime
