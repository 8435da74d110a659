// The commands behind the command line: checked options in, exit code out.
//
// All but init, id, up, completion, version and those of bootstrap (but discover) talk to the running node, and only
// through its local API. Each command prints its result through the context's output and returns an Error for whoever
// called it to print.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/client.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"

namespace ekiden::cli {

struct Context {
  std::filesystem::path data_dir;
  Output& output;

  Result<api::Client> client() const { return api::Client::open(data_dir); }
  /// For a call that takes longer than others.
  Result<api::Client> client(Duration timeout) const { return api::Client::open(data_dir, timeout); }
};

struct InitArguments {
  std::vector<std::string> listen = {};
  std::vector<std::string> endpoints = {};
};
struct UpArguments {
  std::string certificate = {};
  std::string key = {};
  std::optional<std::string> metrics = {};
  std::vector<std::string> listen = {};
  std::vector<std::string> endpoints = {};
  std::optional<std::string> bootstrap = {};
  std::string api = {};
  std::string log_level = {};
  std::string log_format = {};
  bool new_store = false;
  bool no_lan = false;
};
struct ContactArguments {
  std::string name = {};
  std::string id = {};
  std::string tier = {};
  std::vector<std::string> endpoints = {};
  std::string file = {};
  bool replace = false;
  bool trusted = false;  ///< of add and accept
  bool off = false;      ///< of trust
};
struct SendArguments {
  std::string to = {};
  std::optional<std::string> text = {};
  std::string file = {};
  std::string type = {};
  std::string content_type = {};
  std::string id = {};
  std::string reply_to = {};
  std::string priority = {};
  std::string delivery = {};
  std::string conversation = {};
  bool unordered = false;
  std::optional<Duration> ttl = {};
  std::string wait = {};  ///< "", "accepted" or "delivered"
  std::optional<Duration> timeout = {};
};
struct InboxArguments {
  bool follow = false;
  bool peek = false;
  std::uint64_t limit = 0;  ///< 0: all
  std::string from = {};
  std::string type = {};
  std::string since = {};  ///< a time in UTC
  std::string purpose = "message";
};
struct OutboxArguments {
  std::string to = {};
  std::string type = {};
  std::string state = {};
  std::string since = {};  ///< a time in UTC
  std::uint64_t limit = 20;
};
struct TopicArguments {
  std::string topic = {};
  std::string realm = {};  ///< empty: none
  std::optional<std::string> text = {};
  std::string file = {};
  std::uint64_t limit = 0;  ///< of sub; 0: all
};
struct RegistryArguments {
  std::string name = {};
  std::string realm = {};  ///< empty: none
  std::optional<std::string> value = {};
  std::string file = {};
  std::string owner = {};  ///< a petname or id; empty: this node, or anybody
  std::string capability = {};
  std::vector<std::string> where = {};  ///< key=value
  std::optional<Duration> ttl = {};
  bool renew = false;
  std::vector<std::string> writers = {};
  bool set = false;
  std::vector<std::string> add = {};
  std::vector<std::string> take = {};
  std::uint64_t limit = 0;  ///< of watch; 0: all
};
struct RealmArguments {
  std::string name = {};  ///< of join: or an invitation, or - for one on the standard input
  bool closed = false;
};
struct AskArguments {
  std::string to = {};
  std::optional<std::string> text = {};
  std::string file = {};
  std::string capability = {};
  std::string type = {};
  std::string content_type = {};
  std::string priority = {};
  Duration timeout = seconds(30);
};
struct ServeArguments {
  std::string capability = {};
  std::string command = {};  ///< for the shell
  std::size_t concurrency = 1;
  Duration timeout = minutes(1);
};
struct TraceArguments {
  std::string message = {};  ///< empty: the latest
  std::uint64_t limit = 20;
  bool retry = false;
};
struct ReceiptArguments {
  std::string message = {};
  std::string file = {};  ///< of export: empty is the standard output
};
struct FindArguments {
  std::string capability = {};
  std::uint64_t limit = 20;
  bool watch = false;
  Duration every = seconds(30);  ///< between two searches of a watch
};
struct BootstrapArguments {
  std::string file = {};
  std::string output = {};                ///< of sign; empty: in place
  std::optional<Duration> ttl = {};       ///< of sign
  std::optional<std::string> value = {};  ///< --bootstrap of list and check
  std::vector<std::string> signers = {};  ///< of list, check and verify; empty: any
  std::optional<Duration> wait = {};      ///< of discover
};

Status run_init(const Context& context, const InitArguments& arguments);
Status run_id(const Context& context);
Status run_up(const Context& context, const UpArguments& arguments);
/// A bootstrap node: makes the node if there is none, and refuses what nobody could join through.
Status run_bootstrap_serve(const Context& context, const UpArguments& arguments);
Status run_contact_add(const Context& context, const ContactArguments& arguments);
Status run_contact_remove(const Context& context, const ContactArguments& arguments);
Status run_contact_list(const Context& context);
Status run_contact_trust(const Context& context, const ContactArguments& arguments);
Status run_contact_requests(const Context& context);
Status run_contact_accept(const Context& context, const ContactArguments& arguments);
Status run_contact_block(const Context& context, const ContactArguments& arguments);
Status run_contact_unblock(const Context& context, const ContactArguments& arguments);
Status run_contact_import(const Context& context, const ContactArguments& arguments);
Status run_contact_export(const Context& context, const ContactArguments& arguments);
Status run_send(const Context& context, const SendArguments& arguments);
Status run_inbox(const Context& context, const InboxArguments& arguments);
Status run_outbox(const Context& context, const OutboxArguments& arguments);
Status run_ask(const Context& context, const AskArguments& arguments);
/// Until SIGINT or SIGTERM, or until the node stops (closed). Errors: busy (another one answers for the capability).
Status run_serve(const Context& context, const ServeArguments& arguments);
/// Until Ctrl-C, or until the node stops (closed).
Status run_topic_sub(const Context& context, const TopicArguments& arguments);
Status run_topic_pub(const Context& context, const TopicArguments& arguments);
Status run_topic_list(const Context& context);
Status run_registry_put(const Context& context, const RegistryArguments& arguments);
/// Errors: not_found.
Status run_registry_get(const Context& context, const RegistryArguments& arguments);
Status run_registry_list(const Context& context, const RegistryArguments& arguments);
Status run_registry_find(const Context& context, const RegistryArguments& arguments);
/// Until Ctrl-C, or until the node stops (closed).
Status run_registry_watch(const Context& context, const RegistryArguments& arguments);
Status run_registry_remove(const Context& context, const RegistryArguments& arguments);
Status run_registry_conflicts(const Context& context, const RegistryArguments& arguments);
/// Errors: already_exists.
Status run_realm_create(const Context& context, const RealmArguments& arguments);
Status run_realm_join(const Context& context, const RealmArguments& arguments);
Status run_realm_leave(const Context& context, const RealmArguments& arguments);
Status run_realm_invite(const Context& context, const RealmArguments& arguments);
Status run_realm_change_key(const Context& context, const RealmArguments& arguments);
Status run_realm_list(const Context& context);
Status run_partition_status(const Context& context);
Status run_partition_history(const Context& context);
Status run_trace(const Context& context, const TraceArguments& arguments);
Status run_status(const Context& context);
Status run_receipt_export(const Context& context, const ReceiptArguments& arguments);
Status run_receipt_verify(const Context& context, const ReceiptArguments& arguments);
Status run_mailbox_status(const Context& context);
Status run_mailbox_quota(const Context& context);
Status run_relay_status(const Context& context);
Status run_relay_switch(const Context& context, bool on);
Status run_lookup(const Context& context, const std::string& peer);
Status run_explain(const Context& context, const std::string& peer);
Status run_peers(const Context& context);
/// Why a search would ask nobody, and what to do; for a node that knows no other.
std::string nobody_to_ask(bool discovery);
/// The mailboxes that a record names, a line each.
void print_mailboxes(Output& output, const api::Json& record);
Status run_find(const Context& context, const FindArguments& arguments);
Status run_capability_add(const Context& context, const std::string& capability);
Status run_capability_remove(const Context& context, const std::string& capability);
Status run_capability_list(const Context& context);
Status run_version(const Context& context);
Status run_bootstrap_list(const Context& context, const BootstrapArguments& arguments);
Status run_bootstrap_check(const Context& context, const BootstrapArguments& arguments);
Status run_bootstrap_discover(const Context& context, const BootstrapArguments& arguments);
Status run_bootstrap_sign(const Context& context, const BootstrapArguments& arguments);
Status run_bootstrap_verify(const Context& context, const BootstrapArguments& arguments);

}  // namespace ekiden::cli
