// The `ekiden` command: arguments in, exit code out.
#pragma once

namespace ekiden::cli {

/// Everything but main(). Never throws.
int run(int argc, const char* const* argv);

}  // namespace ekiden::cli
