// The JSON of the local API and of the command: see runtime/json.hpp.
#pragma once

#include "runtime/json.hpp"

namespace ekiden::api {

using runtime::dump_json;
using runtime::Json;
using runtime::kMaxJsonDepth;
using runtime::ObjectReader;
using runtime::parse_json;

}  // namespace ekiden::api
