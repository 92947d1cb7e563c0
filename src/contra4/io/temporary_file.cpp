#include "contra4/io/temporary_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <system_error>

#include "contra4/io/descriptor.h"

namespace contra4::io {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRandomCharacters = 6;  // that mkostemp() fills in

void remove_if_orphaned(const fs::path& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (descriptor.get() < 0 || ::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) return;
  ::unlink(path.c_str());
}

void remove_orphans(const fs::path& folder, const std::string& prefix) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() == prefix.size() + kRandomCharacters && name.starts_with(prefix)) {
      remove_if_orphaned(entry->path());
    }
  }
}

bool is_linked(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

}  // namespace

int create_temporary(const fs::path& path, fs::path& temporary) {
  const std::string prefix = path.filename().string() + ".tmp-";
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  remove_orphans(folder, prefix);
  while (true) {
    std::string pattern = path.string() + ".tmp-" + std::string(kRandomCharacters, 'X');
    const int descriptor = ::mkostemp(pattern.data(), O_CLOEXEC);
    if (descriptor < 0) return descriptor;
    // Waits for whom takes it for an orphan before it was locked, and is about to remove it.
    ::flock(descriptor, LOCK_EX);
    if (!is_linked(descriptor)) {
      ::close(descriptor);
      continue;
    }
    temporary = pattern;
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(descriptor, 0666 & ~mask);
    return descriptor;
  }
}

}  // namespace contra4::io
