// One side of a handshake or link under test.
#pragma once

#include "link/handshake.hpp"
#include "support/identities.hpp"

namespace ekiden::link::test {

using ekiden::test::at;
using ekiden::test::kWall;
using ekiden::test::make_identity;
using ekiden::test::make_record;
using ekiden::test::make_rng;

struct Party {
  explicit Party(Byte number)
      : identity(make_identity(number)), local{.self = identity, .record = make_record(identity)} {}
  Party(const Party&) = delete;  // `local` refers to `identity`.
  Party& operator=(const Party&) = delete;

  identity::Identity identity;
  LocalParty local;
};

}  // namespace ekiden::link::test
