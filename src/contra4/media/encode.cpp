#include "contra4/media/encode.h"

#include <cstddef>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace contra4::media {

std::string data_url(const EncodedMedia& media) {
  return fmt::format("data:{};base64,{}", media.mime_type, media.base64);
}

std::string base64_encode(std::string_view bytes) {
  // EVP counts in int; a multiple of three keeps padding out of the middle.
  constexpr std::size_t kBlock = 3U << 20;
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');     // EVP ends what it writes with a zero
  auto* out = reinterpret_cast<unsigned char*>(text.data());  // NOLINT(*-reinterpret-cast): C API
  for (std::size_t at = 0; at < bytes.size(); at += kBlock) {
    const std::string_view block = bytes.substr(at, kBlock);
    const auto* in = reinterpret_cast<const unsigned char*>(block.data());  // NOLINT(*-cast)
    out += EVP_EncodeBlock(out, in, static_cast<int>(block.size()));
  }
  text.pop_back();
  return text;
}

}  // namespace contra4::media
