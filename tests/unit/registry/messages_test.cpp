#include "registry/messages.hpp"

#include <gtest/gtest.h>

#include "registry/packer.hpp"
#include "support/golden.hpp"

namespace ekiden::registry {
namespace {

constexpr ByteArray<8> kSalt = {1, 2, 3, 4, 5, 6, 7, 8};

TEST(RegistryMessages, HaveTheirGoldenBytes) {
  test::check_golden(Ask{.round = 7, .salt = kSalt, .paths = {{}, {1, 15}}, .shorts = {}});
  test::check_golden(Places{.round = 7,
                            .places = {{.path = {}, .is_leaf = false, .shorts = Bytes(128, 0xaa)},
                                       {.path = {1, 15}, .is_leaf = true, .shorts = Bytes(8, 0xbb)}}});
  EntryId id;
  id.bytes.fill(0xcc);
  test::check_golden(Want{.round = 7,
                          .salt = kSalt,
                          .wanted = {{.path = {1, 15}, .shorts = Bytes(8, 0xbb)}},
                          .have = {{.id = id, .stamp = {1'800'000'000'000, 2}}}});
  const Bytes entry = {0xd2, 0x84};
  test::check_golden_bytes("registry_entries",
                           wire::encode(Entries{.round = 7, .last = true, .entries = {entry}, .wanted = {id}}));
}

TEST(Packer, FillsMessagesAndMarksTheLastAnswer) {
  const Bytes entry(kMaxEntrySize, 7);
  Packer packer(9);
  packer.want({});
  for (int i = 0; i < 20; ++i) packer.add(entry);
  const Messages messages = packer.take(true);
  EXPECT_EQ(messages.size(), 3U);
  std::size_t entries = 0;
  for (const auto& message : messages) {
    EXPECT_LE(message->size(), 34'816U);
    const auto read = wire::decode<Entries>(ByteView(*message).subspan(1));
    ASSERT_TRUE(read);
    entries += read->entries.size();
    EXPECT_EQ(read->last, message == messages.back());
    EXPECT_EQ(read->wanted.size(), message == messages.front() ? 1U : 0U);
  }
  EXPECT_EQ(entries, 20U);
  EXPECT_EQ(Packer(9).take(true).size(), 1U);
  EXPECT_EQ(Packer(0).take(false).size(), 0U);
}

}  // namespace
}  // namespace ekiden::registry
