#include "contra4/media/decoder.h"

#include "contra4/base/shared_module.h"

namespace contra4::media {

const MediaDecoder& media_decoder() {
  static const MediaDecoder* const decoder = [] {
    void* address = open_module_symbol("contra4_codecs", kCodecsModuleEntry, "CONTRA4_WITH_CODECS");
    const auto entry = reinterpret_cast<CodecsModuleEntry>(address);
    const MediaDecoder* opened = entry(kCodecsModuleVersion);
    if (opened == nullptr) {
      throw Exception(ErrorCode::kInternal,
                      "libcontra4_codecs.so is of another build; build anew with `make build`");
    }
    return opened;
  }();
  return *decoder;
}

}  // namespace contra4::media
