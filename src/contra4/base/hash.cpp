#include "contra4/base/hash.h"

#include <array>
#include <fstream>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "contra4/base/error.h"

namespace contra4 {

namespace {
struct EvpDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
}  // namespace

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, EvpDeleter> context{EVP_MD_CTX_new()};

  std::array<unsigned char, 32> finish() {
    std::array<unsigned char, 32> digest{};
    CONTRA4_CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1, "SHA-256");
    return digest;
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  CONTRA4_CHECK(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1, "SHA-256");
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  CONTRA4_CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1,
                "SHA-256");
}

std::string Sha256::hex_digest() {
  std::string hex;
  hex.reserve(64);
  for (const unsigned char byte : state_->finish()) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex_digest();
}

std::string sha256_hex_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Exception(ErrorCode::kNotFound, fmt::format("{}: cannot be opened", path.string()));
  Sha256 hash;
  std::string block(1 << 20, '\0');
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0) {
    hash.update({block.data(), static_cast<std::size_t>(file.gcount())});
  }
  return hash.hex_digest();
}

std::uint64_t stable_hash64(std::string_view bytes) {
  const std::string hex = sha256_hex(bytes);
  std::uint64_t value = 0;
  for (int byte = 7; byte >= 0; --byte) {
    value =
        value << 8 | std::stoull(hex.substr(static_cast<std::size_t>(byte) * 2, 2), nullptr, 16);
  }
  return value;
}

}  // namespace contra4
