#include "runtime/bootstrap_file.hpp"

#include <algorithm>
#include <utility>

#include "base/encoding.hpp"
#include "runtime/json.hpp"
#include "runtime/utc_text.hpp"

namespace ekiden::runtime {
namespace {

constexpr std::size_t kMaxIdText = 90;
constexpr std::size_t kMaxTimeText = 32;
constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 53;  ///< What every JSON reader reads exactly (RFC 7493).

/// Reads one object; `where` names it in errors: "lists[0].nodes[2]".
class Place {
 public:
  Place(const Json& json, std::string where) : reader_(json), where_(std::move(where)) {}

  ObjectReader& reader() { return reader_; }
  const std::string& where() const { return where_; }

  /// Exactly N bytes as hexadecimal; nothing if the key is missing.
  template <std::size_t N>
  std::optional<ByteArray<N>> hex(std::string_view key) {
    const auto text = reader_.text(key, 2 * N);
    if (!text) return std::nullopt;
    const auto bytes = from_hex(*text);
    if (bytes && bytes->size() == N) return take_array<N>(*bytes);
    refuse("'" + std::string(key) + "' must be " + std::to_string(2 * N) + " hexadecimal digits");
    return std::nullopt;
  }

  /// An id that stands beside its key must fit it.
  void check_id(std::string_view key, const crypto::Ed25519PublicKey& public_key) {
    const auto text = reader_.text(key, kMaxIdText);
    if (!text) return;
    const auto id = identity::PeerId::parse(*text);
    if (!id) return refuse("'" + std::string(key) + "': " + id.error().message);
    if (*id != identity::PeerId::of(public_key))
      refuse("'" + std::string(key) + "' is not the id of the key beside it");
  }

  /// The objects of a list.
  std::vector<const Json*> objects(std::string_view key, std::size_t max_count) {
    std::vector<const Json*> out;
    const Json* found = reader_.raw(key);
    if (found == nullptr) {
      refuse("'" + std::string(key) + "' is missing");
    } else if (!found->is_array() || found->size() > max_count) {
      refuse("'" + std::string(key) + "' must be a list of at most " + std::to_string(max_count) + " objects");
    } else {
      for (const Json& item : *found) out.push_back(&item);
    }
    return out;
  }

  void refuse(std::string why) { reader_.refuse(Errc::malformed, std::move(why)); }

  /// Everything outside is malformed or too large, whatever the reader calls it.
  Status finish() {
    auto done = reader_.finish();
    if (done) return done;
    Error error = std::move(done).error();
    if (error.code != Errc::too_large) error.code = Errc::malformed;
    return where_.empty() ? std::unexpected(std::move(error)) : fail(where_, std::move(error));
  }

