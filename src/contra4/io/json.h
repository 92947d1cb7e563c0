// JSON documents read as immutable values: for configurations, replies and journals. Data set rows
// take the faster way of data/. Parsing is simdjson's: strict UTF-8, depth at most 1024.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "contra4/base/error.h"

namespace contra4::io {

class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Member = std::pair<std::string, JsonValue>;
  using Object = std::vector<Member>;  // in the order of the document

  JsonValue() = default;  // null
  explicit JsonValue(bool value) : value_(value) {}
  explicit JsonValue(std::int64_t value) : value_(value) {}
  explicit JsonValue(double value) : value_(value) {}
  explicit JsonValue(std::string value) : value_(std::move(value)) {}
  explicit JsonValue(Array value) : value_(std::move(value)) {}
  explicit JsonValue(Object value) : value_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }

  // Null pointers or empty where the value is of another type: for input that may be anything.
  const Object* find_object() const { return std::get_if<Object>(&value_); }
  const Array* find_array() const { return std::get_if<Array>(&value_); }
  const std::string* find_string() const { return std::get_if<std::string>(&value_); }
  std::optional<bool> find_bool() const;
  std::optional<std::int64_t> find_integer() const;
  std::optional<double> find_number() const;  // integers too

  // The first member of that name; null when this is no object or has none.
  const JsonValue* find(std::string_view name) const;
  // A chain of member names and array indices, "choices", 0, "message": null when a step is
  // missing.
  template <class... Steps>
  const JsonValue* find_path(Steps... steps) const {
    const JsonValue* value = this;
    ((value = value ? value->step(steps) : nullptr), ...);
    return value;
  }

 private:
  const JsonValue* step(std::string_view name) const { return find(name); }
  const JsonValue* step(const char* name) const { return find(name); }
  const JsonValue* step(int index) const;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

// Calls `visit` for every value that is no object, or an empty one, with its dotted name: "a.b"
// below the `prefix`, which may be empty. Lists are values.
void each_leaf(const JsonValue& value, const std::string& prefix,
               const std::function<void(const std::string& name, const JsonValue& leaf)>& visit);
// The same tree without the members that `leaves_out` names, at any depth.
JsonValue without_members(const JsonValue& value,
                          const std::function<bool(std::string_view name)>& leaves_out);
// On one line.
std::string compact_json(const JsonValue& value);

// kDataLoss with the reason and the byte offset where it is known; `what` names the text in
// messages.
Result<JsonValue> parse_json(std::string_view text, std::string_view what);
// Throws kNotFound, kDataLoss.
JsonValue read_json_file(const std::filesystem::path& path);

}  // namespace contra4::io
