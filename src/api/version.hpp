// The version of this build, as CMakeLists.txt names it.
#pragma once

#include <string_view>

namespace ekiden::api {

std::string_view version();

}  // namespace ekiden::api
