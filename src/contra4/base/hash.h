// Content hashes. SHA-256 where a file or a result is named by its content.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace contra4 {

// Incremental SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  // 64 lower-case hexadecimal digits; the object is spent afterwards.
  std::string hex_digest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
// Of a file's bytes, read in blocks. Throws kNotFound.
std::string sha256_hex_of_file(const std::filesystem::path& path);

// The first eight bytes of SHA-256 as a little-endian number: seeds derived from names.
std::uint64_t stable_hash64(std::string_view bytes);

}  // namespace contra4
