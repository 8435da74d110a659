#include "bootstrap/list.hpp"

#include <algorithm>
#include <set>

#include "crypto/ed25519.hpp"
#include "identity/cose_sign.hpp"

namespace ekiden::bootstrap {
namespace {

constexpr std::string_view kPurpose = "ekiden bootstrap list 1";

bool is_printable(std::string_view text, char lowest) {
  return !text.empty() && std::ranges::all_of(text, [lowest](char c) { return c >= lowest && c < 127; });
}

std::string node_at(std::size_t index) { return "node " + std::to_string(index + 1) + " of the list"; }

/// What holds for our own lists and for those of others.
Status check_content(const NodeList& list) {
  std::set<crypto::Ed25519PublicKey> keys;
  for (std::size_t i = 0; i < list.nodes.size(); ++i) {
    const ListedNode& node = list.nodes[i];
    if (node.endpoints.empty()) return fail(Errc::malformed, node_at(i) + " has no endpoint");
    for (const auto& endpoint : node.endpoints) {
      if (!is_printable(endpoint, '!')) return fail(Errc::malformed, node_at(i) + " has an endpoint that is not text");
    }
    if (node.note && !is_printable(*node.note, ' ')) {
      return fail(Errc::malformed, node_at(i) + " has a note that is not printable ASCII");
    }
    if (!keys.insert(node.public_key).second) return fail(Errc::malformed, node_at(i) + " stands in it twice");
  }
  return {};
}

/// The bounds of the description, which encoding relies upon.
Status check_bounds(const NodeList& list) {
  if (list.nodes.size() > kMaxListNodes) {
    return fail(Errc::too_large, std::to_string(list.nodes.size()) + " nodes; a list has at most " +
                                     std::to_string(kMaxListNodes) + ": make several lists");
  }
  const auto too_long = [](const std::string& text) { return text.size() > kMaxEndpointSize; };
  for (std::size_t i = 0; i < list.nodes.size(); ++i) {
    const ListedNode& node = list.nodes[i];
    if (node.endpoints.size() > kMaxNodeEndpoints || std::ranges::any_of(node.endpoints, too_long)) {
      return fail(Errc::too_large, node_at(i) + ": at most " + std::to_string(kMaxNodeEndpoints) + " endpoints of " +
                                       std::to_string(kMaxEndpointSize) + " characters are allowed");
    }
    if (node.note && node.note->size() > kMaxNoteSize) {
      return fail(Errc::too_large, node_at(i) + ": its note has over " + std::to_string(kMaxNoteSize) + " characters");
    }
  }
  return {};
}

Status check_own(const identity::Identity& signer, const NodeList& list) {
  if (list.public_key != signer.public_key()) return fail(Errc::invalid_argument, "the list names another signer");
  if (list.version != kListVersion) return fail(Errc::invalid_argument, "this build signs lists of version 1");
  if (list.ttl_seconds == 0 || seconds(list.ttl_seconds) > kMaxListTtl) {
    return fail(Errc::invalid_argument, "a list lives from one second to 400 days");
  }
  EKIDEN_TRY(check_bounds(list));
  if (auto status = check_content(list); !status) return fail(Errc::invalid_argument, status.error().message);
  for (std::size_t i = 0; i < list.nodes.size(); ++i) {
    if (!crypto::is_acceptable(list.nodes[i].public_key)) {
      return fail(Errc::invalid_argument, node_at(i) + ": its public key is not a proper Ed25519 key");
    }
    for (const auto& endpoint : list.nodes[i].endpoints) {
      auto parsed = identity::Endpoint::parse(endpoint);
      if (!parsed) return fail(Errc::invalid_argument, node_at(i) + ": " + parsed.error().message);
    }
  }
  return {};
}

Result<NodeList> verify_form_and_signature(ByteView signed_bytes) {
  if (signed_bytes.size() > kMaxListSize) {
    return fail(Errc::too_large, std::to_string(signed_bytes.size()) + " bytes, at most " +
                                     std::to_string(kMaxListSize) + " are allowed");
  }
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(signed_bytes));
  EKIDEN_ASSIGN(NodeList list, wire::decode<NodeList>(parts.payload));
  if (list.version != kListVersion) {
    return fail(Errc::unsupported, "its version is " + std::to_string(list.version) + ", this build knows " +
                                       std::to_string(kListVersion));
  }
  EKIDEN_TRY(identity::cose_verify(parts, list.public_key, as_bytes(kPurpose)));
  EKIDEN_TRY(check_content(list));
  return list;
}

}  // namespace

std::vector<identity::Endpoint> ListedNode::known_endpoints() const {
  std::vector<identity::Endpoint> out;
  for (const auto& text : endpoints) {
    auto endpoint = identity::Endpoint::parse(text);
    if (endpoint && std::ranges::find(out, *endpoint) == out.end()) out.push_back(std::move(*endpoint));
  }
  return out;
}

WallTime NodeList::expires_at() const { return issued_at + std::min(seconds(ttl_seconds), kMaxListTtl); }

Result<Bytes> sign_list(const identity::Identity& signer, const NodeList& list) {
  EKIDEN_TRY(check_own(signer, list));
  Bytes out = identity::cose_sign(signer, as_bytes(kPurpose), wire::encode(list));
  if (out.size() > kMaxListSize) {
    return fail(Errc::too_large, "the signed list has " + std::to_string(out.size()) + " bytes, at most " +
                                     std::to_string(kMaxListSize) + " are allowed: name fewer nodes or endpoints");
  }
  return out;
}

Result<NodeList> verify_list_ignoring_time(ByteView signed_bytes) {
  auto list = verify_form_and_signature(signed_bytes);
  if (!list) return fail("the bootstrap list is not valid", std::move(list).error());
  return list;
}

Result<NodeList> verify_list(ByteView signed_bytes, WallTime now) {
  EKIDEN_ASSIGN(NodeList list, verify_list_ignoring_time(signed_bytes));
  EKIDEN_TRY(check_list_time(list, now));
  return list;
}

Status check_list_time(const NodeList& list, WallTime now) {
  if (list.issued_at > now + kMaxListClockSkew) {
    return fail(Errc::refused,
                "the bootstrap list was issued in the future: check the clock of this machine, or ask its signer");
  }
  if (list.expires_at() <= now) {
    const auto late = std::chrono::duration_cast<days>(now - list.expires_at()).count();
    return fail(Errc::expired, "the bootstrap list expired " + std::to_string(late) + (late == 1 ? " day" : " days") +
                                   " ago: ask its signer for a newer one");
  }
  return {};
}

Result<Bytes> sign1_of(const NodeList& list, const crypto::Signature& signature) {
  EKIDEN_TRY(check_bounds(list));
  return wire::build_sign1(wire::encode(list), signature.view());
}

Result<crypto::Signature> signature_of(ByteView signed_bytes) {
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(signed_bytes));
  return crypto::Signature{take_array<wire::kSign1SignatureSize>(parts.signature)};
}

}  // namespace ekiden::bootstrap
