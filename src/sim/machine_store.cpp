// What a machine's disk holds: for its node, and for those who count copies.
#include <set>

#include "mailbox/rows.hpp"
#include "sim/machine.hpp"

namespace ekiden::sim {
namespace {

/// The message in a row of a mailbox, unless it is a receipt.
std::optional<Uuid> kept_message(ByteView row_value) {
  const auto row = wire::decode<mailbox::ParcelRow>(row_value);
  return row->kind == mailbox::ParcelKind::envelope ? std::optional(row->id) : std::nullopt;
}

}  // namespace

Status Machine::load() {
  EKIDEN_TRY(node_->load(disk_.synced().rows(store::Reading::gathered)));
  for (const store::Row& row : disk_.synced().rows(store::Reading::streamed)) {
    EKIDEN_TRY(node_->load_row(row.key, row.value));
  }
  return {};
}

/// A parcel that takes the place of another is no further copy.
void Machine::count_kept(const store::Batch& batch) {
  std::set<Uuid> kept;
  std::set<store::Key> erased;
  for (const store::Operation& operation : batch.operations()) {
    if (operation.key.table != store::Table::parcels) continue;
    if (operation.erase) {
      erased.insert(operation.key);
    } else if (const auto message = kept_message(operation.value)) {
      kept.insert(*message);
    }
  }
  if (!kept.empty() && !erased.empty()) {
    for (const store::Row& row : disk_.synced().rows()) {
      if (!erased.contains(row.key)) continue;
      if (const auto message = kept_message(row.value)) kept.erase(*message);
    }
  }
  for (const Uuid& message : kept) shared_.ledger.kept(host_, message, shared_.schedule.now());
}

}  // namespace ekiden::sim
