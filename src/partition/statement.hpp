// Statements as they travel: COSE_Sign1 (EdDSA, strict profile, purpose "ekiden partition 1"), so that whoever hands
// one on can neither change it nor make one. A single member can say of others what it likes; it cannot say it in the
// name of a second one, and nothing is believed of one alone.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "identity/identity.hpp"
#include "partition/messages.hpp"

namespace ekiden::partition {

/// REQUIRES: the key is ours, the sequence and the list within their bounds.
Bytes sign_statement(const identity::Identity& self, const Statement& statement);

/// Size and form, not the signature: for looking whether that is worth its cost. Errors: too_large, malformed,
/// unsupported.
Result<Statement> read_statement(ByteView signed_bytes);

/// The signature of what read_statement() took. Errors: refused (an unacceptable key), unauthenticated.
Status verify_statement(ByteView signed_bytes, const Statement& statement);

}  // namespace ekiden::partition
