#include "vector_file.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

#include "base/encoding.hpp"

namespace ekiden::vectors {
namespace {

bool looks_like_json(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (text[first] == '{' || text[first] == '[');
}

}  // namespace

Result<VectorFile> load(const std::filesystem::path& path, std::string name) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail(Errc::not_found, path.string() + ": " + error.message());
  if (size > kMaxFileSize) return fail(Errc::too_large, path.string() + " is larger than 64 MiB");
  std::ifstream stream(path, std::ios::binary);
  VectorFile file{.name = std::move(name),
                  .text = std::string(std::istreambuf_iterator<char>(stream), {}),
                  .json = Json(Json::value_t::discarded),
                  .claims_json = path.extension() == ".json"};
  if (!stream) return fail(Errc::storage_failed, path.string() + " cannot be read");
  if (looks_like_json(file.text)) file.json = Json::parse(file.text, nullptr, false);
  return file;
}

Bytes hex_bytes(const std::string& text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits),
                       [](char c) { return std::isspace(static_cast<unsigned char>(c)) == 0; });
  auto bytes = from_hex(digits);
  if (!bytes) throw std::runtime_error("'" + digits.substr(0, 40) + "': " + bytes.error().message);
  return std::move(*bytes);
}

Bytes hex_at(const Json& object, const char* key) { return hex_bytes(object.at(key).get<std::string>()); }

Bytes hex_or_empty(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? Bytes() : hex_bytes(found->get<std::string>());
}

std::string text_or_empty(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_array_with(const Json& json, const char* key) {
  return json.is_array() && !json.empty() &&
         std::ranges::all_of(json, [key](const Json& entry) { return entry.is_object() && entry.contains(key); });
}

}  // namespace ekiden::vectors
