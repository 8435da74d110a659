// bootstrap list, sign, verify: files alone, no node needs to run.
#include <algorithm>
#include <utility>

#include "base/encoding.hpp"
#include "cli/bootstrap_nodes.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/text.hpp"
#include "identity/identity.hpp"
#include "runtime/bootstrap_file.hpp"
#include "runtime/bootstrap_source.hpp"
#include "runtime/clock.hpp"
#include "runtime/files.hpp"
#include "runtime/settings.hpp"
#include "runtime/utc_text.hpp"

namespace ekiden::cli {
namespace {

constexpr seconds kDefaultTtl = days(365);

api::Json list_json(const bootstrap::NodeList& list) {
  return {{"signer", list.signer().text()},
          {"public_key", to_hex(list.public_key.view())},
          {"sequence", list.sequence},
          {"issued_at", runtime::utc_text(list.issued_at)},
          {"expires_at", runtime::utc_text(list.expires_at())}};
}

void show(Output& output, const std::vector<ConfiguredNode>& nodes) {
  if (output.json()) {
    for (const ConfiguredNode& node : nodes) {
      api::Json json = {
          {"id", node.id.text()}, {"endpoints", node.endpoints}, {"from", node.from}, {"state", node.state}};
      if (node.public_key) json["public_key"] = to_hex(node.public_key->view());
      if (!node.note.empty()) json["note"] = node.note;
      output.object(json);
    }
    return;
  }
  std::vector<std::vector<std::string>> rows = {{"ID", "ENDPOINTS", "FROM", "STATE", "NOTE"}};
  for (const ConfiguredNode& node : nodes) {
    std::string endpoints;
    for (const auto& endpoint : node.endpoints) endpoints += (endpoints.empty() ? "" : " ") + endpoint;
    rows.push_back(
        {node.id.text(), output.text(endpoints), output.text(node.from), node.state, output.text(node.note)});
  }
  output.table(rows);
}

Result<runtime::BootstrapFile> read_lists(const BootstrapArguments& arguments) {
  EKIDEN_ASSIGN(const auto text, read_input(arguments.file, runtime::kMaxBootstrapFile));
  return runtime::parse_bootstrap_file(text,
                                       arguments.file == "-" ? std::string_view("standard input") : arguments.file);
}

/// Signs what is ours to sign; returns how many lists that were.
Result<std::size_t> sign_lists(const identity::Identity& self, runtime::BootstrapFile& file, seconds ttl) {
  // Whole seconds are easier to read.
  const auto now = std::chrono::floor<seconds>(runtime::read_clocks().wall);
  std::size_t signed_lists = 0;
  for (std::size_t i = 0; i < file.lists.size(); ++i) {
    auto& list = file.lists[i];
    const bool unclaimed = list.is_draft() && list.list.public_key == crypto::Ed25519PublicKey{};
    if (!unclaimed && list.list.public_key != self.public_key()) continue;
    auto done = runtime::sign_file_list(self, std::move(list), now, ttl);
    if (!done) return fail("lists[" + std::to_string(i) + "]", std::move(done).error());
    list = std::move(*done);
    ++signed_lists;
  }
  return signed_lists;
}

struct Verdict {
  std::optional<bootstrap::NodeList> list;  ///< None: its signature says nothing for it.
  Status status;
};

Verdict judge(const runtime::FileList& list, const Checks& checks) {
  const auto bytes = runtime::signed_form(list);
  if (!bytes) return {{}, std::unexpected(bytes.error())};
  auto verified = bootstrap::verify_list_ignoring_time(*bytes);
  if (!verified) return {{}, std::unexpected(verified.error())};
  auto status = check_list(checks, *verified);
  return {std::move(*verified), std::move(status)};
}

void print(Output& output, std::size_t index, const Verdict& verdict) {
  if (output.json()) {
    api::Json json = {{"list", index}, {"valid", verdict.status.has_value()}};
    if (!verdict.status) json["error"] = verdict.status.error().message;
    if (verdict.list) {
      json.update(list_json(*verdict.list));
      json["nodes"] = verdict.list->nodes.size();
    }
    return output.object(json);
  }
  std::string line = "lists[" + std::to_string(index) + "]  " + (verdict.status ? "ok" : "NOT VALID");
  if (verdict.list) {
    line += "  " + counted(verdict.list->nodes.size(), "node") + ", signed by " + verdict.list->signer().text() +
            ", sequence " + std::to_string(verdict.list->sequence) + ", valid until " +
            runtime::utc_text(verdict.list->expires_at());
  }
  output.line(line);
}

}  // namespace

Status run_bootstrap_list(const Context& context, const BootstrapArguments& arguments) {
  EKIDEN_ASSIGN(auto checks, checks_of(arguments));
  EKIDEN_TRY(add_configured_signers(context.data_dir, checks));
  EKIDEN_ASSIGN(const auto source,
                runtime::read_bootstrap_source(runtime::bootstrap_places(arguments.value, context.data_dir)));
  EKIDEN_ASSIGN(const auto nodes, configured_nodes(source, checks));
  if (nodes.empty()) {
    context.output.note("no nodes are configured: put " + std::string(runtime::kBootstrapFileName) + " into " +
                        context.data_dir.string() + ", or set $" + runtime::kBootstrapVariable +
                        " to ek1...@tcp://HOST:PORT");
    return {};
  }
  context.output.note("from " + context.output.text(source.name));
  show(context.output, nodes);
  return {};
}

Status run_bootstrap_sign(const Context& context, const BootstrapArguments& arguments) {
  EKIDEN_ASSIGN(const auto seed, runtime::load_identity(context.data_dir));
  const identity::Identity self(seed);
  EKIDEN_ASSIGN(auto file, read_lists(arguments));
  const auto ttl = arguments.ttl ? std::chrono::duration_cast<seconds>(*arguments.ttl) : kDefaultTtl;
  EKIDEN_ASSIGN(const std::size_t done, sign_lists(self, file, ttl));
  if (done == 0) {
    return fail(Errc::not_found, "there is nothing to sign in " + arguments.file +
                                     ": a list without \"signer\", or one of " + self.id().text() + ", is wanted");
  }
  const std::string text = runtime::format_bootstrap_file(file);
  const bool to_stream = arguments.output == "-" || (arguments.file == "-" && arguments.output.empty());
  if (to_stream) {
    context.output.line(std::string_view(text).substr(0, text.size() - 1));
    return {};
  }
  if (arguments.output.empty()) {
    EKIDEN_TRY(runtime::replace_file(arguments.file, as_bytes(text)));
  } else {
    EKIDEN_TRY(runtime::write_new_file(arguments.output, as_bytes(text)));
  }
  const std::string& written = arguments.output.empty() ? arguments.file : arguments.output;
  if (context.output.json()) {
    context.output.object({{"signed", done}, {"signer", self.id().text()}, {"file", written}});
  }
  context.output.note("signed " + counted(done, "list") + " as " + self.id().text() + " in " + written);
  return {};
}

Status run_bootstrap_verify(const Context& context, const BootstrapArguments& arguments) {
  EKIDEN_ASSIGN(const auto checks, checks_of(arguments));
  EKIDEN_ASSIGN(const auto file, read_lists(arguments));
  if (file.lists.empty()) return fail(Errc::not_found, arguments.file + " has no list");
  std::size_t wrong = 0;
  std::optional<Error> first;
  for (std::size_t i = 0; i < file.lists.size(); ++i) {
    const Verdict verdict = judge(file.lists[i], checks);
    print(context.output, i, verdict);
    if (verdict.status) continue;
    ++wrong;
    if (!first) first = fail("lists[" + std::to_string(i) + "]", verdict.status.error()).error();
  }
  if (!first) return {};
  return fail(
      std::to_string(wrong) + " of " + counted(file.lists.size(), "list") + " cannot be used: " + arguments.file,
      *first);
}

}  // namespace ekiden::cli
