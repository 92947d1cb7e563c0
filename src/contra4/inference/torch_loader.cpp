#include "contra4/inference/torch_loader.h"

#include <cstdlib>

#include "contra4/base/error.h"
#include "contra4/base/shared_module.h"

namespace contra4 {

const TorchModule& open_torch_module() {
  // Large tensors on huge pages, which libtorch asks the system for where this is set before it
  // is loaded: a process that touches them 4 KB a time spends up to a tenth of its time on that.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): commands open modules before they start threads
  ::setenv("THP_MEM_ALLOC_ENABLE", "1", /*overwrite=*/0);
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
