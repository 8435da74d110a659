// The cases of Autobahn about pings, fragments and closes, whose frames stand in the case's code and not in its list.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"

namespace ekiden::vectors {

/// Plays the frames of the case with this id. `expectation`, as the list has it, says whether they are to break the
/// connection. Nothing for a case that is not among those known here.
///
/// Where a case sends text, its bytes are sent as a binary message: text is refused on a link. Where it waits for an
/// echo, the bytes have to have come: a link carries them to its user.
std::optional<Status> run_script(const std::string& id, const std::string& expectation);

}  // namespace ekiden::vectors
