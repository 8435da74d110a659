#include "runtime/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "crypto/secret.hpp"

namespace ekiden::runtime {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Errc errc_of(int error_number) {
  switch (error_number) {
    case ENOENT:
      return Errc::not_found;
    case EEXIST:
      return Errc::already_exists;
    case EACCES:
    case EPERM:
    case ELOOP:
      return Errc::refused;
    case ENOSPC:
    case EDQUOT:
      return Errc::storage_full;
    default:
      return Errc::storage_failed;
  }
}

Status write_all(int fd, ByteView content, const std::string& what) {
  while (!content.empty()) {
    const ::ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(system_error(what, errno));
    content = content.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return std::unexpected(system_error(what, errno));
  return {};
}

/// What is read may be a key: it does not stay on the stack.
struct Block {
  ByteArray<4096> bytes;
  ~Block() { crypto::erase(bytes); }
};

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

Error system_error(std::string_view what, int error_number) {
  return {errc_of(error_number), "cannot " + std::string(what) + ": " + std::generic_category().message(error_number)};
}

Status make_private_directory(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(directory_of(path), error);
  if (error) return std::unexpected(system_error("create " + directory_of(path).string(), error.value()));
  if (::mkdir(path.c_str(), S_IRWXU) != 0) return std::unexpected(system_error("create " + path.string(), errno));
  return sync_directory(directory_of(path));
}

Status write_new_file(const std::filesystem::path& path, ByteView content) {
  const std::string what = "create " + path.string();
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return std::unexpected(system_error(what, errno));
  if (auto written = write_all(file.get(), content, what); !written) {
    ::unlink(path.c_str());
    return written;
  }
  return sync_directory(directory_of(path));
}

Status replace_file(const std::filesystem::path& path, ByteView content) {
  const std::filesystem::path fresh = path.string() + ".new";
  ::unlink(fresh.c_str());
  EKIDEN_TRY(write_new_file(fresh, content));
  return rename_file(fresh, path);
}

Status rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return std::unexpected(system_error("rename " + from.string() + " to " + to.string(), errno));
  }
  return sync_directory(directory_of(to));
}

Status sync_directory(const std::filesystem::path& path) {
  const std::string what = "sync the directory " + path.string();
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return std::unexpected(system_error(what, errno));
  // Some file systems cannot sync a directory and say EINVAL: there is nothing more to do on those.
  if (::fsync(directory.get()) != 0 && errno != EINVAL) return std::unexpected(system_error(what, errno));
  return {};
}

Result<FileText> read_file(const std::filesystem::path& path, std::size_t max_size) {
  const std::string what = "read " + path.string();
  // Without O_NONBLOCK opening a named pipe would wait for its writer for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return std::unexpected(system_error(what, errno));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return std::unexpected(system_error(what, errno));
  if (!S_ISREG(info.st_mode)) return fail(Errc::refused, "cannot " + what + ": it is not a regular file");
  FileText result;
  result.mode = info.st_mode;
  Block block;
  while (true) {
    const ::ssize_t got = ::read(file.get(), block.bytes.data(), block.bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(system_error(what, errno));
    if (got == 0) return result;
    if (result.text.size() + static_cast<std::size_t>(got) > max_size) {
      return fail(Errc::too_large, path.string() + " is larger than " + std::to_string(max_size) + " bytes");
    }
    result.text.append(as_text(ByteView(block.bytes).first(static_cast<std::size_t>(got))));
  }
}

}  // namespace ekiden::runtime
