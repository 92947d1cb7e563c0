#include "contra4/inference/text_generator.h"

namespace contra4 {

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
  }
  CONTRA4_CHECK(false, "role without a name");
}

}  // namespace contra4
