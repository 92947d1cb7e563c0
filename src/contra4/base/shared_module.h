// Parts of the program that are opened only by the commands that need them, because loading what
// they stand on takes longer than most commands run (libtorch some 185 ms, libarrow some 26 ms).
#pragma once

#include <string_view>

namespace contra4 {

// The address of `symbol` in lib<name>.so, which lies beside the running program (or in its
// ../lib). The module stays open until the process ends. Thread-safe. Throws kUnimplemented naming
// the CMake option `option` when there is no such module, kInternal when it does not load.
void* open_module_symbol(std::string_view name, const char* symbol, std::string_view option);

}  // namespace contra4
