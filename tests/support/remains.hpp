// What an object leaves behind in its memory when it dies.
#pragma once

#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "base/bytes.hpp"

namespace ekiden::test {

/// Makes a T, lets `use` have it, destroys it, and returns the bytes of the memory that it lived in. The memory is full
/// of 0xaa before, so that no zero is there by chance.
template <class T, class Use, class... Arguments>
ByteArray<sizeof(T)> remains_of(Use use, Arguments&&... arguments) {
  alignas(T) std::array<unsigned char, sizeof(T)> memory;
  // The compiler leaves out what is written to an object that dies unread: here all of it may be read.
  const auto touch = [&] { asm volatile("" : : "r"(memory.data()) : "memory"); };
  memory.fill(0xaa);
  touch();
  T* const object = new (memory.data()) T(std::forward<Arguments>(arguments)...);
  use(*object);
  touch();
  object->~T();
  touch();
  // Volatile: the compiler may take what is read here for undefined otherwise.
  ByteArray<sizeof(T)> remains;
  const volatile unsigned char* bytes = memory.data();
  for (std::size_t i = 0; i < sizeof(T); ++i) remains[i] = bytes[i];
  return remains;
}

}  // namespace ekiden::test
