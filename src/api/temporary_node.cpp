#include "api/temporary_node.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "api/stop_signals.hpp"
#include "runtime/descriptors.hpp"
#include "runtime/entropy.hpp"
#include "runtime/loop.hpp"

namespace ekiden::api {
namespace {

/// Gone, with all that is in it, when it is destroyed.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> make() {
    std::error_code failed;
    const auto parent = std::filesystem::temp_directory_path(failed);
    std::string name = ((failed ? std::filesystem::path("/tmp") : parent) / "ekiden-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      return fail(Errc::storage_failed, "cannot make a directory like " + name + ": " + std::strerror(errno));
    }
    return TemporaryDirectory(std::move(name));
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

Result<std::unique_ptr<runtime::Host>> open(const std::filesystem::path& directory, runtime::Settings settings,
                                            const std::vector<std::string>& listen) {
  settings.listen.clear();
  for (const std::string& text : listen) {
    EKIDEN_ASSIGN(auto endpoint, runtime::parse_listen(text));
    settings.listen.push_back(std::move(endpoint));
  }
  std::error_code failed;
  std::filesystem::create_directory(directory, failed);
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all, failed);
  if (failed) return fail(Errc::storage_failed, directory.string() + ": " + failed.message());
  return runtime::Host::open({.data_dir = directory,
                              .settings = std::move(settings),
                              .identity = crypto::Ed25519Seed(runtime::entropy_seed()),
                              .new_store = true,
                              .log = [](const runtime::LogLine&) {}});
}

}  // namespace

Status run_temporary_node(runtime::Settings settings, const std::function<void(runtime::Host&)>& begin) {
  runtime::raise_descriptor_limit();
  settings.advertise.clear();
  settings.tls_certificate.clear();
  settings.tls_key.clear();
  settings.node.advertised.clear();
  settings.node.sources = {};
  settings.node.take_part = false;
  settings.node.private_network = false;
  EKIDEN_ASSIGN(const auto directory, TemporaryDirectory::make());
  auto host = open(directory.path() / "both", settings, {"udp://0.0.0.0:0", "udp://[::]:0"});
  if (!host) host = open(directory.path() / "v4", settings, {"udp://0.0.0.0:0"});  // Not every machine has IPv6.
  if (!host) return std::unexpected(std::move(host).error());
  bool stopped = false;
  Status ended;
  {
    const StopSignals signals(runtime::HostAccess::loop(**host), [&] {
      stopped = true;
      (*host)->stop();
    });
    (*host)->post([&] { begin(**host); });
    ended = (*host)->run();
  }
  host->reset();
  if (ended && stopped) return fail(Errc::closed, "stopped before it was done");
  return ended;
}

}  // namespace ekiden::api
