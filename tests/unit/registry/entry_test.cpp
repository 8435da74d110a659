#include "registry/entry.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"
#include "support/golden.hpp"

namespace ekiden::registry {
namespace {

const identity::Identity kOwner = test::make_identity(1);
const identity::Identity kWriter = test::make_identity(2);

Entry full_entry() {
  Entry entry = sample_entry(kOwner, "printers/third-floor", {1'800'000'000'000, 3});
  entry.capability = "print/a4";
  entry.metadata = {{.key = "colour", .value = "yes"}, {.key = "room", .value = "301"}};
  entry.value = {0xde, 0xad, 0xbe, 0xef};
  return entry;
}

Entry shared_entry() {
  Entry entry = sample_entry(kOwner, "on-call");
  entry.shape = Shape::shared;
  entry.writers = {{.id = kWriter.id(), .grant = sign_grant(kOwner, "on-call", kWriter.id())}};
  return entry;
}

Entry writers_entry() {
  Entry entry = sample_entry(kOwner, "on-call");
  entry.shape = Shape::shared;
  entry.author = kWriter.public_key();
  entry.grant = sign_grant(kOwner, "on-call", kWriter.id());
  entry.value = {1};
  entry.seen = {{.author = kOwner.id(), .stamp = {to_unix_ms(test::kWall) - 5, 0}}};
  return entry;
}

TEST(Entry, HasItsGoldenBytes) { test::check_golden(full_entry()); }

TEST(Entry, HasItsGoldenSignedBytes) {
  test::check_golden_bytes("signed_entry", *sign_entry(kOwner, full_entry()));
  test::check_golden_bytes("signed_entry_of_writer", *sign_entry(kWriter, writers_entry()));
  EXPECT_EQ(to_hex(full_entry().id().bytes),
            to_hex(EntryId::of(kOwner.id(), kOwner.id(), "printers/third-floor").bytes));
}

TEST(Entry, IsVerifiedByItsAuthorsKey) {
  const Bytes bytes = *sign_entry(kOwner, full_entry());
  const auto read = read_entry(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, full_entry());
  EXPECT_TRUE(verify_entry(bytes, *read));
  for (std::size_t i = 0; i < bytes.size(); i += 5) {
    Bytes changed = bytes;
    changed[i] ^= 1;
    const auto other = read_entry(changed);
    EXPECT_FALSE(other && verify_entry(changed, *other)) << i;
  }
}

TEST(Entry, IsMeantForOneRegistry) {
  const Domain domain = {7, 7};
  const Bytes bytes = *sign_entry(kOwner, full_entry(), domain);
  test::check_golden_bytes("signed_entry_in_a_domain", bytes);
  EXPECT_TRUE(verify_entry(bytes, full_entry(), domain));
  for (const Domain& other : {Domain{}, Domain{7}, Domain{7, 8}})
    EXPECT_FALSE(verify_entry(bytes, full_entry(), other));
  EXPECT_FALSE(verify_entry(*sign_entry(kOwner, full_entry()), full_entry(), domain));
}

TEST(Entry, AGrantIsMeantForOneRegistry) {
  const Domain domain = {7, 7};
  Entry entry = writers_entry();
  EXPECT_FALSE(verify_entry(*sign_entry(kWriter, entry, domain), entry, domain)) << "the grant of another";
  entry.grant = sign_grant(kOwner, "on-call", kWriter.id(), domain);
  EXPECT_TRUE(verify_entry(*sign_entry(kWriter, entry, domain), entry, domain));
  EXPECT_FALSE(verify_entry(*sign_entry(kWriter, entry), entry));
}

TEST(Entry, OfAWriterNeedsTheGrantOfTheOwner) {
  const Bytes good = *sign_entry(kWriter, writers_entry());
  EXPECT_TRUE(verify_entry(good, *read_entry(good)));
  Entry entry = writers_entry();
  entry.name = "on-call/other";  // The grant is for another name.
  const Bytes other = *sign_entry(kWriter, entry);
  EXPECT_FALSE(verify_entry(other, *read_entry(other)));
  entry = writers_entry();
  entry.grant = sign_grant(kWriter, "on-call", kWriter.id());  // It is not the owner's to give.
  const Bytes forged = *sign_entry(kWriter, entry);
  EXPECT_FALSE(verify_entry(forged, *read_entry(forged)));
}

/// Each change makes an entry that its author could sign, and nobody takes.
TEST(Entry, BreaksARule) {
  const auto breaks = [](Entry entry, auto change) {
    EXPECT_TRUE(check_form(entry));
    change(entry);
    EXPECT_FALSE(check_form(entry));
    EXPECT_FALSE(read_entry(unsigned_entry(entry)));
  };
  breaks(full_entry(), [](Entry& e) { e.name = "Printers"; });
  breaks(full_entry(), [](Entry& e) { e.name.clear(); });
  breaks(full_entry(), [](Entry& e) { e.stamp.ms = kMaxUnixMs + 1; });
  breaks(full_entry(), [](Entry& e) { e.kept = e.expires - milliseconds(1); });
  breaks(full_entry(), [](Entry& e) { e.kept = from_unix_ms(e.stamp.ms) + kMaxLifetime + milliseconds(1); });
  breaks(full_entry(), [](Entry& e) { std::swap(e.metadata[0], e.metadata[1]); });
  breaks(full_entry(), [](Entry& e) { e.metadata[1].key = e.metadata[0].key; });
  breaks(full_entry(), [](Entry& e) { e.metadata[0].key.clear(); });
  breaks(full_entry(), [](Entry& e) { e.capability = "a//b"; });
  breaks(full_entry(), [](Entry& e) { e.removed = true; });
  breaks(full_entry(), [](Entry& e) { e.author = kWriter.public_key(); });
  breaks(full_entry(), [](Entry& e) { e.seen = {{.author = kWriter.id(), .stamp = {1, 0}}}; });
  breaks(full_entry(), [](Entry& e) { e.elements = {{.by = 0, .stamp = e.stamp, .value = {}}}; });
  breaks(shared_entry(), [](Entry& e) { e.writers.push_back(e.writers.front()); });
  breaks(writers_entry(), [](Entry& e) { e.writers = shared_entry().writers; });
  breaks(writers_entry(), [](Entry& e) { e.author = e.owner; });
  breaks(writers_entry(), [](Entry& e) { e.grant.reset(); });
  breaks(writers_entry(), [](Entry& e) { e.seen[0].stamp = e.stamp; });
  breaks(writers_entry(), [](Entry& e) { e.seen[0].author = kWriter.id(); });
  Entry set = writers_entry();
  set.shape = Shape::set;
  set.value.clear();
  set.elements = {{.by = 0, .stamp = set.stamp, .value = {1}}, {.by = 1, .stamp = {7, 0}, .value = {2}}};
  breaks(set, [](Entry& e) { e.elements[0].stamp.counter = 1; });
  breaks(set, [](Entry& e) { e.elements[1].by = 2; });
  breaks(set, [](Entry& e) { std::swap(e.elements[0], e.elements[1]); });
  breaks(set, [](Entry& e) { e.value = {1}; });
}

TEST(Entry, OfTheFutureOrThePastIsNotTaken) {
  const Entry entry = full_entry();
  const WallTime written = from_unix_ms(entry.stamp.ms);
  EXPECT_TRUE(check_time(entry, written));
  EXPECT_TRUE(check_time(entry, written - kMaxAhead));
  EXPECT_EQ(check_time(entry, written - kMaxAhead - milliseconds(1)).error().code, Errc::refused);
  EXPECT_TRUE(check_time(entry, entry.kept - milliseconds(1)));
  EXPECT_EQ(check_time(entry, entry.kept).error().code, Errc::expired);
}

TEST(Entry, HasABound) {
  Entry entry = shared_entry();
  entry.value.resize(kMaxValue);
  for (int i = 0; i < 16; ++i) {
    entry.metadata.push_back({.key = std::string(1, static_cast<char>('a' + i)), .value = std::string(128, 'x')});
  }
  EXPECT_TRUE(sign_entry(kOwner, entry));
  for (Byte i = 0; i < 15; ++i) entry.writers.push_back({.id = {{static_cast<Byte>(0xf0 + i), 0xff}}, .grant = {}});
  std::ranges::sort(entry.writers, {}, &Writer::id);
  EXPECT_EQ(sign_entry(kOwner, entry).error().code, Errc::too_large);
  EXPECT_EQ(read_entry(Bytes(kMaxEntrySize + 1)).error().code, Errc::too_large);
}

}  // namespace
}  // namespace ekiden::registry
