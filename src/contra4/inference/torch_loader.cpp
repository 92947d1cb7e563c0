#include "contra4/inference/torch_loader.h"

#include "contra4/base/error.h"
#include "contra4/base/shared_module.h"

namespace contra4 {

const TorchModule& open_torch_module() {
  void* const address =
      open_module_symbol("contra4_torch", kTorchModuleEntry, "CONTRA4_WITH_TORCH");
  const auto entry = reinterpret_cast<TorchModuleEntry>(address);
  const TorchModule* module = entry(kTorchModuleVersion);
  if (module == nullptr) {
    throw Exception(ErrorCode::kInternal,
                    "libcontra4_torch.so belongs to another build: build anew with `make build`");
  }
  return *module;
}

}  // namespace contra4
