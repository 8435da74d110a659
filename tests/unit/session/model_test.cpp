// Random scripts over two agents: crashes at any point, losses, repetitions, forgeries, clocks that leap.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "unit/session/world.hpp"

namespace rc {

template <>
struct Arbitrary<ekiden::session::Command> {
  static Gen<ekiden::session::Command> arbitrary() {
    using ekiden::session::Command;
    return gen::build<Command>(gen::set(&Command::what, gen::inRange<std::uint8_t>(0, 16)),
                               gen::set(&Command::who, gen::inRange<std::uint8_t>(0, 2)),
                               gen::set(&Command::detail, gen::arbitrary<std::uint16_t>()));
  }
};

}  // namespace rc

namespace ekiden::session {

static void showValue(const Command& command, std::ostream& out) {
  out << '{' << int{command.what} << ", " << int{command.who} << ", " << command.detail << '}';
}

namespace {

RC_GTEST_PROP(Model, NoScriptReusesAKeyOrLosesTheSession, ()) {
  const auto length = *rc::gen::inRange<std::size_t>(0, 250);
  const auto script = *rc::gen::container<std::vector<Command>>(length, rc::gen::arbitrary<Command>());
  World world(tight_config());
  for (const Command& command : script) world.run(command);
  world.recover();
}

RC_GTEST_PROP(Model, NoScriptBreaksAnythingUnderTheDefaultBounds, ()) {
  const auto length = *rc::gen::inRange<std::size_t>(0, 250);
  const auto script = *rc::gen::container<std::vector<Command>>(length, rc::gen::arbitrary<Command>());
  World world({});
  for (const Command& command : script) world.run(command);
  world.recover();
}

}  // namespace
}  // namespace ekiden::session
