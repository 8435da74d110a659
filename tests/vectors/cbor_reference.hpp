// A naive second opinion on CBOR: is this one item in the deterministic encoding of RFC 8949 section 4.2.1?
//
// Vector files say which bytes are well-formed, seldom which are deterministic; the expectation must not come from the
// decoder under test. This one is recursive, copies, and looks at bytes only: no types, no limits but the depth.
#pragma once

#include "base/bytes.hpp"

namespace ekiden::vectors {

/// True if the bytes are exactly one well-formed item, nested at most 16 deep, with shortest numbers, lengths and
/// floats, no indefinite lengths, and map keys that ascend bytewise. Does not look into text, dates or big numbers.
bool is_deterministic_cbor(ByteView bytes);

}  // namespace ekiden::vectors
