// The signed word of a mailbox that parcels are on its disk.
#pragma once

#include "identity/identity.hpp"
#include "mailbox/messages.hpp"

namespace ekiden::mailbox {

/// The external_aad of statements.
inline constexpr std::string_view kStatementPurpose = "ekiden stored 1";

/// REQUIRES: statement.by is `self`; at most kMaxStatementItems items.
Bytes sign_statement(const identity::Identity& self, const Statement& statement);

/// Verifies a statement of a neighbour: its signature by `key`, by == from, to == self.
/// Errors: too_large, malformed, unsupported, unauthenticated, refused (not by that neighbour or not for us).
Result<Statement> open_statement(ByteView cose, const identity::PeerId& from, const crypto::Ed25519PublicKey& key,
                                 const identity::PeerId& self);

}  // namespace ekiden::mailbox
