#include "contra4/apps/help.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

namespace contra4::apps {

namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kTextColumn = 34;

// `text` broken at blanks, lines after the first indented; it begins at column `column`.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t column) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, end);
    const bool is_break = end < text.size() && text[end] == '\n';
    if (column > indent && column + word.size() + 1 > kWidth) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(std::min(end + 1, text.size()));
    if (is_break) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    }
  }
  return out;
}

std::string names_of(const CLI::Option& option) {
  if (option.get_lnames().empty() && option.get_snames().empty()) return option.get_type_name();
  std::string names;
  for (const auto& name : option.get_snames()) names += fmt::format("-{}, ", name);
  for (const auto& name : option.get_lnames()) names += fmt::format("--{}, ", name);
  names.resize(names.size() - 2);
  if (option.get_items_expected_max() > 0) names += " " + option.get_type_name();
  return names;
}

std::string line_of(const CLI::Option& option) {
  std::string line = "  " + names_of(option);
  std::string text = option.get_description();
  if (!option.get_default_str().empty()) {
    text += fmt::format(" [default: {}]", option.get_default_str());
  }
  if (option.get_required()) text += " [required]";
  if (line.size() + 2 > kTextColumn) {
    line += '\n' + std::string(kTextColumn, ' ');
  } else {
    line.resize(kTextColumn, ' ');
  }
  return line + wrapped(text, kTextColumn, kTextColumn) + '\n';
}

std::string usage_of(const CLI::App& app, std::string_view command) {
  std::string usage = fmt::format("Usage: contra4 {}", command);
  for (const CLI::Option* option : app.get_options()) {
    const bool is_positional = option->get_lnames().empty() && option->get_snames().empty();
    if (!is_positional && !option->get_required()) continue;
    std::string argument = is_positional ? option->get_type_name()
                                         : fmt::format("--{} {}", option->get_lnames().front(),
                                                       option->get_type_name());
    usage += option->get_required() ? " " + argument : fmt::format(" [{}]", argument);
  }
  return usage + " [flags]\n";
}

}  // namespace

std::string command_help(const CLI::App& app, std::string_view command) {
  std::string page = usage_of(app, command);
  page += '\n' + wrapped(app.get_description(), 0, 0) + '\n';
  std::vector<std::string> groups;  // as declared; the flags of every command were declared last
  for (const CLI::Option* option : app.get_options()) {
    const std::string& group = option->get_group();
    if (group.empty() || std::find(groups.begin(), groups.end(), group) != groups.end()) continue;
    groups.push_back(group);
  }
  for (const std::string& group : groups) {
    page += fmt::format("\n{}:\n", group);
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() == group) page += line_of(*option);
    }
  }
  if (!app.get_footer().empty()) page += '\n' + app.get_footer() + '\n';
  return page;
}

}  // namespace contra4::apps
