#include "runtime/json.hpp"

#include <functional>
#include <set>
#include <utility>

#include "base/encoding.hpp"

namespace ekiden::runtime {
namespace {

std::string key_text(std::string_view key) { return "'" + std::string(key) + "'"; }

/// Follows a parse and finds what the parser lets pass: depth and duplicate keys.
class Watch {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= kMaxJsonDepth) too_deep_ = true;
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
    if (event == Json::parse_event_t::key && !keys_.empty() && !duplicate_) {
      auto key = parsed.get<std::string>();
      if (!keys_.back().insert(key).second) duplicate_ = std::move(key);
    }
    return true;
  }

  Status verdict() const {
    if (too_deep_) return fail(Errc::too_large, "JSON is nested too deeply");
    if (duplicate_) return fail(Errc::malformed, "JSON has the key " + key_text(*duplicate_) + " twice in one object");
    return {};
  }

 private:
  std::vector<std::set<std::string>> keys_;
  std::optional<std::string> duplicate_;
  bool too_deep_ = false;
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (!is_utf8(as_bytes(text))) return fail(Errc::malformed, "JSON is not UTF-8");
  Watch watch;
  auto value = Json::parse(text, std::ref(watch), /*allow_exceptions=*/false);
  if (value.is_discarded()) return fail(Errc::malformed, "this is not JSON");
  EKIDEN_TRY(watch.verdict());
  return value;
}

std::string dump_json(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

ObjectReader::ObjectReader(const Json& value) : value_(value) {
  if (!value_.is_object()) refuse(Errc::invalid_argument, "a JSON object is expected");
}

void ObjectReader::refuse(Errc code, std::string message) {
  if (!error_) error_ = Error{code, std::move(message)};
}

void ObjectReader::refuse_type(std::string_view key, std::string_view wanted) {
  refuse(Errc::invalid_argument, key_text(key) + " must be " + std::string(wanted));
}

bool ObjectReader::has(std::string_view key) const { return value_.is_object() && value_.contains(key); }

/// nullptr if the key is missing or null, which mean the same.
const Json* ObjectReader::take(std::string_view key) {
  taken_.emplace(key);
  if (!has(key)) return nullptr;
  const auto& found = value_.at(std::string(key));
  return found.is_null() ? nullptr : &found;
}

std::optional<std::string> ObjectReader::text(std::string_view key, std::size_t max_size) {
  const auto* found = take(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) {
    refuse_type(key, "a string");
    return std::nullopt;
  }
  auto out = found->get<std::string>();
  if (out.size() > max_size) {
    refuse(Errc::too_large, key_text(key) + " is over its limit of " + std::to_string(max_size) + " bytes");
    return std::nullopt;
  }
  return out;
}

std::string ObjectReader::required_text(std::string_view key, std::size_t max_size) {
  auto out = text(key, max_size);
  if (!out) refuse(Errc::invalid_argument, key_text(key) + " is missing");
  return std::move(out).value_or("");
}

std::optional<std::uint64_t> ObjectReader::number(std::string_view key, std::uint64_t min, std::uint64_t max) {
  const auto* found = take(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() < min || found->get<std::uint64_t>() > max) {
    refuse_type(key, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }
  return found->get<std::uint64_t>();
}

std::optional<bool> ObjectReader::boolean(std::string_view key) {
  const auto* found = take(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_boolean()) {
    refuse_type(key, "true or false");
    return std::nullopt;
  }
  return found->get<bool>();
}

std::optional<std::vector<std::string>> ObjectReader::texts(std::string_view key, std::size_t max_count,
                                                            std::size_t max_size) {
  const auto* found = take(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_array() || found->size() > max_count) {
    refuse_type(key, "a list of at most " + std::to_string(max_count) + " strings");
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (const auto& item : *found) {
    if (!item.is_string() || item.get_ref<const std::string&>().size() > max_size) {
      refuse_type(key, "a list of strings of at most " + std::to_string(max_size) + " bytes");
      return std::nullopt;
    }
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::optional<std::vector<std::uint64_t>> ObjectReader::numbers(std::string_view key, std::size_t max_count) {
  const auto* found = take(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_array() || found->size() > max_count) {
    refuse_type(key, "a list of at most " + std::to_string(max_count) + " whole numbers");
    return std::nullopt;
  }
  std::vector<std::uint64_t> out;
  for (const auto& item : *found) {
    if (!item.is_number_unsigned()) {
      refuse_type(key, "a list of whole numbers");
      return std::nullopt;
    }
    out.push_back(item.get<std::uint64_t>());
  }
  return out;
}

Status ObjectReader::finish() {
  if (error_) return std::unexpected<Error>(*error_);
  for (const auto& [key, unused] : value_.items()) {
    if (!taken_.contains(key)) return fail(Errc::invalid_argument, "the key " + key_text(key) + " is not known here");
  }
  return {};
}

}  // namespace ekiden::runtime
