// Making and passing on the errors of include/ekiden/error.hpp.
//
// Exceptions appear only at the edges of third-party libraries and are turned into Errors there.
#pragma once

#include <ekiden/error.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace ekiden {

inline std::unexpected<Error> fail(Errc code, std::string message) {
  return std::unexpected<Error>(Error{code, std::move(message)});
}

/// Puts "what: " before the message of an error on its way up, so that the sentence names what was being done.
inline std::unexpected<Error> fail(std::string_view what, Error error) {
  error.message.insert(0, std::string(what) + ": ");
  return std::unexpected<Error>(std::move(error));
}

}  // namespace ekiden

#define EKIDEN_CONCAT_(a, b) a##b
#define EKIDEN_CONCAT(a, b) EKIDEN_CONCAT_(a, b)

/// EKIDEN_TRY(expression): returns its error from the enclosing function, if it is one; drops a value.
#define EKIDEN_TRY(expression)                                                   \
  do {                                                                           \
    if (auto ekiden_status = (expression); !ekiden_status) [[unlikely]]          \
      return std::unexpected<::ekiden::Error>(std::move(ekiden_status).error()); \
  } while (false)

/// EKIDEN_ASSIGN(declaration, expression): the value of a Result, or returns its error from the enclosing function.
#define EKIDEN_ASSIGN(declaration, expression) \
  EKIDEN_ASSIGN_(EKIDEN_CONCAT(ekiden_result_, __LINE__), declaration, expression)
#define EKIDEN_ASSIGN_(result, declaration, expression)                 \
  auto result = (expression);                                           \
  if (!result) [[unlikely]]                                             \
    return std::unexpected<::ekiden::Error>(std::move(result).error()); \
  declaration = std::move(*result)
