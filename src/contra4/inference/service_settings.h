// Which settings of a model only say where and how fast it is asked.
#pragma once

#include <string_view>

namespace contra4 {

// Of a member in a description ("endpoints", "workers"): it does not decide what is answered.
bool is_service_setting(std::string_view member);

}  // namespace contra4
