// SessionTable against a naive model: a list of sessions, most recently used first.
#include "datagram/session_table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>

namespace ekiden::datagram {
namespace {

constexpr std::size_t kMax = 6;

Session make(std::uint64_t index, Byte node) {
  Session session;
  session.local = Index{index};
  session.node.public_key.bytes.fill(node);
  return session;
}

struct Known {
  Index index;
  Byte node;
  bool is_preferred;
};

struct Model {
  std::deque<Known> order;

  void use(std::deque<Known>::iterator at) {
    const Known known = *at;
    order.erase(at);
    order.push_front(known);
  }
  auto find(Index index) {
    return std::ranges::find_if(order, [&](const Known& known) { return known.index == index; });
  }
  auto preferred(Byte node) {
    return std::ranges::find_if(order, [&](const Known& known) { return known.is_preferred && known.node == node; });
  }
};

RC_GTEST_PROP(SessionTable, AgreesWithAList, ()) {
  SessionTable table(kMax);
  Model model;
  std::uint64_t next = 1;
  const auto steps = *rc::gen::container<std::vector<std::pair<unsigned, unsigned>>>(
      rc::gen::pair(rc::gen::inRange(0U, 4U), rc::gen::inRange(0U, 100U)));
  for (const auto& [what, which] : steps) {
    const auto node = static_cast<Byte>(which % 4);
    const Index some{which % (next + 1)};
    if (what == 0) {
      const Index index{next++ * 0x9e3779b97f4a7c15};  // In no order, as random ones are.
      if (model.order.size() == kMax) model.order.pop_back();
      model.order.push_front({index, node, false});
      Session& placed = table.put(make(static_cast<std::uint64_t>(index), node));
      if (which % 2 == 0) {
        if (const auto old = model.preferred(node); old != model.order.end()) old->is_preferred = false;
        model.order.front().is_preferred = true;
        table.prefer(placed);
      }
    } else if (what == 1) {
      const Index index = model.order.empty() ? some : model.order[which % model.order.size()].index;
      const auto known = model.find(index);
      const Session* found = table.find(index);
      RC_ASSERT((found != nullptr) == (known != model.order.end()));
      if (known != model.order.end()) model.use(known);
    } else if (what == 2) {
      const auto known = model.preferred(node);
      const Session* found = table.to(make(0, node).node.public_key);
      RC_ASSERT((found != nullptr) == (known != model.order.end()));
      if (found != nullptr) RC_ASSERT(found->local == known->index);
      if (known != model.order.end()) model.use(known);
    } else {
      const Index index = model.order.empty() ? some : model.order[which % model.order.size()].index;
      if (const auto known = model.find(index); known != model.order.end()) model.order.erase(known);
      table.erase(index);
      RC_ASSERT(table.find(index) == nullptr);
    }
    table.check_invariants();
    RC_ASSERT(std::ranges::equal(table, model.order, {}, &Session::local, &Known::index));
    const auto is_preferred = [&](const Session& session) { return table.is_preferred(session); };
    RC_ASSERT(std::ranges::equal(table, model.order, {}, is_preferred, &Known::is_preferred));
  }
}

}  // namespace
}  // namespace ekiden::datagram
