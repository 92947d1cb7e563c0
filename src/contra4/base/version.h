// The program's version, written beside every result.
#pragma once

#include <string_view>

namespace contra4 {
std::string_view version();
}