 private:
  ObjectReader reader_;
  std::string where_;
};

std::string indexed(const std::string& where, std::string_view list, std::size_t index) {
  return where + (where.empty() ? "" : ".") + std::string(list) + "[" + std::to_string(index) + "]";
}

Result<bootstrap::ListedNode> read_node(const Json& json, std::string where) {
  Place place(json, std::move(where));
  bootstrap::ListedNode node;
  const auto key = place.hex<32>("public_key");
  if (!key) place.refuse("'public_key' is missing");
  node.public_key.bytes = key.value_or(ByteArray<32>{});
  if (key) place.check_id("id", node.public_key);
  auto endpoints = place.reader().texts("endpoints", bootstrap::kMaxNodeEndpoints, bootstrap::kMaxEndpointSize);
  if (!endpoints || endpoints->empty()) place.refuse("'endpoints' is missing");
  node.endpoints = std::move(endpoints).value_or(std::vector<std::string>{});
  node.note = place.reader().text("note", bootstrap::kMaxNoteSize);
  EKIDEN_TRY(place.finish());
  return node;
}

/// The signature and what only a signed list needs.
void read_signing(Place& place, FileList& out) {
  bootstrap::NodeList& list = out.list;
  if (const auto signature = place.hex<64>("signature")) out.signature = crypto::Signature{*signature};
  const auto signer = place.hex<32>("signer");
  if (signer) {
    list.public_key.bytes = *signer;
    place.check_id("signer_id", list.public_key);
  }
  const auto sequence = place.reader().number("sequence", 0, kMaxNumber);
  const auto issued_at = place.reader().text("issued_at", kMaxTimeText);
  const auto ttl = place.reader().number("ttl_seconds", 0, UINT32_MAX);
  list.sequence = sequence.value_or(0);
  list.ttl_seconds = static_cast<std::uint32_t>(ttl.value_or(0));
  if (issued_at) {
    const auto time = parse_utc(*issued_at);
    if (!time) place.refuse("'issued_at': " + time.error().message);
    list.issued_at = time.value_or(WallTime{});
  }
  if (out.signature && (!signer || !sequence || !issued_at || !ttl)) {
    place.refuse("a signed list needs 'signer', 'sequence', 'issued_at' and 'ttl_seconds'");
  }
}

Result<FileList> read_list(const Json& json, std::string where) {
  Place place(json, std::move(where));
  FileList out;
  read_signing(place, out);
  const auto nodes = place.objects("nodes", bootstrap::kMaxListNodes);
  EKIDEN_TRY(place.finish());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    EKIDEN_ASSIGN(auto node, read_node(*nodes[i], indexed(place.where(), "nodes", i)));
    out.list.nodes.push_back(std::move(node));
  }
  return out;
}

Result<BootstrapFile> read_file_object(const Json& json) {
  Place place(json, {});
  const std::string format = place.reader().required_text("format", kMaxBootstrapComment);
  BootstrapFile file;
  file.comment = place.reader().text("comment", kMaxBootstrapComment).value_or("");
  const auto lists = place.objects("lists", kMaxBootstrapLists);
  EKIDEN_TRY(place.finish());
  if (format != kBootstrapFormat) {
    return fail(Errc::unsupported,
                "its 'format' is not \"" + std::string(kBootstrapFormat) + "\", which this build reads");
  }
  for (std::size_t i = 0; i < lists.size(); ++i) {
    EKIDEN_ASSIGN(auto list, read_list(*lists[i], indexed({}, "lists", i)));
    file.lists.push_back(std::move(list));
  }
  return file;
}

Json node_json(const bootstrap::ListedNode& node) {
  Json json = {{"public_key", to_hex(node.public_key.view())}, {"id", node.id().text()}, {"endpoints", node.endpoints}};
  if (node.note) json["note"] = *node.note;
  return json;
}

Json list_json(const FileList& list) {
  Json json = Json::object();
  if (list.signature || list.list.public_key != crypto::Ed25519PublicKey{}) {
    json["signer"] = to_hex(list.list.public_key.view());
    json["signer_id"] = list.list.signer().text();
  }
  const bool is_blank = list.list.sequence == 0 && list.list.ttl_seconds == 0 && list.list.issued_at == WallTime{};
  if (list.signature || !is_blank) {
    json["sequence"] = list.list.sequence;
    json["issued_at"] = utc_text(list.list.issued_at);
    json["ttl_seconds"] = list.list.ttl_seconds;
  }
  json["nodes"] = Json::array();
  for (const auto& node : list.list.nodes) json["nodes"].push_back(node_json(node));
  if (list.signature) json["signature"] = to_hex(list.signature->view());
  return json;
}

}  // namespace

Result<BootstrapFile> parse_bootstrap_file(std::string_view text, std::string_view name) {
  if (text.size() > kMaxBootstrapFile) {
    return fail(name, Error{Errc::too_large, "at most " + std::to_string(kMaxBootstrapFile) + " bytes are allowed"});
  }
  auto json = parse_json(text);
  if (!json) return fail(name, std::move(json).error());
  auto file = read_file_object(*json);
  if (!file) return fail(name, std::move(file).error());
  return file;
}

std::string format_bootstrap_file(const BootstrapFile& file) {
  Json json = {{"format", kBootstrapFormat}};
  if (!file.comment.empty()) json["comment"] = file.comment;
  json["lists"] = Json::array();
  for (const auto& list : file.lists) json["lists"].push_back(list_json(list));
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Bytes> signed_form(const FileList& list) {
  if (!list.signature) {
    return fail(Errc::unauthenticated, "the list is not signed: sign it with `ekiden bootstrap sign`");
  }
  return bootstrap::sign1_of(list.list, *list.signature);
}

Result<FileList> sign_file_list(const identity::Identity& signer, FileList list, WallTime issued_at, seconds ttl) {
  for (const bootstrap::ListedNode& node : list.list.nodes) {
    for (const identity::Endpoint& endpoint : node.known_endpoints()) {
      if (!endpoint.is_udp() || endpoint.address()) continue;
      return fail(endpoint.text(), Error{Errc::invalid_argument, std::string(kNameOverUdp)});
    }
  }
  const bool was_ours = list.list.public_key == signer.public_key();
  list.list.public_key = signer.public_key();
  list.list.sequence = was_ours ? list.list.sequence + 1 : 1;
  list.list.issued_at = issued_at;
  list.list.ttl_seconds = static_cast<std::uint32_t>(std::clamp(ttl, seconds(0), seconds(UINT32_MAX)).count());
  EKIDEN_ASSIGN(const Bytes bytes, bootstrap::sign_list(signer, list.list));
  EKIDEN_ASSIGN(list.signature, bootstrap::signature_of(bytes));
  return list;
}

}  // namespace ekiden::runtime
