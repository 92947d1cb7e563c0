#include "contra4/models/registry.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::models {

// What every folder models/<name>/ defines.
#define CONTRA4_NATIVE_MODEL(name, summary) \
  std::unique_ptr<SceneModel> make_##name(const NativeModelOptions& options);
#include "contra4/inference/native_models.inc"
#undef CONTRA4_NATIVE_MODEL

namespace {

struct Maker {
  std::string_view name;
  std::unique_ptr<SceneModel> (*make)(const NativeModelOptions& options);
};

#define CONTRA4_NATIVE_MODEL(name, summary) Maker{#name, make_##name},
constexpr std::array kMakers = {
#include "contra4/inference/native_models.inc"
};
#undef CONTRA4_NATIVE_MODEL

}  // namespace

std::unique_ptr<SceneModel> make_scene_model(std::string_view name,
                                             const NativeModelOptions& options) {
  const auto* maker = std::find_if(kMakers.begin(), kMakers.end(),
                                   [&](const Maker& candidate) { return candidate.name == name; });
  if (maker == kMakers.end()) {
    throw Exception(ErrorCode::kInvalidArgument, fmt::format("no native model '{}'", name));
  }
  return maker->make(options);
}

}  // namespace contra4::models
