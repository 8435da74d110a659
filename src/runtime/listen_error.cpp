#include "runtime/listen_error.hpp"

#include <cerrno>
#include <string>

namespace ekiden::runtime {

std::unexpected<Error> listen_error(const identity::Endpoint& endpoint, const ErrorCode& error) {
  const std::string where = "cannot listen on " + endpoint.text() + ": ";
  switch (error.value()) {
    case EADDRINUSE:
      return fail(Errc::busy, where +
                                  "the port is in use; end the program that holds it, or choose another port under "
                                  "[network] in ekiden.toml");
    case EACCES:
      return fail(Errc::refused, where +
                                     "ports below 1024 are for the administrator; choose another under [network] in "
                                     "ekiden.toml");
    case EADDRNOTAVAIL:
      return fail(Errc::unreachable, where + "this machine does not have that address; 0.0.0.0 means all that it has");
    default:
      return fail(Errc::internal, where + error.message());
  }
}

}  // namespace ekiden::runtime
