#include "mailbox/statement.hpp"

#include <utility>

#include "base/check.hpp"
#include "identity/cose_sign.hpp"

namespace ekiden::mailbox {

std::string_view refusal_reason_text(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::off:
      return "it keeps nothing for others";
    case RefusalReason::storage:
      return "its storage fails";
    case RefusalReason::expired:
      return "expired by its clock";
    case RefusalReason::full:
      return "it is full";
    case RefusalReason::strangers_full:
      return "its room for strangers is full";
    case RefusalReason::prefix_full:
      return "the share of this network is used up";
    case RefusalReason::sender_full:
      return "the share of this sender is used up";
    case RefusalReason::owner_full:
      return "the share of the recipient is used up";
  }
  std::unreachable();
}

Bytes sign_statement(const identity::Identity& self, const Statement& statement) {
  CHECK(statement.by == self.id());
  Bytes cose = identity::cose_sign(self, as_bytes(kStatementPurpose), wire::encode(statement));
  CHECK(cose.size() <= kMaxStatementSize);
  return cose;
}

Result<Statement> open_statement(ByteView cose, const identity::PeerId& from, const crypto::Ed25519PublicKey& key,
                                 const identity::PeerId& self) {
  if (cose.size() > kMaxStatementSize) return fail(Errc::too_large, "a statement of more than 1.5 KiB");
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(cose));
  EKIDEN_TRY(identity::cose_verify(parts, key, as_bytes(kStatementPurpose)));
  EKIDEN_ASSIGN(Statement statement, wire::decode<Statement>(parts.payload));
  if (statement.by != from) return fail(Errc::refused, "a statement by somebody else than the neighbour that sent it");
  if (statement.to != self) return fail(Errc::refused, "a statement for somebody else");
  return statement;
}

}  // namespace ekiden::mailbox
