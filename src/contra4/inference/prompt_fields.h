// Files of prompts in YAML or JSON, as people write them: a table of the fields there are, each
// with what reads it. What goes wrong names the file and the field.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contra4/inference/text_generator.h"
#include "contra4/io/json.h"

namespace contra4 {

// Where a value stands: the file, and the field in it ("user", "examples[0].scenes").
struct FieldPlace {
  std::string_view file;
  std::string_view field;
};

// All that follows throws kInvalidArgument "FILE: 'FIELD' WHY" with it.
[[noreturn]] void refuse_field(const FieldPlace& place, std::string_view why);

std::string field_text(const FieldPlace& place, const io::JsonValue& value);
// One text stands for a list of one.
std::vector<std::string> field_texts(const FieldPlace& place, const io::JsonValue& value);
// From `low` to `high`, both included.
struct NumberRange {
  double low = 0;
  double high = 0;
};
double field_number(const FieldPlace& place, const io::JsonValue& value, NumberRange range);

template <class T>
struct PromptField {
  std::string name;
  std::function<void(T&, const FieldPlace&, const io::JsonValue&)> read;
};

template <class T>
PromptField<T> text_field(std::string name, std::string T::*member) {
  return {std::move(name), [member](T& out, const FieldPlace& place, const io::JsonValue& value) {
            out.*member = field_text(place, value);
          }};
}

// "temperature", "top_p", "max_tokens" and "stop"; false for another name.
bool read_sampling_field(Sampling& out, const FieldPlace& place, const io::JsonValue& value);

// For a field that is neither among `known` nor one of the sampling; names the nearest.
[[noreturn]] void refuse_unknown_field(const FieldPlace& place, std::vector<std::string> known);
// The members of an object in its order; throws "FILE: is to hold fields: A, B and so on" for
// anything else.
const io::JsonValue::Object& prompt_fields_of(const io::JsonValue& value, std::string_view file,
                                              const std::vector<std::string>& known);

// Reads the fields of an object into `out`: those of the table, and those of its `sampling`.
template <class T>
void read_prompt_fields(const io::JsonValue& object, std::string_view file,
                        const std::vector<PromptField<T>>& fields, T& out) {
  std::vector<std::string> known;
  known.reserve(fields.size());
  for (const auto& field : fields) known.push_back(field.name);
  for (const auto& [name, value] : prompt_fields_of(object, file, known)) {
    const FieldPlace place{.file = file, .field = name};
    bool is_read = read_sampling_field(out.sampling, place, value);
    for (const auto& field : fields) {
      if (is_read || field.name != name) continue;
      field.read(out, place, value);
      is_read = true;
    }
    if (!is_read) refuse_unknown_field(place, known);
  }
}

}  // namespace contra4
