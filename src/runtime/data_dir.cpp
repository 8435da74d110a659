// The making of a data directory, and its identity.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/encoding.hpp"
#include "identity/identity.hpp"
#include "runtime/entropy.hpp"
#include "runtime/files.hpp"
#include "runtime/schema.hpp"
#include "runtime/settings.hpp"
#include "runtime/toml.hpp"

namespace ekiden::runtime {
namespace {

constexpr const char* kIdentityFile = "identity.key";
/// Of the file's text: its checksum finds a damaged key, and the prefix says to a person what it is.
constexpr std::string_view kIdentityPrefix = "eksecret";
constexpr std::size_t kMaxIdentityFile = 256;

/// Removes what was made, unless it is kept. Only files that this process has created go in here.
class Undo {
 public:
  ~Undo() {
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) ::remove(path->c_str());
  }
  void add(const std::filesystem::path& path) { made_.push_back(path); }
  void keep() { made_.clear(); }

 private:
  std::vector<std::filesystem::path> made_;
};

Status check_unused(const std::filesystem::path& data_dir) {
  for (const char* name : {kIdentityFile, kSettingsFile, kStoreFile}) {
    std::error_code ignored;
    const std::filesystem::path path = data_dir / name;
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) continue;
    return fail(Errc::already_exists, path.string() +
                                          " exists already and is never overwritten: use another data "
                                          "directory, or move this one away first");
  }
  return {};
}

Status prepare_directory(const std::filesystem::path& path, Undo& undo) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return std::unexpected(system_error("look at " + path.string(), errno));
    EKIDEN_TRY(make_private_directory(path));
    undo.add(path);
    return {};
  }
  if (!S_ISDIR(info.st_mode)) return fail(Errc::already_exists, path.string() + " is not a directory");
  EKIDEN_TRY(check_unused(path));
  if ((info.st_mode & 077) == 0) return {};
  std::error_code error;
  if (!std::filesystem::is_empty(path, error) || error) {
    return fail(Errc::refused, "others may read " + path.string() +
                                   ": it holds other things, so its permissions are "
                                   "yours to change: chmod 700 " +
                                   path.string());
  }
  if (::chmod(path.c_str(), S_IRWXU) != 0) return std::unexpected(system_error("protect " + path.string(), errno));
  return {};
}

Result<Settings> settings_of(const InitOptions& options) {
  std::vector<std::string> listen;
  for (const std::string& text : options.listen) {
    EKIDEN_ASSIGN(const identity::Endpoint endpoint, parse_listen(text));
    listen.push_back(endpoint.text());
  }
  // Read as a file that a person wrote, so that the same checks hold.
  return parse_settings(
      "[network]\nlisten = " + toml_list(listen) + "\nadvertise = " + toml_list(options.advertise) + "\n",
      kSettingsFile);
}

Status write_identity(const std::filesystem::path& path, const crypto::Ed25519Seed& seed) {
  std::string text = to_bech32m(kIdentityPrefix, seed.view()) + "\n";
  const Status written = write_new_file(path, as_bytes(text));
  crypto::erase({reinterpret_cast<Byte*>(text.data()), text.size()});
  return written;
}

}  // namespace

Result<identity::PeerId> init_data_dir(const InitOptions& options) {
  EKIDEN_ASSIGN(const Settings settings, settings_of(options));
  Undo undo;
  EKIDEN_TRY(prepare_directory(options.data_dir, undo));
  const std::filesystem::path settings_path = options.data_dir / kSettingsFile;
  EKIDEN_TRY(write_new_file(settings_path, as_bytes(settings_text(settings))));
  undo.add(settings_path);
  EKIDEN_TRY(create_store(options.data_dir / kStoreFile));
  undo.add(options.data_dir / kStoreFile);
  auto entropy = entropy_seed();
  const crypto::Ed25519Seed seed(entropy);
  crypto::erase(entropy);
  EKIDEN_TRY(write_identity(options.data_dir / kIdentityFile, seed));
  undo.keep();
  return identity::Identity(seed).id();
}

Result<crypto::Ed25519Seed> load_identity(const std::filesystem::path& data_dir) {
  const std::filesystem::path path = data_dir / kIdentityFile;
  auto file = read_file(path, kMaxIdentityFile);
  if (!file && file.error().code == Errc::not_found) {
    return fail(Errc::not_found, path.string() +
                                     " is missing: make a data directory with `ekiden init`, or restore the "
                                     "file from a backup");
  }
  if (!file) return std::unexpected(std::move(file).error());
  if ((file->mode & 077) != 0) {
    return fail(Errc::refused,
                "others may read " + path.string() + ", and whoever has it is this node: chmod 600 " + path.string());
  }
  std::string& text = file->text;
  const auto end = text.find_last_not_of(" \t\r\n");
  auto seed = from_bech32m(kIdentityPrefix, std::string_view(text).substr(0, end == std::string::npos ? 0 : end + 1));
  crypto::erase({reinterpret_cast<Byte*>(text.data()), text.size()});
  if (!seed || seed->size() != crypto::Ed25519Seed::kSize) {
    // Without the words of the decoder: they may quote parts of the key.
    return fail(Errc::malformed, path.string() + " is damaged: restore it from a backup");
  }
  crypto::Ed25519Seed key(ByteView{*seed});
  crypto::erase(*seed);
  return key;
}

}  // namespace ekiden::runtime
