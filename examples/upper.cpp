// Two agents in one process: one offers a capability, the other asks whoever offers it.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <ekiden/ekiden.hpp>
#include <filesystem>

ekiden::Result<ekiden::Reply> shout(const ekiden::Request& request) {
  if (request.body.empty()) return std::unexpected(ekiden::Error{ekiden::Errc::invalid_argument, "there is nothing"});
  ekiden::Reply reply{.body = request.body};
  std::ranges::transform(reply.body, reply.body.begin(), [](unsigned char c) { return std::toupper(c); });
  return reply;
}

int main() {
  using namespace std::chrono_literals;
  const auto home = std::filesystem::temp_directory_path() / "ekiden-upper";
  std::filesystem::remove_all(home);
  auto alice = ekiden::Node::start({.data_dir = home / "alice", .listen = {"tcp://127.0.0.1:0"}});
  auto bob = ekiden::Node::start({.data_dir = home / "bob", .listen = {"tcp://127.0.0.1:0"}});
  if (!alice || !bob) return std::puts((alice ? bob : alice).error().message.c_str()), 1;
  if (auto added = alice->add_contact("bob", bob->id(), bob->listening()); !added) return 1;
  if (auto served = bob->serve("text/upper", 2, shout); !served) return std::puts(served.error().message.c_str()), 1;

  const auto direct = alice->ask({.to = bob->id(), .body = "hello", .timeout = 10s});
  if (!direct) return std::puts(direct.error().message.c_str()), 1;
  const auto anybody = alice->ask({.capability = "text", .body = "whoever you are", .timeout = 10s});
  if (!anybody) return std::puts(anybody.error().message.c_str()), 1;
  std::printf("%s\n%s\n", direct->body.c_str(), anybody->body.c_str());

  const auto nothing = alice->ask({.to = bob->id(), .timeout = 10s});
  if (nothing || nothing.error().code != ekiden::Errc::failed) return std::puts("nothing was answered"), 1;
  std::printf("%s\n", nothing.error().message.c_str());
  return bob->stop_serving("text/upper") ? 0 : 1;
}
