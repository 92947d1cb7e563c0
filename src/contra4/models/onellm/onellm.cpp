// OneLLM as a native model: what models/registry.cpp asks for.
#include "contra4/base/error.h"
#include "contra4/models/registry.h"

namespace contra4::models {

std::unique_ptr<SceneModel> make_onellm(const NativeModelOptions& options);

std::unique_ptr<SceneModel> make_onellm(const NativeModelOptions&) {
  throw Exception(ErrorCode::kUnimplemented, "onellm: not built yet");
}

}  // namespace contra4::models
