#include "contra4/apps/arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/apps/command.h"
#include "contra4/base/suggest.h"
#include "contra4/io/yaml.h"

namespace contra4::apps {

namespace {

constexpr const char* kConfig = "config";

bool is_long_flag(std::string_view argument) {
  return argument.size() > 2 && argument.starts_with("--");
}

// "data-path" of "--data-path=x".
std::string flag_name(std::string_view argument) {
  return std::string(argument.substr(2, argument.find('=') - 2));
}

const CLI::Option* find_flag(const CLI::App& app, const std::string& name) {
  const auto* option = app.get_option_no_throw("--" + name);
  return option != nullptr && option->check_lname(name) ? option : nullptr;
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  return names;
}

std::string nearest_hint(std::string_view typed, std::span<const std::string> candidates,
                         std::string_view prefix) {
  const auto nearest = find_nearest(typed, candidates);
  return nearest ? fmt::format("; did you mean {}{}?", prefix, *nearest) : "";
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}
bool takes_many(const CLI::Option& option) {
  return option.get_items_expected_max() > 1;
}

// Underscores of flags become hyphens, `--flag=` becomes a flag and an empty value (which CLI11
// would not see), flags are checked and noted.
std::vector<std::string> normalize(const CLI::App& app, const std::vector<std::string>& arguments,
                                   std::set<std::string>& typed_flags) {
  std::vector<std::string> normal;
  std::optional<std::string> wants_value;  // the flag before
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (wants_value) {
      const bool is_flag =
          is_long_flag(argument) && find_flag(app, flag_name(hyphenated(argument))) != nullptr;
      if (is_flag) {
        throw UsageError(fmt::format(
            "--{0} needs a value, and {1} follows it; a value of that spelling is given "
            "as --{0}={1}",
            *wants_value, argument));
      }
      normal.push_back(argument);
      wants_value.reset();
      continue;
    }
    if (argument == "--") {  // all that follows are no flags
      normal.insert(normal.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i),
                    arguments.end());
      break;
    }
    if (!is_long_flag(argument)) {
      normal.push_back(argument);
      continue;
    }
    const std::string spelled = hyphenated(argument);
    const std::string name = flag_name(spelled);
    const CLI::Option* option = find_flag(app, name);
    if (option == nullptr) {
      throw UsageError(
          fmt::format("no flag --{}{}", name, nearest_hint(name, flag_names(app), "--")));
    }
    typed_flags.insert(option->get_lnames().begin(), option->get_lnames().end());
    const bool has_value = spelled.find('=') != std::string::npos;
    if (has_value && spelled.ends_with('=') && spelled.size() == name.size() + 3) {
      normal.push_back("--" + name);
      normal.emplace_back();
    } else {
      normal.push_back(spelled);
    }
    if (!has_value && takes_value(*option)) wants_value = name;
  }
  if (wants_value) throw UsageError(fmt::format("--{} needs a value", *wants_value));
  return normal;
}

// A YAML scalar as one would type it.
std::optional<std::string> text_of(const io::JsonValue& value) {
  if (const std::string* text = value.find_string()) return *text;
  if (const auto integer = value.find_integer()) return std::to_string(*integer);
  if (const auto number = value.find_number()) return fmt::format("{}", *number);
  if (const auto flag = value.find_bool()) return *flag ? "true" : "false";
  return std::nullopt;
}

void add_value(std::vector<std::string>& arguments, const std::string& name,
               const std::string& value) {
  if (value.empty()) {
    arguments.push_back("--" + name);
    arguments.emplace_back();
  } else {
    arguments.push_back(fmt::format("--{}={}", name, value));
  }
}

void add_setting(std::vector<std::string>& arguments, const CLI::Option& option,
                 const std::string& name, const io::JsonValue& value, std::string_view file) {
  if (value.is_null()) return;
  if (!takes_value(option)) {
    const auto flag = value.find_bool();
    if (!flag) throw UsageError(fmt::format("{}: {} is true or false", file, name));
    if (*flag) arguments.push_back("--" + name);
    return;
  }
  if (const auto* list = value.find_array()) {
    if (!takes_many(option)) throw UsageError(fmt::format("{}: {} takes one value", file, name));
    for (const io::JsonValue& entry : *list) {
      const auto text = text_of(entry);
      if (!text) throw UsageError(fmt::format("{}: {} takes a list of plain values", file, name));
      add_value(arguments, name, *text);
    }
    return;
  }
  const auto text = text_of(value);
  if (!text) throw UsageError(fmt::format("{}: {} takes a plain value", file, name));
  add_value(arguments, name, *text);
}

