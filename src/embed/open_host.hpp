// What a node that is part of another program runs on.
#pragma once

#include <ekiden/node.hpp>
#include <memory>

#include "runtime/host.hpp"

namespace ekiden::embed {

/// Opens the data directory, and makes it first if there is none and the options say so. Errors: those of the settings,
/// of the identity and of Host::open.
Result<std::unique_ptr<runtime::Host>> open_host(const NodeOptions& options);

}  // namespace ekiden::embed
