#include "contra4/clients/secret.h"

#include <string_view>

namespace contra4::clients {

std::string redact(std::string text, const Secret& secret) {
  constexpr std::string_view kStars = "***";
  const std::string& value = secret.reveal();
  if (value.empty()) return text;
  std::size_t at = 0;
  while ((at = text.find(value, at)) != std::string::npos) {
    text.replace(at, value.size(), kStars);
    at += kStars.size();
  }
  return text;
}

}  // namespace contra4::clients
