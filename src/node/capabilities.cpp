// What this node offers: capabilities that its owner has named, kept on disk and announced in the DHT.
//
// An announcement lives for a day, whatever becomes of its owner; it is signed anew every `announcement_refresh` by the
// wall clock, as records are (see own_record.cpp), and its sequence is on disk before anybody sees it. The record names
// the capabilities too, so that neighbours know them without a search.
#include <utility>

#include "base/check.hpp"
#include "node/impl.hpp"

namespace ekiden::node {

using Reason = OwnCapabilities::Reason;

Status Node::Impl::load_capabilities_row(const store::Row& row) {
  const auto decoded = wire::decode<CapabilitiesRow>(row.value);
  if (!decoded) return fail(Errc::storage_corrupt, "table meta, row node.capabilities: " + decoded.error().message);
  for (const std::string& capability : decoded->capabilities) {
    if (!identity::is_capability(capability)) {
      return fail(Errc::storage_corrupt, "table meta, row node.capabilities: \"" + capability + "\" is no capability");
    }
    capabilities.add(capability, Reason::offered);
  }
  return {};
}

/// One key of the DHT is for the record; the others are shared by all parts of all paths.
Status Node::Impl::check_offer(const std::string& capability) const {
  if (!identity::is_capability(capability)) {
    return fail(Errc::invalid_argument, "\"" + capability.substr(0, identity::kMaxCapabilitySize) +
                                            "\" is no capability: one is like translate/ja-en, of lower-case letters, "
                                            "digits, '.', '-' and '_', at most 64 characters");
  }
  if (capabilities.with(Reason::offered).size() == identity::kMaxRecordCapabilities) {
    return fail(Errc::limit_exceeded, "a node offers at most " + std::to_string(identity::kMaxRecordCapabilities) +
                                          " capabilities: remove one first");
  }
  if (capabilities.fits(capability)) return {};
  return fail(Errc::limit_exceeded, "the capabilities of a node have at most " +
                                        std::to_string(config.dht.max_own_values - 1) +
                                        " parts of paths together: remove one first, or offer one with fewer slashes");
}

void Node::Impl::offer(Now now, const OfferCapability& request) {
  if (!capabilities.has(request.capability, Reason::offered)) {
    if (auto status = check_offer(request.capability); !status) return reply(request.request, std::move(status));
    capabilities.add(request.capability, Reason::offered);
    return write_offers(now, request.request);
  }
  persist_wanted = true;  // It may still be on its way to the disk.
  waiting.answers.push_back(request.request);
}

void Node::Impl::withdraw_offer(Now now, const WithdrawCapability& request) {
  if (!capabilities.has(request.capability, Reason::offered)) {
    const std::string remedy = capabilities.has(request.capability, Reason::entry)
                                   ? ", but an entry of it in the registry does: `ekiden registry remove` ends that"
                                   : "";
    return reply(request.request,
                 fail(Errc::not_found, "this node does not offer \"" + request.capability + "\"" + remedy));
  }
  capabilities.remove(request.capability, Reason::offered);
  write_offers(now, request.request);
}

void Node::Impl::write_offers(Now now, RequestId request) {
  const CapabilitiesRow row{.capabilities = capabilities.with(Reason::offered)};
  batch.put(store::Table::meta, as_bytes(kCapabilitiesRowName), wire::encode(row));
  waiting.answers.push_back(request);
  renew_record(now);
  show_offers(now);
  list_in_all(now);
  announce_in_time(now);
}

void Node::Impl::announce_in_time(Now now) {
  if (!takes_part() || ending) return;
  const auto refresh = std::chrono::duration_cast<milliseconds>(config.announcement_refresh);
  for (const auto& [capability, ends] : capabilities.due(now.wall, refresh)) {
    ends ? end_announcement(now, capability) : announce(now, capability);
  }
}

void Node::Impl::announce(Now now, const std::string& capability) {
  sign_announcement(now, capability, now.wall, identity::kMaxAnnouncementTtl);
}

/// One that is over when it arrives.
void Node::Impl::end_announcement(Now now, const std::string& capability) {
  sign_announcement(now, capability, now.wall - kEndTtl, kEndTtl);
}

void Node::Impl::sign_announcement(Now now, const std::string& capability, WallTime issued_at, seconds ttl) {
  if (!takes_part()) return;
  auto signed_bytes = identity::sign_announcement(self, {.public_key = self.public_key(),
                                                         .capability = capability,
                                                         .sequence = next_sequence(now),
                                                         .issued_at = issued_at,
                                                         .ttl_seconds = static_cast<std::uint32_t>(ttl.count())});
  CHECK(signed_bytes.has_value());  // Names are checked when they come in.
  waiting.announcements.push_back(std::move(*signed_bytes));
}

void Node::Impl::publish_announcements(Now now, std::vector<Bytes> announcements) {
  for (Bytes& bytes : announcements) {
    const auto announcement = identity::verify_announcement_ignoring_time(bytes);
    CHECK(announcement.has_value());
    // A later one of this batch may end what an earlier one began; both are told, in their order.
    const bool ends = announcement->ttl_seconds == kEndTtl.count();
    const Status done =
        ends ? dht.unannounce(now, std::move(bytes), dht_out) : dht.announce(now, std::move(bytes), dht_out);
    if (!done) log(LogLevel::debug, "dht", announcement->capability + ": " + done.error().message);
  }
}

void Node::Impl::on_published(Now now, const dht::Published& published) {
  if (!published.is_withdrawal) capabilities.set_holders(published.path, published.stored);
  log(LogLevel::debug, "dht",
      (published.path.empty() ? std::string("record") : published.path) +
          (published.is_withdrawal ? " withdrawn at " : " published at ") + std::to_string(published.stored) +
          " nodes, " + std::to_string(published.refused) + " refused, " + std::to_string(published.failed) +
          " did not answer");
  if (published.kind == dht::ValueKind::record && published.stale > 0) seek_own_record(now);
}

void Node::Impl::find_capability(Now now, FindCapability& request) {
  if (!takes_part()) {
    out->push(CapabilityFound{request.request, std::move(request.capability), discovery_is_off(), {}});
    return;
  }
  const dht::LookupId id = lookups.begin(LookupFor{.capability = request.capability, .request = request.request});
  dht.find_capability(now, id, request.capability, request.limit, dht_out);
}

}  // namespace ekiden::node
