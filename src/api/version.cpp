#include "api/version.hpp"

namespace ekiden::api {

std::string_view version() { return EKIDEN_VERSION; }

}  // namespace ekiden::api
