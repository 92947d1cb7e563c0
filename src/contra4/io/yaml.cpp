#include "contra4/io/yaml.h"

#include <charconv>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "contra4/io/file.h"

namespace contra4::io {

namespace {

constexpr int kMaxDepth = 64;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

JsonValue convert_scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return JsonValue(text);  // quoted
  if (text.empty() || text == "~" || text == "null") return {};
  if (text == "true" || text == "True") return JsonValue(true);
  if (text == "false" || text == "False") return JsonValue(false);
  if (const auto integer = parse_number<std::int64_t>(text)) return JsonValue(*integer);
  if (const auto number = parse_number<double>(text);
      number && text.find_first_of("0123456789") != std::string::npos) {
    return JsonValue(*number);
  }
  return JsonValue(text);
}

JsonValue convert(const YAML::Node& node, int depth) {
  if (depth > kMaxDepth) {
    throw Exception(ErrorCode::kInvalidArgument, "nested too deeply (an anchor inside itself?)");
  }
  if (node.IsSequence()) {
    JsonValue::Array array;
    for (const YAML::Node& child : node) array.push_back(convert(child, depth + 1));
    return JsonValue(std::move(array));
  }
  if (node.IsMap()) {
    JsonValue::Object object;
    for (const auto& field : node) {
      object.emplace_back(field.first.as<std::string>(), convert(field.second, depth + 1));
    }
    return JsonValue(std::move(object));
  }
  return node.IsScalar() ? convert_scalar(node) : JsonValue();
}

}  // namespace

Result<JsonValue> parse_yaml(std::string_view text, std::string_view what) {
  try {
    return convert(YAML::Load(std::string(text)), 0);
  } catch (const YAML::Exception& exception) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}:{}:{}: not valid YAML: {}", what, exception.mark.line + 1,
                             exception.mark.column + 1, exception.msg)};
  } catch (const Exception& exception) {
    return Error{exception.code(), fmt::format("{}: {}", what, exception.what())};
  }
}

JsonValue read_yaml_file(const std::filesystem::path& path) {
  return parse_yaml(read_file(path, 16U << 20), path.string()).value();
}

}  // namespace contra4::io
