#include "contra4/clients/api_key.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/log.h"
#include "contra4/net/url.h"

namespace contra4::clients {

namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

ApiKey::ApiKey(const Secret& key, std::string variable)
    : key_(trimmed(key.reveal())), variable_(std::move(variable)) {
  const std::string& value = key_.reveal();
  const bool is_plain =
      std::all_of(value.begin(), value.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (!is_plain) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: a key is one line of letters, digits and signs; this one "
                                "holds a blank, a line break or another character",
                                variable_));
  }
}

std::string ApiKey::clean(std::string text) const {
  if (reveal().size() < kShortestSecret) return text;
  return redact(std::move(text), key_);
}

void warn_of_open_key(const ApiKey& key, const std::string& url) {
  if (!key.is_set() || url.starts_with("https://") || net::is_loopback_url(url)) return;
  log::warning("{} goes unencrypted to {}: use https:// where it matters", key.variable(),
               net::printable_url(url));
}

}  // namespace contra4::clients
