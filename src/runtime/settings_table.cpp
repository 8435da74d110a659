#include "runtime/settings_table.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/settings_endpoints.hpp"
#include "runtime/settings_peers.hpp"

namespace ekiden::runtime {
namespace {

constexpr std::uint64_t kMib = 1024 * 1024;

constexpr std::size_t kMaxPath = 4096;

template <std::filesystem::path Settings::* Member>
Status set_path(Settings& settings, const std::string& text) {
  if (text.size() > kMaxPath || text.find('\0') != std::string::npos) {
    return fail(Errc::malformed, "must be the path of a file, at most " + std::to_string(kMaxPath) + " characters");
  }
  settings.*Member = text;
  return {};
}

template <std::filesystem::path Settings::* Member>
constexpr TextAccess kPath = {[](const Settings& s) { return (s.*Member).string(); }, set_path<Member>};

template <std::string Settings::* Member>
Status set_choice(Settings& settings, const std::string& text, std::span<const std::string_view> choices) {
  if (std::ranges::find(choices, text) != choices.end()) {
    settings.*Member = text;
    return {};
  }
  std::string all;
  for (const std::string_view choice : choices) all += (all.empty() ? "" : ", ") + std::string(choice);
  return fail(Errc::malformed, "must be one of: " + all);
}

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> kFormats = {"text", "json"};
constexpr std::array<std::string_view, 2> kSwitch = {"on", "off"};

constexpr ListAccess kListen = {[](const Settings& s) { return texts_of(s.listen); }, set_listen};
constexpr ListAccess kAdvertise = {[](const Settings& s) { return texts_of(s.advertise); }, set_advertise};
constexpr TextAccess kPrivateNetwork = {[](const Settings& s) { return s.private_network; },
                                        [](Settings& s, const std::string& text) -> Status {
                                          EKIDEN_TRY(set_choice<&Settings::private_network>(s, text, kSwitch));
                                          s.node.private_network = text == "on";
                                          return {};
                                        }};
constexpr TextAccess kLan = {
    [](const Settings& s) { return s.lan; },
    [](Settings& s, const std::string& text) { return set_choice<&Settings::lan>(s, text, kSwitch); }};
constexpr ListAccess kSigners = {signers_of, set_signers};
constexpr TextAccess kApiListen = {[](const Settings& s) { return s.api_listen; }, set_api_listen};
constexpr TextAccess kMetrics = {[](const Settings& s) { return s.metrics_listen; }, set_metrics};
constexpr TextAccess kLogLevel = {
    [](const Settings& s) { return s.log_level; },
    [](Settings& s, const std::string& text) { return set_choice<&Settings::log_level>(s, text, kLevels); }};
constexpr TextAccess kLogFormat = {
    [](const Settings& s) { return s.log_format; },
    [](Settings& s, const std::string& text) { return set_choice<&Settings::log_format>(s, text, kFormats); }};

constexpr TextAccess kPortMapping = {
    [](const Settings& s) { return s.port_mapping; },
    [](Settings& s, const std::string& text) { return set_choice<&Settings::port_mapping>(s, text, kSwitch); }};
constexpr ListAccess kMailboxes = {mailboxes_of, set_mailboxes};
constexpr TextAccess kServeMailbox = {mailbox_switch_of, set_mailbox_switch};
Status set_switch(bool& value, const std::string& text) {
  if (text != "on" && text != "off") return fail(Errc::malformed, "must be one of: on, off");
  value = text == "on";
  return {};
}
constexpr TextAccess kForward = {
    [](const Settings& s) { return std::string(s.node.relay.forward ? "on" : "off"); },
    [](Settings& s, const std::string& text) { return set_switch(s.node.relay.forward, text); }};
template <bool node::Config::* Member>
constexpr TextAccess kNodeSwitch = {
    [](const Settings& s) { return std::string(s.node.*Member ? "on" : "off"); },
    [](Settings& s, const std::string& text) { return set_switch(s.node.*Member, text); }};
constexpr TextAccess kStrangersInInbox = {strangers_of, set_strangers};
constexpr TextAccess kTlsVerify = {
    [](const Settings& s) { return s.tls_verify; },
    [](Settings& s, const std::string& text) { return set_choice<&Settings::tls_verify>(s, text, kSwitch); }};

/// A number of the engine configuration `Group`, in units of `Unit`.
template <auto Group, auto Member, std::uint64_t Unit = 1>
constexpr IntegerAccess kCount = {
    [](const Settings& s) { return static_cast<std::uint64_t>(s.node.*Group.*Member) / Unit; },
    [](Settings& s, const std::uint64_t& value) { s.node.*Group.*Member = static_cast<std::size_t>(value * Unit); }};

template <auto Group, auto Member>
constexpr IntegerAccess kSeconds = {
    [](const Settings& s) {
      return static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(s.node.*Group.*Member).count());
    },
    [](Settings& s, const std::uint64_t& value) { s.node.*Group.*Member = seconds(value); }};

using L = link::Config;
using R = router::Config;
using M = mailbox::Config;
using F = relay::Config;
using G = registry::Config;
using P = partition::Config;
constexpr auto kLink = &node::Config::link;
constexpr auto kRouter = &node::Config::router;
constexpr auto kMailbox = &node::Config::mailbox;
constexpr auto kRelay = &node::Config::relay;
constexpr auto kRegistryOf = &node::Config::registry;
constexpr auto kPartition = &node::Config::partition;

const std::array kTable = {
    Setting{
        .section = "network",
        .key = "listen",
        .comment =
            "Where others reach this node: tcp://, ws:// or wss:// for links; udp:// for discovery, off without one.",
        .high = kMaxListen,
        .list = &kListen},
    Setting{.section = "network",
            .key = "advertise",
            .comment =
                "Where others can dial this node, such as \"tcp://me.example:7420\"; told once a peer has reached it.",
            .high = kMaxAdvertised,
            .list = &kAdvertise},
    Setting{.section = "network",
            .key = "port_mapping",
            .comment = "on: with discovery, ask the router (NAT-PMP, UPnP) to forward the ports of this node to it.",
            .text = &kPortMapping},
    Setting{.section = "network",
            .key = "tls_certificate",
            .comment = "For listening on wss://: the certificate, and those that lead to its authority, in PEM form.",
            .text = &kPath<&Settings::tls_certificate>},
    Setting{.section = "network",
            .key = "tls_key",
            .comment = "Its private key, in PEM form. Both are read again when they change, or at SIGHUP.",
            .text = &kPath<&Settings::tls_key>},
    Setting{
        .section = "network",
        .key = "tls_ca",
        .comment = "For dialling wss://: the authorities that are trusted, in PEM form. Empty: those of the system.",
        .text = &kPath<&Settings::tls_ca>},
    Setting{.section = "network",
            .key = "tls_verify",
            .comment =
                "on, or off: accept any certificate when dialling wss://. Who answers has to prove its id in any case.",
            .text = &kTlsVerify},
    Setting{.section = "discovery",
            .key = "private_network",
            .comment = "on: this network lives on private or loopback addresses, and records may name them.",
            .text = &kPrivateNetwork},
    Setting{.section = "discovery",
            .key = "lan",
            .comment = "on: tell those on the local network that this node is here, and hear who else is. Or off.",
            .text = &kLan},
    Setting{.section = "discovery",
            .key = "trusted_signers",
            .comment = "Whose lists in bootstrap_nodes.json count: ids or public keys. An empty list: everybody's.",
            .high = kMaxTrustedSigners,
            .list = &kSigners},
    Setting{.section = "api",
            .key = "listen",
            .comment = "The local API, for the ekiden command and programs on this machine. Port 0: any free one.",
            .text = &kApiListen},
    Setting{.section = "api",
            .key = "metrics",
            .comment =
                "Where /metrics (Prometheus) and /healthz are served, without a token: numbers alone. Empty: nowhere.",
            .text = &kMetrics},
    Setting{.section = "log", .key = "level", .comment = "debug, info, warning or error.", .text = &kLogLevel},
    Setting{.section = "log", .key = "format", .comment = "text, or json: one object a line.", .text = &kLogFormat},
    Setting{.section = "links",
            .key = "max_links",
            .comment = "Links to neighbours at one time; fewer if the process may not have so many sockets.",
            .low = 1,
            .high = 65'536,
            .integer = &kCount<kLink, &L::max_links>},
    Setting{.section = "links",
            .key = "max_links_per_prefix",
            .comment = "Links accepted from one IPv4 /24 or IPv6 /56, so that one network cannot shut out the others.",
            .low = 1,
            .high = 65'536,
            .integer = &kCount<kLink, &L::max_links_per_prefix>},
    Setting{.section = "links",
            .key = "max_half_open",
            .comment = "Handshakes under way at one time.",
            .low = 1,
            .high = 65'536,
            .integer = &kCount<kLink, &L::max_half_open>},
    Setting{.section = "links",
            .key = "max_half_open_per_prefix",
            .comment = "The same from one IPv4 /24 or IPv6 /56.",
            .low = 1,
            .high = 65'536,
            .integer = &kCount<kLink, &L::max_half_open_per_prefix>},
    Setting{.section = "links",
            .key = "max_queued_mib",
            .comment = "MiB that wait to be sent over all links.",
            .low = 1,
            .high = 16'384,
            .integer = &kCount<kLink, &L::max_queued_total, kMib>},
    Setting{.section = "links",
            .key = "max_queued_mib_per_link",
            .comment = "The same over one link.",
            .low = 1,
            .high = 16'384,
            .integer = &kCount<kLink, &L::max_queued_bytes, kMib>},
    Setting{.section = "links",
            .key = "connect_timeout_s",
            .comment = "Seconds until a dial is given up.",
            .low = 1,
            .high = 300,
            .integer = &kSeconds<kLink, &L::connect_timeout>},
    Setting{.section = "links",
            .key = "handshake_timeout_s",
            .comment = "Seconds for a handshake.",
            .low = 1,
            .high = 300,
            .integer = &kSeconds<kLink, &L::handshake_timeout>},
    Setting{.section = "links",
            .key = "keepalive_s",
            .comment = "Seconds of silence until a neighbour is asked for a sign of life.",
            .low = 1,
            .high = 3'600,
            .integer = &kSeconds<kLink, &L::keepalive_interval>},
    Setting{.section = "links",
            .key = "idle_s",
            .comment = "Seconds until a link that nobody needs is closed.",
            .low = 1,
            .high = 86'400,
            .integer = &kSeconds<kLink, &L::idle_timeout>},
    Setting{.section = "mailbox",
            .key = "serve",
            .comment = "on: keep messages for others until they are there. Or off.",
            .text = &kServeMailbox},
    Setting{
        .section = "mailbox",
        .key = "nodes",
        .comment = "Ids of nodes that keep messages for this one. Others are chosen beside them, up to three in all.",
        .high = mailbox::kMaxOwn,
        .list = &kMailboxes},
    Setting{.section = "mailbox",
            .key = "max_messages",
            .comment = "Messages kept for others. Half of the room is for those who are no contacts.",
            .low = 2,
            .high = 1'000'000,
            .integer = &kCount<kMailbox, &M::max_parcels>},
    Setting{.section = "mailbox",
            .key = "max_mib",
            .comment = "The same in MiB. Until what was collected is erased, the disk may need twice as much.",
            .low = 2,
            .high = 16'384,
            .integer = &kCount<kMailbox, &M::max_bytes, kMib>},
    Setting{.section = "mailbox",
            .key = "max_mib_per_sender",
            .comment = "MiB kept of one sender.",
            .low = 1,
            .high = 16'384,
            .integer = &kCount<kMailbox, &M::max_bytes_per_sender, kMib>},
    Setting{.section = "mailbox",
            .key = "max_mib_per_recipient",
            .comment = "MiB kept for one recipient.",
            .low = 1,
            .high = 16'384,
            .integer = &kCount<kMailbox, &M::max_bytes_per_owner, kMib>},
    Setting{.section = "mailbox",
            .key = "max_mib_per_network",
            .comment = "MiB kept of all senders of one IPv4 /24 or IPv6 /56.",
            .low = 1,
            .high = 16'384,
            .integer = &kCount<kMailbox, &M::max_bytes_per_prefix, kMib>},
    Setting{
        .section = "relay",
        .key = "forward",
        .comment = "on: hand on messages of others. Or off. `ekiden relay on` and `off` change it while the node runs.",
        .text = &kForward},
    Setting{.section = "relay",
            .key = "max_messages",
            .comment = "Messages of others kept until the next node has taken them. Half of it is for neighbours that "
                       "are no contacts.",
            .low = 2,
            .high = 1'000'000,
            .integer = &kCount<kRelay, &F::max_packets>},
    Setting{.section = "relay",
            .key = "max_mib",
            .comment = "The same in MiB, in memory and on disk.",
            .low = 2,
            .high = 16'384,
            .integer = &kCount<kRelay, &F::max_bytes, kMib>},
    Setting{.section = "relay",
            .key = "max_mib_per_neighbour",
            .comment = "MiB kept of what one neighbour has given.",
            .low = 1,
            .high = 16'384,
            .integer = &kCount<kRelay, &F::max_bytes_per_neighbour, kMib>},
    Setting{.section = "registry",
            .key = "hold",
            .comment = "on: hold the registry of services in full, and share in it. Or off.",
            .text = &kNodeSwitch<&node::Config::hold_registry>},
    Setting{.section = "registry",
            .key = "max_entries",
            .comment = "Entries held, those included that were removed and wait to be forgotten.",
            .low = 1,
            .high = 1'000'000,
            .integer = &kCount<kRegistryOf, &G::max_entries>},
    Setting{.section = "registry",
            .key = "max_mib",
            .comment = "The same in MiB, in memory and on disk.",
            .low = 1,
            .high = 4'096,
            .integer = &kCount<kRegistryOf, &G::max_bytes, kMib>},
    Setting{.section = "partition",
            .key = "watch",
            .comment = "on: tell when the network is split, by heartbeats over the links that there are. Or off.",
            .text = &kNodeSwitch<&node::Config::watch_network>},
    Setting{.section = "partition",
            .key = "split_share",
            .comment = "It is split when one in so many of its nodes, and at least two, vanish at once.",
            .low = 2,
            .high = 1'000,
            .integer = &kCount<kPartition, &P::split_share>},
    Setting{.section = "outbox",
            .key = "max_messages",
            .comment = "Messages accepted and not delivered yet.",
            .low = 1,
            .high = 1'000'000,
            .integer = &kCount<kRouter, &R::max_outbox_messages>},
    Setting{.section = "outbox",
            .key = "max_mib",
            .comment = "The same in MiB.",
            .low = 1,
            .high = 16'384,
            .integer = &kCount<kRouter, &R::max_outbox_bytes, kMib>},
    Setting{.section = "outbox",
            .key = "max_messages_per_peer",
            .comment = "The same for one recipient.",
            .low = 1,
            .high = 1'000'000,
            .integer = &kCount<kRouter, &R::max_outbox_messages_per_peer>},
    Setting{.section = "outbox",
            .key = "retry_min_s",
            .comment = "Seconds without a receipt until the first repetition.",
            .low = 1,
            .high = 3'600,
            .integer = &kSeconds<kRouter, &R::retry_min>},
    Setting{.section = "outbox",
            .key = "retry_max_s",
            .comment = "Seconds between repetitions at the most.",
            .low = 1,
            .high = 86'400,
            .integer = &kSeconds<kRouter, &R::retry_max>},
    Setting{
        .section = "inbox",
        .key = "strangers",
        .comment = "Messages of those who are no contacts: queue (until `ekiden contact accept`), accept, or refuse.",
        .text = &kStrangersInInbox},
    Setting{.section = "inbox",
            .key = "max_messages",
            .comment = "Messages received and not taken yet.",
            .low = 1,
            .high = 1'000'000,
            .integer = &kCount<kRouter, &R::max_inbox_messages>},
    Setting{.section = "inbox",
            .key = "max_mib",
            .comment = "The same in MiB.",
            .low = 1,
            .high = 16'384,
            .integer = &kCount<kRouter, &R::max_inbox_bytes, kMib>},
    Setting{.section = "inbox",
            .key = "max_mib_per_peer",
            .comment = "The same from one sender.",
            .low = 1,
            .high = 16'384,
            .integer = &kCount<kRouter, &R::max_inbox_bytes_per_peer, kMib>},
};

constexpr std::array<std::string_view, 11> kSections = {
    "network", "discovery", "api", "log", "links", "mailbox", "relay", "registry", "partition", "outbox", "inbox"};

}  // namespace

std::span<const Setting> settings_table() { return kTable; }
std::span<const std::string_view> settings_sections() { return kSections; }

Result<identity::Endpoint> parse_listen(std::string_view text) {
  // An endpoint that others dial has a port; here 0 is one more.
  const bool any_port = text.ends_with(":0");
  std::string with_port(text);
  if (any_port) with_port.back() = '1';
  EKIDEN_ASSIGN(identity::Endpoint endpoint, identity::Endpoint::parse(with_port));
  if (any_port) endpoint.port = 0;
  if (endpoint.address()) return endpoint;
  return fail(Errc::malformed, std::string(text) + " is a name: listen on an address, such as tcp://0.0.0.0:7420");
}

}  // namespace ekiden::runtime
