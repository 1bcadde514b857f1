// See cache.hpp.
#include "cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "sha256.hpp"

namespace davit::downloads {

File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

File::~File() {
  if (fd_ >= 0) close(fd_);
}

Scratch::Scratch(const std::string& folder) : path_(folder + "/" + std::string(kScratchPrefix) + "XXXXXX") {
  const File made(mkostemp(path_.data(), O_CLOEXEC));
  if (!made) path_.clear();
}

Scratch::~Scratch() {
  if (!path_.empty()) unlink(path_.c_str());
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

std::optional<std::string> read_text(const std::string& path, std::size_t most_bytes) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return std::nullopt;
  std::string text(most_bytes, '\0');
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < most_bytes; size += static_cast<std::size_t>(got)) {
    got = read(file.fd(), text.data() + size, most_bytes - size);
    if (got < 0) return std::nullopt;
  }
  text.resize(size);
  return text;
}

std::string Cache::scratch_folder() const {
  if (!folder_.empty() && access(folder_.c_str(), W_OK) == 0) return folder_;
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

std::optional<Kept> Cache::find(const std::string& key) const {
  if (folder_.empty()) return std::nullopt;
  const std::string name = folder_ + "/" + std::string(kEntryPrefix) + sha256_of(key);
  const auto text = read_text(name, kMostEntryBytes);
  if (!text) return std::nullopt;
  auto entry = CacheEntry::parse(*text);
  if (!entry) return std::nullopt;
  const std::string body = folder_ + "/" + std::string(kBodyPrefix) + entry->sha256;
  File file(open(body.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat facts {};
  if (!file || fstat(file.fd(), &facts) != 0 || static_cast<std::uint64_t>(facts.st_size) != entry->bytes ||
      sha256_of_file(file.fd()) != entry->sha256) {
    return std::nullopt;  // cut, changed or gone: the next good answer replaces it
  }
  utimensat(AT_FDCWD, name.c_str(), nullptr, 0);
  return Kept{std::move(*entry), std::move(file)};
}

bool Cache::keep(const std::string& key, CacheEntry entry, const std::string& scratch) const {
  if (folder_.empty() || !scratch.starts_with(folder_ + "/")) return false;
  {
    const File file(open(scratch.c_str(), O_RDONLY | O_CLOEXEC));
    const auto sum = file ? sha256_of_file(file.fd()) : std::nullopt;
    if (!sum || fdatasync(file.fd()) != 0) return false;
    entry.sha256 = *sum;
  }
  const Scratch note(folder_);
  const File file(note.path().empty() ? -1 : open(note.path().c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || !write_all(file.fd(), entry.text())) return false;
  const std::string body = folder_ + "/" + std::string(kBodyPrefix) + entry.sha256;
  const std::string name = folder_ + "/" + std::string(kEntryPrefix) + sha256_of(key);
  return std::rename(scratch.c_str(), body.c_str()) == 0 &&
         std::rename(note.path().c_str(), name.c_str()) == 0;
}

}  // namespace davit::downloads
