// bootstrap_nodes.json: signed bootstrap lists as a text that people read, write and mail.
//
//   {
//     "format": "ekiden bootstrap nodes 1",
//     "comment": "free text",
//     "lists": [
//       {
//         "signer": "<64 hexadecimal digits>",
//         "signer_id": "ek1...",
//         "sequence": 1,
//         "issued_at": "2026-11-24T15:00:00Z",
//         "ttl_seconds": 31536000,
//         "nodes": [
//           {
//             "public_key": "<64 hexadecimal digits>",
//             "id": "ek1...",
//             "endpoints": ["tcp://boot.example.org:7420"],
//             "note": "free text"
//           }
//         ],
//         "signature": "<128 hexadecimal digits>"
//       }
//     ]
//   }
//
// The signature is that of the COSE_Sign1 form of the list (bootstrap/list.hpp), whose payload follows from the values:
// the file is a readable copy, and a list taken from it is the same bytes that nodes exchange. The ids are there for
// people; where they stand they must fit their keys. `comment`, `note`, `id` and `signer_id` may be left out.
//
// A list without a signature is a draft: only its nodes are needed. `ekiden bootstrap sign` makes a list of it.
//
// Read strictly, because such files come from other people: unknown or repeated keys, wrong types, numbers and texts
// over their bounds are errors that name the file and the entry. Bounds: kMaxBootstrapFile bytes, kMaxBootstrapLists
// lists, and those of bootstrap/list.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "bootstrap/list.hpp"
#include "crypto/keys.hpp"
#include "identity/identity.hpp"

namespace ekiden::runtime {

inline constexpr std::string_view kBootstrapFormat = "ekiden bootstrap nodes 1";
/// Why such an endpoint is refused.
inline constexpr std::string_view kNameOverUdp = "nodes do not resolve names for UDP: give the address";
inline constexpr std::size_t kMaxBootstrapFile = std::size_t{1} << 20;
inline constexpr std::size_t kMaxBootstrapLists = 16;
inline constexpr std::size_t kMaxBootstrapComment = 1024;

struct FileList {
  bootstrap::NodeList list;
  std::optional<crypto::Signature> signature;  ///< Not verified. None: a draft, whose signer may be all zero.

  bool is_draft() const { return !signature.has_value(); }
  friend bool operator==(const FileList&, const FileList&) = default;
};

struct BootstrapFile {
  std::string comment;
  std::vector<FileList> lists;

  friend bool operator==(const BootstrapFile&, const BootstrapFile&) = default;
};

/// Reads the form; signatures and times are for verify_list(). `name` stands in errors. Errors: malformed, too_large,
/// unsupported (another format).
Result<BootstrapFile> parse_bootstrap_file(std::string_view text, std::string_view name);

/// What parse_bootstrap_file reads back.
std::string format_bootstrap_file(const BootstrapFile& file);

/// The signed form of a list. Errors: unauthenticated (a draft), too_large.
Result<Bytes> signed_form(const FileList& list);

/// Signs a list with our key: it becomes ours, with the next sequence. Errors: as bootstrap::sign_list.
Result<FileList> sign_file_list(const identity::Identity& signer, FileList list, WallTime issued_at, seconds ttl);

}  // namespace ekiden::runtime
