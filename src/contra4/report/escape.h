// Text that others wrote (titles, names of sources, captions) inside XML, Markdown and YAML: it is
// shown as it is and can neither end its element nor begin another. Bytes that are no UTF-8 become
// U+FFFD in all of them.
#pragma once

#include <string>
#include <string_view>

namespace contra4::report {

// For content and quoted attributes alike. Characters that XML 1.0 forbids become U+FFFD.
std::string xml_text(std::string_view text);

// One line of text, in a paragraph, a list or a cell of a table: line breaks become spaces.
std::string markdown_text(std::string_view text);
// `text` as code, on one line, in a paragraph, a list or a cell.
std::string markdown_code(std::string_view text);
// Lines of code between fences that are longer than any run of backticks in them.
std::string markdown_block(std::string_view language, std::string_view text);

// A quoted scalar, whatever the text looks like ("no", "1.0", "a: b", "- x").
std::string yaml_text(std::string_view text);

}  // namespace contra4::report
