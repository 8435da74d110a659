// The HTTP request parser against two models: itself fed byte by byte, and Boost.Beast's parser.
//
// The parser may refuse what Beast takes; that is what it is for. What it takes, Beast must take too, and read as the
// same request: a difference is a smuggled request in the making.
#include "api/http_request.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "api/http_target.hpp"
#include "base/check.hpp"

namespace {

using ekiden::ByteView;
using ekiden::api::HttpLimits;
using ekiden::api::RequestReader;
namespace http = boost::beast::http;

/// Reads one request in pieces of the given size; tells how many bytes it took.
std::pair<RequestReader, std::size_t> read_one(ByteView input, std::size_t piece) {
  RequestReader reader{HttpLimits{}};
  std::size_t used = 0;
  while (reader.state() != RequestReader::State::done && reader.state() != RequestReader::State::failed) {
    if (reader.state() == RequestReader::State::ready) {
      reader.read_body();
      continue;
    }
    if (used == input.size()) break;
    const auto part = input.subspan(used, std::min(piece, input.size() - used));
    const auto taken = reader.feed(part);
    CHECK(taken <= part.size());
    used += taken;
  }
  return {std::move(reader), used};
}

void check_bounds(const RequestReader& reader) {
  const HttpLimits limits;
  CHECK(reader.body().size() <= limits.max_body);
  CHECK(reader.head().fields.size() <= limits.max_fields);
  CHECK(reader.head().target.size() <= limits.max_target);
  if (reader.state() != RequestReader::State::failed) return;
  CHECK(reader.refusal().status >= 400 && reader.refusal().status < 600);
  CHECK(!reader.refusal().error.message.empty());
}

void check_against_beast(const RequestReader& ours, ByteView request) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(1 << 20);
  parser.body_limit(1 << 20);
  parser.eager(true);
  boost::beast::error_code failure;
  std::size_t used = 0;
  while (!parser.is_done() && used < request.size()) {
    const auto taken = parser.put(boost::asio::buffer(request.data() + used, request.size() - used), failure);
    CHECK(!failure && taken > 0);
    used += taken;
  }
  CHECK(parser.is_done() && used == request.size());
  const auto& theirs = parser.get();
  CHECK(ours.head().method == std::string_view(theirs.method_string().data(), theirs.method_string().size()));
  CHECK(ours.head().target == std::string_view(theirs.target().data(), theirs.target().size()));
  CHECK(ours.body() == theirs.body());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const auto [whole, used] = read_one(input, size + 1);
  const auto [pieces, used_in_pieces] = read_one(input, 1);
  check_bounds(whole);
  CHECK(whole.state() == pieces.state());
  CHECK(whole.head().target == pieces.head().target && whole.body() == pieces.body());
  if (whole.state() == RequestReader::State::failed) {
    CHECK(whole.refusal().status == pieces.refusal().status);
  } else {
    CHECK(used == used_in_pieces);
  }
  if (whole.state() == RequestReader::State::done) {
    check_against_beast(whole, input.first(used));
    static_cast<void>(ekiden::api::parse_target(whole.head().target));
  }
  return 0;
}
