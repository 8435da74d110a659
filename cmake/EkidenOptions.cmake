# How everything of ours is compiled: warnings, hardening, sanitizers, compiler cache. Targets link `ekiden_options`.
include_guard()

find_program(CCACHE ccache)
if(CCACHE)
  # Without these ccache refuses every file that uses a precompiled header; the headers themselves are still hashed.
  # The base directory lets a clone in another place use what was compiled in this one.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
    "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" "CCACHE_NOHASHDIR=1"
    "${CCACHE}")
endif()

add_library(ekiden_options INTERFACE)
target_compile_options(ekiden_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Werror
  -fvisibility=hidden -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports `"text" + std::string` as overlapping memory (GCC bug 105651), the flag of an std::expected in an
  # std::variant as uninitialised, and sizes and offsets that cannot occur in vectors of bytes that it has inlined:
  # there is nothing to mend in our code, and Clang and the sanitizers look as well.
  target_compile_options(ekiden_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds
    -Wno-stringop-overflow -Wno-stringop-overread)
else()
  # The stable sort of GCC 12's library calls a function that the library itself has deprecated, and Clang tells each of
  # our calls of it; GCC still reports what we call.
  target_compile_options(ekiden_options INTERFACE -Wno-deprecated-declarations)
  # Keeps precompiled headers cacheable: their time stamps are not part of what they contain.
  target_compile_options(ekiden_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()
target_compile_definitions(ekiden_options INTERFACE
  BOOST_ASIO_HAS_CO_AWAIT BOOST_ASIO_HAS_STD_COROUTINE BOOST_ASIO_NO_DEPRECATED BOOST_ALLOW_DEPRECATED_HEADERS
  $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

if(EKIDEN_SANITIZE)
  target_compile_options(ekiden_options INTERFACE
    -fsanitize=${EKIDEN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(ekiden_options INTERFACE -fsanitize=${EKIDEN_SANITIZE})
else()
  target_compile_options(ekiden_options INTERFACE -fstack-protector-strong $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  target_link_options(ekiden_options INTERFACE -Wl,-z,relro,-z,now)
endif()

if(EKIDEN_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "EKIDEN_FUZZ needs clang (libFuzzer). Use a preset that has it: cmake --preset fuzz")
  endif()
  # Coverage of our own code guides the fuzzer; the main function comes only with the fuzz targets.
  target_compile_options(ekiden_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(ekiden_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The allocator of our programs (docs/decisions/0023-allocator.md); the library leaves that to the program that it is
# part of, and sanitizers bring their own. It is linked before the C library, whose malloc it replaces.
add_library(ekiden_allocator INTERFACE)
if(NOT EKIDEN_SANITIZE)
  find_package(mimalloc 2.0 REQUIRED)
  target_link_libraries(ekiden_allocator INTERFACE mimalloc)
  target_compile_definitions(ekiden_allocator INTERFACE EKIDEN_MIMALLOC)
endif()
