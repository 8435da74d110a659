#include "cli/program_pages.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace ekiden::cli {
namespace {

TEST(ProgramPages, WhatDiffersFromItsFileStays) {
  constexpr std::string_view kNothing = "Anonymous:             0 kB";
  EXPECT_TRUE(comes_back("55e0-55f0 r-xp 00001000 fe:00 1234   /usr/bin/ekiden", kNothing));
  EXPECT_TRUE(comes_back("55e0-55f0 r--p 00000000 fe:00 1234   /usr/lib/libc.so.6", kNothing));
  EXPECT_FALSE(comes_back("55e0-55f0 r-xp 00001000 fe:00 1234   /usr/bin/ekiden", "Anonymous:            10 kB"));
  EXPECT_FALSE(comes_back("55e0-55f0 rw-p 00001000 fe:00 1234   /usr/bin/ekiden", kNothing));
  EXPECT_FALSE(comes_back("55e0-55f0 r--s 00001000 fe:00 1234   /var/lib/ekiden/x", kNothing));
  EXPECT_FALSE(comes_back("55e0-55f0 r--p 00000000 00:00 0 ", kNothing));
  EXPECT_FALSE(comes_back("55e0-55f0 r-xp 00000000 00:00 0   [vdso]", kNothing));
  EXPECT_FALSE(comes_back("", kNothing));
}

/// KiB that are resident, of files.
long file_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::strtol(line.c_str() + 8, nullptr, 10);
  }
  return -1;
}

TEST(ProgramPages, WhatWasLetGoOfIsReadAgain) {
  constexpr std::size_t kSize = 8 << 20;
  std::string path = ::testing::TempDir() + "program_pages.XXXXXX";
  const int fd = ::mkstemp(path.data());
  ASSERT_GE(fd, 0);
  ::unlink(path.c_str());
  const std::string content(kSize, 'e');
  ASSERT_EQ(::write(fd, content.data(), kSize), static_cast<ssize_t>(kSize));
  void* const mapped = ::mmap(nullptr, kSize, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  ::close(fd);
  const long before = file_kib();
  ASSERT_GE(before, 8 << 10);
  let_go_of_program_pages();
  EXPECT_LT(file_kib(), before - (8 << 10));
  EXPECT_EQ(std::string_view(static_cast<const char*>(mapped), kSize), content);
  ::munmap(mapped, kSize);
}

}  // namespace
}  // namespace ekiden::cli
