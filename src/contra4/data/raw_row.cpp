#include "contra4/data/raw_row.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/data/json_node.h"
#include "contra4/data/json_scan.h"
#include "contra4/io/json_writer.h"

namespace contra4::data {

namespace {

using simdjson::dom::element;

Error missing(std::string_view member) {
  return {ErrorCode::kInvalidArgument, fmt::format("there is no '{}'", member)};
}

Error not_a(std::string_view wanted, std::string_view member, element value) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("'{}' is {}, not {}", member, type_name({value, {}}), wanted)};
}

bool has_line_break(std::string_view json) {
  return json.find_first_of("\r\n") != std::string_view::npos;
}

// The first caption of one of `examples`.
Result<std::string_view> caption_of(element scene) {
  simdjson::dom::object object;
  if (scene.get(object) != simdjson::SUCCESS) return not_a("a list of objects", "examples", scene);
  element caption;
  if (object.at_key("caption").get(caption) != simdjson::SUCCESS) return std::string_view();
  if (caption.is_null()) return std::string_view();
  simdjson::dom::array list;
  if (caption.get(list) == simdjson::SUCCESS) {
    if (list.size() == 0) return std::string_view();
    caption = list.at(0).value();
  }
  std::string_view text;
  if (caption.get(text) != simdjson::SUCCESS) return not_a("a string", "caption", caption);
  return text;
}

}  // namespace

struct RawRow::State {
  simdjson::dom::parser parser;
  std::string stand_in;  // the text with big integers blanked
  std::string_view text;
  std::vector<std::string_view> names;
  std::vector<element> values;
  mutable std::vector<std::string_view> raws;  // filled when the first is asked for

  std::size_t find(std::string_view member) const {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), member) - names.begin());
  }
  std::string_view raw(std::size_t index) const {
    if (raws.empty()) {
      JsonSlices slices(text);
      for (std::size_t i = 0; i < names.size(); ++i) raws.push_back(slices.next());
    }
    return raws[index];
  }
};

RawRow::RawRow() : state_(std::make_unique<State>()) {}
RawRow::~RawRow() = default;

Result<void> RawRow::parse(std::string_view text) {
  State& state = *state_;
  state.text = text;
  state.names.clear();
  state.values.clear();
  state.raws.clear();
  element document;
  simdjson::error_code error =
      state.parser.parse(text.data(), text.size(), /*realloc_if_needed=*/false).get(document);
  if (error == simdjson::NUMBER_ERROR) {
    state.stand_in = text;
    if (blank_big_integers(state.stand_in)) {
      error = state.parser.parse(state.stand_in).get(document);
    }
  }
  if (error != simdjson::SUCCESS) {
    return Error{ErrorCode::kDataLoss,
                 fmt::format("not valid JSON: {}", simdjson::error_message(error))};
  }
  simdjson::dom::object object;
  if (document.get(object) != simdjson::SUCCESS) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the row is {}, not an object", type_name({document, {}}))};
  }
  for (const simdjson::dom::key_value_pair field : object) {
    state.names.push_back(field.key);
    state.values.push_back(field.value);
  }
  return {};
}

std::string_view RawRow::text() const {
  return state_->text;
}

const std::vector<std::string_view>& RawRow::members() const {
  return state_->names;
}

bool RawRow::has(std::string_view member) const {
  return state_->find(member) < state_->names.size();
}

std::string_view RawRow::raw(std::string_view member) const {
  const std::size_t index = state_->find(member);
  return index < state_->names.size() ? state_->raw(index) : std::string_view();
}

std::vector<std::string_view> RawRow::raw_elements(std::string_view member) const {
  std::vector<std::string_view> elements;
  const std::size_t index = state_->find(member);
  simdjson::dom::array list;
  if (index == state_->names.size() || state_->values[index].get(list) != simdjson::SUCCESS) {
    return elements;
  }
  JsonSlices slices(state_->raw(index));
  const std::size_t size = list.size();
  elements.reserve(size);
  while (elements.size() < size) elements.push_back(slices.next());
  return elements;
}

Result<RecordId> RawRow::id() const {
  const std::size_t index = state_->find("id");
  if (index == state_->names.size()) return missing("id");
  const element value = state_->values[index];
  try {
    return id_of({value, value.is_string() ? std::string_view() : state_->raw(index)}, {"id"});
  } catch (const Rejection& rejection) {
    return Error{rejection.code, rejection.reason};
  }
}

Result<std::string_view> RawRow::string(std::string_view member) const {
  const std::size_t index = state_->find(member);
  if (index == state_->names.size()) return missing(member);
  std::string_view text;
  if (state_->values[index].get(text) != simdjson::SUCCESS) {
    return not_a("a string", member, state_->values[index]);
  }
  return text;
}

Result<std::vector<std::optional<std::string_view>>> RawRow::strings(std::string_view member,
                                                                     Nulls nulls) const {
  const std::size_t index = state_->find(member);
  if (index == state_->names.size()) return missing(member);
  simdjson::dom::array list;
  if (state_->values[index].get(list) != simdjson::SUCCESS) {
    return not_a("a list", member, state_->values[index]);
  }
  std::vector<std::optional<std::string_view>> texts;
  texts.reserve(list.size());
  for (const element child : list) {
    std::string_view text;
    if (child.get(text) == simdjson::SUCCESS) {
      texts.emplace_back(text);
    } else if (child.is_null() && nulls == Nulls::kAllowed) {
      texts.emplace_back();
    } else {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("entry {} of '{}' is {}, not a string", texts.size() + 1, member,
                               type_name({child, {}}))};
    }
  }
  return texts;
}

Result<std::vector<std::string_view>> RawRow::shown_captions() const {
  const std::size_t index = state_->find("examples");
  if (index == state_->names.size()) return missing("examples");
  simdjson::dom::array list;
  if (state_->values[index].get(list) != simdjson::SUCCESS) {
    return not_a("a list", "examples", state_->values[index]);
  }
  std::vector<std::string_view> captions;
  for (const element scene : list) {
    const auto caption = caption_of(scene);
    if (!caption) return caption.error();
    captions.push_back(*caption);
  }
  return captions;
}

std::string RawRow::open_without(std::span<const std::string> members) const {
  const State& state = *state_;
  const auto is_left_out = [&](std::string_view name) {
    return std::find(members.begin(), members.end(), name) != members.end();
  };
  if (std::none_of(state.names.begin(), state.names.end(), is_left_out)) {
    std::string text = on_one_line(state.text);
    text.resize(text.find_last_of('}'));
    text.resize(text.find_last_not_of(kJsonSpace) + 1);
    return text;
  }
  std::string text = "{";
  for (std::size_t i = 0; i < state.names.size(); ++i) {
    if (is_left_out(state.names[i])) continue;
    if (text.size() > 1) text += ", ";
    io::append_json_quoted(text, state.names[i]);
    text += ": ";
    const std::string_view raw = state.raw(i);
    if (has_line_break(raw)) {
      text += on_one_line(raw);
    } else {
      text += raw;
    }
  }
  return text;
}

std::string on_one_line(std::string_view json) {
  if (!has_line_break(json)) return std::string(json);
  return compact(json);
}

}  // namespace contra4::data
