// Errors as values.
//
// Result<T> is a T or an Error. An Error says what failed, with what, and what to do about it, in one sentence that can
// be shown to a person; its code is for programs (it is also the problem type of the local API and decides the exit
// status of the command). Ekiden throws no exceptions of its own.
#pragma once

#include <ekiden/export.hpp>
#include <expected>
#include <string>
#include <string_view>

namespace ekiden {

enum class Errc {
  invalid_argument,  ///< The caller asked for something that makes no sense; asking again will not help.
  not_found,         ///< No such peer, contact, message, file.
  already_exists,    ///< Refuses to overwrite.
  malformed,         ///< Outside bytes do not follow their format.
  too_large,         ///< A length, count or depth is over its bound.
  unauthenticated,   ///< A signature, an AEAD tag, a token or a key does not verify.
  refused,           ///< Understood, authenticated, and not allowed.
  limit_exceeded,    ///< A quota or rate is used up; trying later may help.
  expired,           ///< Its time is over.
  timed_out,         ///< No answer in time.
  unreachable,       ///< No way to that peer now.
  closed,            ///< The link, session or node is closed or closing.
  unsupported,       ///< A version, algorithm or type this build does not know.
  busy,              ///< Somebody else holds it: a port, a data directory, a lock.
  storage_full,      ///< ENOSPC or a quota of the file system.
  storage_failed,    ///< EIO and other failures of the disk.
  storage_corrupt,   ///< The database does not pass its own checks.
  internal,          ///< A failure of a library that should not happen.
  failed,            ///< The other side tried to do what it was asked, and could not; the message is what it says.
};

/// A stable lower-case name with hyphens: "not-found". Part of the local API.
EKIDEN_EXPORT std::string_view errc_name(Errc code);

/// The reverse of errc_name; Errc::internal for a name that this build does not know.
EKIDEN_EXPORT Errc errc_from_name(std::string_view name);

struct Error {
  Errc code = Errc::internal;
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

using Status = Result<void>;

}  // namespace ekiden
