// What the unit tests of sessions share.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "unit/session/agent.hpp"

namespace ekiden::session {

/// Seals what must succeed, and persists.
inline Bytes sealed_by(Now now, Agent& from, const Agent& to, std::string_view text,
                       Durability durability = Durability::durable) {
  const auto result = from.seal(now, to.record(now), durability, text);
  from.persist();
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return result ? result->sealed : Bytes{};
}

/// `to` opens what `from` sealed and finds the text.
inline void expect_opens(Now now, Agent& to, const Agent& from, ByteView body, std::string_view text,
                         Durability durability = Durability::durable) {
  const auto opened = to.open(now, from.id(), body, durability);
  ASSERT_TRUE(opened.has_value()) << "failure " << static_cast<int>(opened.error());
  EXPECT_EQ(as_text(opened->plaintext), text);
  EXPECT_EQ(opened->from, from.id());
  EXPECT_EQ(opened->session, *Sessions::peek_session(body));
}

inline void expect_fails(Now now, Agent& to, const Agent& from, ByteView body, OpenFailure why,
                         Durability durability = Durability::durable) {
  const auto opened = to.open(now, from.id(), body, durability);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(static_cast<int>(opened.error()), static_cast<int>(why));
}

/// One message from here to there, persisted on both sides.
inline void say(Now now, Agent& from, Agent& to, Durability durability = Durability::durable) {
  expect_opens(now, to, from, sealed_by(now, from, to, "hello", durability), "hello", durability);
  to.persist();
}

/// One message each way: an established session.
inline void converse(Now now, Agent& a, Agent& b) {
  say(now, a, b);
  say(now, b, a);
}

}  // namespace ekiden::session
