// The parts of a URL that decisions and messages need. No full parser: libcurl does that.
#pragma once

#include <string>
#include <string_view>

namespace contra4::net {

// Begins with http:// or https:// (in any case) and names a host.
bool is_http_url(std::string_view url);
// Of the host alone: without user, port and brackets; empty when there is none.
std::string_view url_host(std::string_view url);
// localhost, 127.0.0.0/8, ::1.
bool is_loopback_url(std::string_view url);
// `url` without user, password, query and fragment, which may hold secrets: for messages and
// journals.
std::string printable_url(std::string_view url);

}  // namespace contra4::net
