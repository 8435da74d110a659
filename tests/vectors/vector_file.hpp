// A file that may hold test vectors: its text, and its JSON where it is JSON, whatever it is called.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::vectors {

using Json = nlohmann::json;

struct VectorFile {
  std::string name;  ///< As it is printed: relative to the directory that was asked for.
  std::string text;
  Json json;                 ///< "discarded" if the text is not JSON.
  bool claims_json = false;  ///< Its name ends in .json.
};

/// Reads at most kMaxFileSize bytes. Errors: not_found, too_large, storage_failed.
Result<VectorFile> load(const std::filesystem::path& path, std::string name);

inline constexpr std::size_t kMaxFileSize = std::size_t{64} << 20;

/// The bytes that hexadecimal text stands for, blanks ignored. Throws std::runtime_error for anything else.
Bytes hex_bytes(const std::string& text);

/// The same of a member of an object. Throws if there is none.
Bytes hex_at(const Json& object, const char* key);

/// The same where exactly N bytes are needed. Throws for another length.
template <std::size_t N>
ByteArray<N> array_at(const Json& object, const char* key) {
  const auto bytes = hex_at(object, key);
  if (bytes.size() != N) throw std::runtime_error(std::string(key) + " is not " + std::to_string(N) + " bytes long");
  return take_array<N>(bytes);
}

/// An empty byte string where the member is missing.
Bytes hex_or_empty(const Json& object, const char* key);

/// A text member, or nothing. Never throws.
std::string text_or_empty(const Json& object, const char* key);

/// True if the file is a JSON array of objects that all have this member.
bool is_array_with(const Json& json, const char* key);

}  // namespace ekiden::vectors
