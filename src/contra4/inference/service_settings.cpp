#include "contra4/inference/service_settings.h"

#include <algorithm>
#include <array>

namespace contra4 {

bool is_service_setting(std::string_view member) {
  constexpr std::array<std::string_view, 5> kMembers = {"endpoints", "base_url", "base_urls",
                                                        "workers", "concurrency"};
  return std::find(kMembers.begin(), kMembers.end(), member) != kMembers.end();
}

}  // namespace contra4
