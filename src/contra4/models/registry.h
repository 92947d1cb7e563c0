// The native models of inference/native_models.inc by name.
#pragma once

#include <memory>
#include <string_view>

#include "contra4/inference/native_model.h"
#include "contra4/models/scene_model.h"

namespace contra4::models {

// Throws as make_<name>(), kInvalidArgument for a name that is not listed.
std::unique_ptr<SceneModel> make_scene_model(std::string_view name,
                                             const NativeModelOptions& options);

}  // namespace contra4::models
