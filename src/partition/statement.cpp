#include "partition/statement.hpp"

#include <string>
#include <utility>

#include "base/check.hpp"
#include "identity/cose_sign.hpp"

namespace ekiden::partition {
namespace {

constexpr std::string_view kStatementPurpose = "ekiden partition 1";

Result<Statement> open_statement(ByteView signed_bytes) {
  if (signed_bytes.size() > kMaxStatementSize) {
    return fail(Errc::too_large, std::to_string(signed_bytes.size()) + " bytes, at most " +
                                     std::to_string(kMaxStatementSize) + " are allowed");
  }
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(signed_bytes));
  EKIDEN_ASSIGN(Statement statement, wire::decode<Statement>(parts.payload));
  if (statement.sequence == 0 || statement.sequence > kMaxSequence) {
    return fail(Errc::malformed, "its sequence is " + std::to_string(statement.sequence));
  }
  return statement;
}

}  // namespace

Bytes sign_statement(const identity::Identity& self, const Statement& statement) {
  CHECK(statement.public_key == self.public_key() && statement.silent.size() <= kMaxSilent);
  CHECK(statement.sequence != 0 && statement.sequence <= kMaxSequence);
  Bytes out = identity::cose_sign(self, as_bytes(kStatementPurpose), wire::encode(statement));
  CHECK(out.size() <= kMaxStatementSize);
  return out;
}

Result<Statement> read_statement(ByteView signed_bytes) {
  auto statement = open_statement(signed_bytes);
  if (!statement) return fail("the statement is not valid", std::move(statement).error());
  return statement;
}

Status verify_statement(ByteView signed_bytes, const Statement& statement) {
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(signed_bytes));
  const Status proven = identity::cose_verify(parts, statement.public_key, as_bytes(kStatementPurpose));
  if (!proven) return fail("the statement is not valid", proven.error());
  return {};
}

}  // namespace ekiden::partition
