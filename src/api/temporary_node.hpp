// A node for the length of one command, that others do not notice: to look at the network from this machine when no
// node runs, or beside the one that does.
//
// It has an identity of its own and a temporary directory that is gone afterwards, listens for no links, serves no API,
// and takes no part in the network: nobody finds it, and it keeps nothing.
#pragma once

#include <functional>

#include "base/result.hpp"
#include "runtime/host.hpp"
#include "runtime/settings.hpp"

namespace ekiden::api {

/// Of `settings` the trust in certificates and the bounds of links count. `begin` is called once, before the loop runs,
/// and has to call Host::stop() in the end. Errors: those of Host::open(); closed, if a signal stopped it.
Status run_temporary_node(runtime::Settings settings, const std::function<void(runtime::Host&)>& begin);

}  // namespace ekiden::api
