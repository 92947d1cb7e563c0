#include "contra4/base/shared_module.h"

#include <dlfcn.h>

#include <array>
#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4 {

namespace fs = std::filesystem;

void* open_module_symbol(std::string_view name, const char* symbol, std::string_view option) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const std::string file = fmt::format("lib{}.so", name);
  const std::array<fs::path, 2> candidates = {program.parent_path() / file,
                                              program.parent_path().parent_path() / "lib" / file};
  for (const fs::path& path : candidates) {
    if (!fs::exists(path, error)) continue;
    // Local: two modules may carry their own copies of the same static rooms.
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* address = handle == nullptr ? nullptr : ::dlsym(handle, symbol);
    if (address != nullptr) return address;
    const char* reason = ::dlerror();  // NOLINT(concurrency-mt-unsafe): per thread in glibc
    throw Exception(ErrorCode::kInternal,
                    fmt::format("{}: does not load: {}; build anew with `make build`",
                                path.string(), reason == nullptr ? "unknown reason" : reason));
  }
  throw Exception(
      ErrorCode::kUnimplemented,
      fmt::format("this build has no {} beside the program: configure with -D{}=ON", file, option));
}

}  // namespace contra4
