// The program's side of the door to the torch half.
#pragma once

#include "contra4/inference/torch_module.h"

namespace contra4 {

// Opens libcontra4_torch.so beside the program, once; it stays open until the process ends.
// Thread-safe. Throws kUnimplemented when this build has none, kInternal when it does not load or
// belongs to another build.
const TorchModule& open_torch_module();

}  // namespace contra4
