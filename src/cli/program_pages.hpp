// Pages of the program and its libraries that only starting needed.
//
// A node that has started runs other code than one that starts: arguments, settings, the tables of the cryptographic
// library and the checks of the store are done with, and what was read of their files stays mapped, half of what is
// resident. Let go of, it belongs to the system's cache alone, which may use it for something else; what is needed
// again comes back from there without a disk.
#pragma once

#include <string_view>

namespace ekiden::cli {

/// Whether a mapping can be let go of and comes back as it was: private, of a file, not writable, and nothing in it
/// differs from the file, as relocated addresses and a debugger's breakpoints do. `head`: its first line in
/// /proc/self/smaps; `anonymous`: the line there that says how much differs.
bool comes_back(std::string_view head, std::string_view anonymous);

/// Lets go of them, of the whole process. To be called by the program, once it has started; a system that does not say
/// what is mapped keeps all.
void let_go_of_program_pages();

}  // namespace ekiden::cli
