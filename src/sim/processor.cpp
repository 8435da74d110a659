#include "sim/processor.hpp"

#include <algorithm>
#include <utility>

#include "crypto/curve_memo.hpp"

namespace ekiden::sim {
namespace {

/// Of this process.
std::uint64_t curve_operations() {
  const crypto::CurveMemo* memo = crypto::CurveMemo::installed();
  return memo == nullptr ? 0 : memo->operations();
}

}  // namespace

Processor::Processor(Schedule& schedule, ProcessorModel model, std::function<void(link::ConnId)> offer)
    : schedule_(schedule), model_(model), offer_(std::move(offer)) {}

void Processor::work(std::size_t bytes, const std::function<void()>& input) {
  if (model_.input == Duration(0)) return input();
  const std::uint64_t before = curve_operations();
  input();
  const auto operations = static_cast<std::int64_t>(curve_operations() - before);
  const Duration cost =
      model_.input + model_.curve_operation * operations + model_.kilobyte * static_cast<std::int64_t>(bytes) / 1024;
  worked_ += cost;
  free_at_ = std::max(free_at_, schedule_.now()) + cost;
}

void Processor::queue(link::ConnId conn) {
  if (is_waiting_.insert(conn).second) waiting_.push_back(conn);
  if (std::exchange(wakes_, true)) return;
  schedule_.at(free_at_, [this] { wake(); });
}

void Processor::wake() {
  wakes_ = false;
  while (is_free() && !waiting_.empty()) {
    const link::ConnId conn = waiting_.front();
    waiting_.pop_front();
    is_waiting_.erase(conn);
    offer_(conn);
  }
  if (waiting_.empty() || std::exchange(wakes_, true)) return;
  schedule_.at(free_at_, [this] { wake(); });
}

}  // namespace ekiden::sim
