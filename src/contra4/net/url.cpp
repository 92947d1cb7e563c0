#include "contra4/net/url.h"

#include <algorithm>
#include <cctype>

namespace contra4::net {

namespace {

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
           return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
         });
}

struct Parts {
  std::string_view scheme;  // with "://"
  std::string_view authority;
  std::string_view path;
};

Parts split(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  Parts parts;
  if (scheme != std::string_view::npos) {
    parts.scheme = url.substr(0, scheme + 3);
    url.remove_prefix(scheme + 3);
  }
  const std::size_t slash = std::min(url.find_first_of("/\\"), url.size());
  parts.authority = url.substr(0, slash);
  parts.path = url.substr(slash);
  if (const std::size_t at = parts.authority.rfind('@'); at != std::string_view::npos) {
    parts.authority.remove_prefix(at + 1);
  }
  return parts;
}

}  // namespace

bool is_http_url(std::string_view url) {
  return (starts_with_ignoring_case(url, "http://") ||
          starts_with_ignoring_case(url, "https://")) &&
         !url_host(url).empty();
}

std::string_view url_host(std::string_view url) {
  std::string_view authority = split(url).authority;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool is_loopback_url(std::string_view url) {
  const std::string_view host = url_host(url);
  const bool is_dotted_quad = std::all_of(
      host.begin(), host.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return (host.size() == 9 && starts_with_ignoring_case(host, "localhost")) || host == "::1" ||
         (is_dotted_quad && host.starts_with("127."));
}

std::string printable_url(std::string_view url) {
  const Parts parts = split(url);
  std::string text;
  text.append(parts.scheme).append(parts.authority).append(parts.path);
  return text;
}

}  // namespace contra4::net