void run_parser(CLI::App& app, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    throw;
  } catch (const CLI::ExtrasError&) {
    const auto extras = app.remaining();
    throw UsageError(fmt::format("'{}' {} too many", fmt::join(extras, "' '"),
                                 extras.size() == 1 ? "is one argument" : "are arguments"));
  } catch (const CLI::ConversionError& error) {
    // "Could not convert: --limit = abc"
    throw UsageError(fmt::format("{}: not a number of the right kind", error.what()));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
}

// All of `text` as a number.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> config_file(const std::vector<std::string>& arguments) {
  std::optional<std::string> file;
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (arguments[i] == "--config" && i + 1 < arguments.size()) file = arguments[i + 1];
    if (arguments[i].starts_with("--config=")) file = arguments[i].substr(9);
  }
  return file;
}

}  // namespace

std::string hyphenated(std::string argument) {
  if (!is_long_flag(argument)) return argument;
  const auto end = std::min(argument.find('='), argument.size());
  std::replace(argument.begin(), argument.begin() + static_cast<std::ptrdiff_t>(end), '_', '-');
  return argument;
}

std::vector<std::string> arguments_of_config(const CLI::App& app, const io::JsonValue& config,
                                             const std::set<std::string>& typed_flags,
                                             std::string_view file) {
  std::vector<std::string> arguments;
  if (config.is_null()) return arguments;  // an empty file
  const auto* members = config.find_object();
  if (members == nullptr) {
    throw UsageError(fmt::format("{}: expected one 'flag: value' a line", file));
  }
  std::set<const CLI::Option*> seen;
  for (const auto& [key, value] : *members) {
    const std::string name = hyphenated("--" + key).substr(2);
    const CLI::Option* option = find_flag(app, name);
    if (option == nullptr || name == kConfig || name == "help") {
      throw UsageError(fmt::format("{}: this command has no setting '{}'{}", file, key,
                                   nearest_hint(name, flag_names(app), "")));
    }
    if (!seen.insert(option).second) {
      throw UsageError(fmt::format("{}: {} is set twice", file, key));
    }
    if (!typed_flags.contains(name)) add_setting(arguments, *option, name, value, file);
  }
  return arguments;
}

void parse_arguments(CLI::App& app, std::vector<std::string> arguments,
                     std::set<std::string>& typed_flags) {
  arguments = normalize(app, arguments, typed_flags);
  if (typed_flags.contains("help")) throw CLI::CallForHelp();
  if (const auto file = config_file(arguments)) {
    auto from_file = arguments_of_config(app, io::read_yaml_file(*file), typed_flags, *file);
    arguments.insert(arguments.begin(), from_file.begin(), from_file.end());
  }
  run_parser(app, std::move(arguments));
}

CLI::Validator one_of(std::vector<std::string> words) {
  const auto check = [words = std::move(words)](std::string& typed) -> std::string {
    std::string word = typed;
    std::replace(word.begin(), word.end(), '_', '-');
    if (std::find(words.begin(), words.end(), word) != words.end()) {
      typed = word;
      return {};
    }
    return fmt::format("'{}' is none of {}{}", typed, fmt::join(words, ", "),
                       nearest_hint(word, words, ""));
  };
  return CLI::Validator(check, "");
}

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  const auto check = [=](const std::string& typed) -> std::string {
    const auto value = parse_number<std::int64_t>(typed);
    if (value && *value >= least && *value <= most) return {};
    return most == std::numeric_limits<std::int64_t>::max()
               ? fmt::format("'{}' is no whole number of at least {}", typed, least)
               : fmt::format("'{}' is no whole number from {} to {}", typed, least, most);
  };
  return CLI::Validator(check, "");
}

CLI::Validator number(double least, double most) {
  const auto check = [=](const std::string& typed) -> std::string {
    const auto value = parse_number<double>(typed);
    if (value && std::isfinite(*value) && *value >= least && *value <= most) return {};
    return std::isinf(most) ? fmt::format("'{}' is no number of at least {}", typed, least)
                            : fmt::format("'{}' is no number from {} to {}", typed, least, most);
  };
  return CLI::Validator(check, "");
}

void add_config_flag(CLI::App& app) {
  app.add_option(fmt::format("--{}", kConfig),
                 "flags of this command as YAML, one 'flag: value' a line; flags typed win over it")
      ->type_name("FILE");
}

}  // namespace contra4::apps
