#include "contra4/base/version.h"

namespace contra4 {
std::string_view version() {
  return CONTRA4_VERSION;
}
}  // namespace contra4
