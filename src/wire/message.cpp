#include "wire/message.hpp"

namespace ekiden::wire::detail {

std::unexpected<Error> number_out_of_range() { return fail(Errc::malformed, "the number is out of range"); }

std::unexpected<Error> unknown_enum_value(std::uint64_t value) {
  return fail(Errc::unsupported, "the value " + std::to_string(value) + " is not known to this version");
}

std::unexpected<Error> wrong_size(std::size_t found, std::size_t expected) {
  return fail(Errc::malformed, std::to_string(found) + " bytes, expected " + std::to_string(expected));
}

std::unexpected<Error> missing_field(std::string_view message, std::string_view field) {
  return fail(Errc::malformed, std::string(message) + "." + std::string(field) + " is missing");
}

std::unexpected<Error> in_field(std::string_view message, std::string_view field, Error error) {
  return fail(std::string(message) + "." + std::string(field), std::move(error));
}

}  // namespace ekiden::wire::detail
