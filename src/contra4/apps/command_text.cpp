#include "contra4/apps/command_text.h"

#include <string_view>

#include "contra4/net/url.h"

namespace contra4::apps {

namespace {

std::string without_secrets(const std::string& argument) {
  const auto begin = argument.starts_with("--") ? argument.find('=') + 1 : 0;  // npos + 1 is 0
  const std::string_view value = std::string_view(argument).substr(begin);
  if (!net::is_http_url(value)) return argument;
  return argument.substr(0, begin) + net::printable_url(value);
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_./:=,+@%").find(c) != std::string_view::npos;
}

std::string quoted(const std::string& argument) {
  bool needs_quotes = argument.empty();
  std::string text = "'";
  for (const char c : argument) {
    needs_quotes = needs_quotes || !is_plain(c);
    text += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return needs_quotes ? text + "'" : argument;
}

}  // namespace

std::string command_text(const std::vector<std::string>& arguments) {
  std::string text = "contra4";
  for (const std::string& argument : arguments) text += " " + quoted(without_secrets(argument));
  return text;
}

}  // namespace contra4::apps
