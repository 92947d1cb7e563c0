#include "contra4/io/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "contra4/io/file.h"
#include "contra4/io/json_writer.h"

namespace contra4::io {

namespace {

JsonValue convert(const simdjson::dom::element& element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY: {
      JsonValue::Array array;
      for (const simdjson::dom::element child : simdjson::dom::array(element)) {
        array.push_back(convert(child));
      }
      return JsonValue(std::move(array));
    }
    case element_type::OBJECT: {
      JsonValue::Object object;
      for (const simdjson::dom::key_value_pair field : simdjson::dom::object(element)) {
        object.emplace_back(std::string(field.key), convert(field.value));
      }
      return JsonValue(std::move(object));
    }
    case element_type::INT64:
      return JsonValue(static_cast<std::int64_t>(element));
    case element_type::UINT64:
      return JsonValue(static_cast<double>(static_cast<std::uint64_t>(element)));
    case element_type::DOUBLE:
      return JsonValue(static_cast<double>(element));
    case element_type::STRING:
      return JsonValue(std::string(std::string_view(element)));
    case element_type::BOOL:
      return JsonValue(static_cast<bool>(element));
    case element_type::NULL_VALUE:
      return {};
  }
  return {};
}

}  // namespace

std::optional<bool> JsonValue::find_bool() const {
  const bool* value = std::get_if<bool>(&value_);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<std::int64_t> JsonValue::find_integer() const {
  const std::int64_t* value = std::get_if<std::int64_t>(&value_);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<double> JsonValue::find_number() const {
  if (const double* value = std::get_if<double>(&value_)) return *value;
  if (const std::int64_t* value = std::get_if<std::int64_t>(&value_)) {
    return static_cast<double>(*value);
  }
  return std::nullopt;
}

const JsonValue* JsonValue::find(std::string_view name) const {
  const Object* object = find_object();
  if (object == nullptr) return nullptr;
  for (const Member& member : *object) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

const JsonValue* JsonValue::step(int index) const {
  const Array* array = find_array();
  if (array == nullptr || index < 0 || static_cast<std::size_t>(index) >= array->size()) {
    return nullptr;
  }
  return &(*array)[static_cast<std::size_t>(index)];
}

void each_leaf(const JsonValue& value, const std::string& prefix,
               const std::function<void(const std::string& name, const JsonValue& leaf)>& visit) {
  const JsonValue::Object* const object = value.find_object();
  if (object == nullptr || object->empty()) return visit(prefix, value);
  for (const auto& [name, member] : *object) {
    each_leaf(member, prefix.empty() ? name : fmt::format("{}.{}", prefix, name), visit);
  }
}

JsonValue without_members(const JsonValue& value,
                          const std::function<bool(std::string_view name)>& leaves_out) {
  if (const JsonValue::Array* const list = value.find_array()) {
    JsonValue::Array kept;
    for (const JsonValue& entry : *list) kept.push_back(without_members(entry, leaves_out));
    return JsonValue(std::move(kept));
  }
  const JsonValue::Object* const object = value.find_object();
  if (object == nullptr) return value;
  JsonValue::Object kept;
  for (const auto& [name, member] : *object) {
    if (!leaves_out(name)) kept.emplace_back(name, without_members(member, leaves_out));
  }
  return JsonValue(std::move(kept));
}

std::string compact_json(const JsonValue& value) {
  JsonWriter json;
  json.value(value);
  return json.take();
}

Result<JsonValue> parse_json(std::string_view text, std::string_view what) {
  // A parser per call: it keeps buffers of the largest document it has seen.
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  const simdjson::error_code error = parser.parse(text.data(), text.size()).get(element);
  if (error != simdjson::SUCCESS) {
    return Error{ErrorCode::kDataLoss,
                 fmt::format("{}: not valid JSON: {}", what, simdjson::error_message(error))};
  }
  return convert(element);
}

JsonValue read_json_file(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string()).value();
}

}  // namespace contra4::io
