#include "contra4/inference/native_model.h"

#include <array>

namespace contra4 {

std::span<const NativeModelInfo> native_models() {
#define CONTRA4_NATIVE_MODEL(name, summary) NativeModelInfo{#name, summary},
  static constexpr std::array kModels = {
#include "contra4/inference/native_models.inc"
  };
#undef CONTRA4_NATIVE_MODEL
  return kModels;
}

}  // namespace contra4
