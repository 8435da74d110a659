// CHECK and ASSUME: what they are for, and what they are not.
//
// CHECK guards our own invariants. It stays on in release: a node that broke an invariant must stop before it
// acknowledges something it does not have. It never judges what a peer, a file or a user sent: that is what Result is
// for. ASSUME is the same for checks too expensive for release (on in debug and fuzz builds).
#pragma once

namespace ekiden {

/// Prints where and what, then aborts. Never returns.
[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace ekiden

#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::ekiden::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)

#if defined(NDEBUG) && !defined(EKIDEN_ASSUME)
#define ASSUME(condition) static_cast<void>(0)
#else
#define ASSUME(condition) CHECK(condition)
#endif
