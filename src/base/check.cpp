#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace ekiden {

void check_failed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "ekiden: internal error: %s:%d: CHECK(%s) failed; please report this\n", file, line, condition);
  std::abort();
}

}  // namespace ekiden
