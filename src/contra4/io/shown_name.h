// Names that come out of files, in messages.
#pragma once

#include <string>
#include <string_view>

namespace contra4::io {

// Cut after 120 bytes and without control characters, so that a message stays a line and moves no
// terminal's cursor.
std::string shown_name(std::string_view name);

}  // namespace contra4::io
