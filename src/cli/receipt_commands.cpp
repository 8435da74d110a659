// receipt: proof for a third party that a message was delivered.
#include <algorithm>
#include <fstream>
#include <utility>

#include "api/base64.hpp"
#include "api/http_target.hpp"
#include "base/encoding.hpp"
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/json_read.hpp"
#include "crypto/ed25519.hpp"
#include "router/receipts.hpp"
#include "runtime/utc_text.hpp"
#include "wire/cose.hpp"

namespace ekiden::cli {
namespace {

constexpr std::size_t kMaxFile = 64 * 1024;
constexpr const char* kForm = "ekiden receipt 1";

/// What a receipt file proves.
struct Proof {
  Uuid message;
  router::Receipt receipt;
  path::Hops path;  ///< by which it came, verified; empty if it was direct
};

Result<api::Json> parse_file(const std::string& text) {
  auto json = api::Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || text_of(json, "form") != kForm) {
    return fail(Errc::malformed, "this is not a file of `ekiden receipt export`");
  }
  return json;
}

/// The signature is that of the key in the file, and the key is that of the recipient, for its id is the hash of it.
Result<Proof> verify(const std::string& text) {
  EKIDEN_ASSIGN(const auto json, parse_file(text));
  EKIDEN_ASSIGN(const Uuid message, Uuid::parse(text_of(json, "message")));
  EKIDEN_ASSIGN(const Bytes key_bytes, from_hex(text_of(json, "public_key")));
  if (key_bytes.size() != 32) return fail(Errc::malformed, "the public key does not have 32 bytes");
  const crypto::Ed25519PublicKey key{take_array<32>(key_bytes)};
  EKIDEN_ASSIGN(const Bytes cose, api::from_base64(text_of(json, "receipt_base64")));
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(cose));
  EKIDEN_ASSIGN(const auto claimed, wire::decode<router::Receipt>(parts.payload));
  path::Verifier verifier;
  EKIDEN_ASSIGN(auto receipt, router::open_receipt(cose, identity::PeerId::of(key), key, claimed.to, verifier));
  if (std::ranges::find(receipt.delivered, message) == receipt.delivered.end()) {
    return fail(Errc::refused, "the receipt is not of message " + message.text());
  }
  if (receipt.to.text() != text_of(json, "sender") || receipt.by.text() != text_of(json, "recipient")) {
    return fail(Errc::refused, "the receipt is of another sender or recipient than the file says");
  }
  return Proof{message, std::move(receipt), router::path_of(cose, message)};
}

Status write_output(const Context& context, const std::string& path, const api::Json& json) {
  if (path.empty()) {
    context.output.json() ? context.output.object(json) : context.output.line(json.dump(2));
    return {};
  }
  std::ofstream file(path, std::ios::trunc);
  file << json.dump(2) << '\n';
  file.flush();
  if (!file) return fail(Errc::invalid_argument, "cannot write " + path);
  if (context.output.json()) context.output.object({{"message", text_of(json, "message")}, {"file", path}});
  context.output.note("written to " + path);
  return {};
}

}  // namespace

Status run_receipt_export(const Context& context, const ReceiptArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto trace, client.get("/v1/messages/" + api::escape_segment(arguments.message)));
  const auto receipt = text_of(trace, "receipt_base64");
  if (receipt.empty()) {
    return fail(Errc::not_found, "there is no receipt for this message: it is " + text_of(trace, "state"));
  }
  const auto key = text_of(trace, "receipt_key");
  if (key.empty()) {
    return fail(Errc::not_found, "the key of the recipient is not known any more; `ekiden lookup " +
                                     text_of(trace, "peer") + "` finds it if the recipient is in the network");
  }
  EKIDEN_ASSIGN(const auto self, client.get("/v1/identity"));
  const api::Json json = {{"form", kForm},
                          {"message", text_of(trace, "id")},
                          {"sender", text_of(self, "id")},
                          {"recipient", text_of(trace, "peer")},
                          {"public_key", key},
                          {"receipt_base64", receipt}};
  EKIDEN_TRY(verify(json.dump()));
  return write_output(context, arguments.file, json);
}

Status run_receipt_verify(const Context& context, const ReceiptArguments& arguments) {
  EKIDEN_ASSIGN(const auto text, read_input(arguments.file, kMaxFile));
  EKIDEN_ASSIGN(const Proof proof, verify(text));
  const auto at = runtime::utc_text(proof.receipt.at);
  if (context.output.json()) {
    api::Json path = api::Json::array();
    for (const path::Hop& hop : proof.path) {
      path.push_back({{"by", identity::PeerId::of(hop.by).text()},
                      {"at", runtime::utc_text(hop.at)},
                      {"signature", to_hex(hop.signature.view())}});
    }
    context.output.object({{"valid", true},
                           {"message", proof.message.text()},
                           {"sender", proof.receipt.to.text()},
                           {"recipient", proof.receipt.by.text()},
                           {"at", at},
                           {"path", std::move(path)}});
    return {};
  }
  context.output.field("valid", "signed by the recipient");
  context.output.field("message", proof.message.text());
  context.output.field("sender", proof.receipt.to.text());
  context.output.field("recipient", proof.receipt.by.text());
  context.output.field("at", at + ", by the clock of the recipient");
  for (const path::Hop& hop : proof.path) {
    context.output.field("handed on by", identity::PeerId::of(hop.by).text() + " at " + runtime::utc_text(hop.at));
  }
  return {};
}

void CommandLine::declare_receipt() {
  auto* receipt = declare(app_, "receipt", "Prove to somebody else that a message was delivered: export, verify",
                          "  ekiden receipt export 6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77 > proof.json\n"
                          "  ekiden receipt verify proof.json\n");
  receipt->require_subcommand(1);
  auto* exported = declare(*receipt, "export", "Write the recipient's signed receipt of a message, with its key",
                           "  ekiden receipt export 6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77 --output proof.json\n");
  exported->add_option("message", receipt_.message, "Id of the message")->required();
  paths_[exported->add_option("-o,--output", receipt_.file, "File to write; otherwise it is printed")] =
      ValueKind::file;
  exported->callback(
      [this] { action = [this](const Context& context) { return run_receipt_export(context, receipt_); }; });

  auto* verified = declare(*receipt, "verify", "Check such a file; neither node nor network are needed",
                           "  ekiden receipt verify proof.json\n"
                           "  ekiden receipt verify - < proof.json\n");
  paths_[verified->add_option("file", receipt_.file, "A file of `receipt export`, or - for the standard input")
             ->required()] = ValueKind::file;
  verified->callback(
      [this] { action = [this](const Context& context) { return run_receipt_verify(context, receipt_); }; });
}

}  // namespace ekiden::cli
