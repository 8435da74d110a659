// The bodies of messages: what a command is given, and how it is printed.
#pragma once

#include <optional>
#include <string>

#include "api/json.hpp"
#include "base/result.hpp"
#include "cli/output.hpp"

namespace ekiden::cli {

/// The text; "-" for the standard input; without a text the file. Errors: too_large, and those of files.
Result<std::string> read_body(const std::optional<std::string>& text, const std::string& file);

/// As "body", or as "body_base64" where JSON would make it too long.
void put_body(api::Json& draft, const std::string& body);

/// The body of a message as text, if it is text. One with control characters comes as base64, and may be printed all
/// the same: the output escapes them where they could do harm.
std::optional<std::string> text_body(const api::Json& message);

/// Any bytes.
std::string bytes_of(const api::Json& message);

/// What stands for a body that is no text.
std::string describe_body(const Output& output, const api::Json& message);

/// Says what to do where the node has no room for a message.
Error with_remedy(Error error);

}  // namespace ekiden::cli
