// Values of one row as simdjson read them, with the checks that end in a message. Inside the
// parser of items only: includes simdjson.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "contra4/base/error.h"
#include "contra4/data/item.h"
#include "contra4/data/json_scan.h"

namespace contra4::data {

// Ends the reading of one row; caught in ItemParser::parse.
struct Rejection {
  std::string reason;
  ErrorCode code = ErrorCode::kInvalidArgument;
};
[[noreturn]] void reject(std::string reason);

// A value as simdjson read it and, where somebody needs it, as it stands in the text.
struct Node {
  simdjson::dom::element value;
  std::string_view raw;
};

// Where a node stands, for messages.
struct Path {
  std::string_view member;
  int scene = -1;
};
// "'caption' of Scene B"
std::string words(const Path& path);
// "a list", "null", ...
std::string_view type_name(const Node& node);

// Each rejects a value of another type. Texts must not hold a NUL: they end in file names and in
// libraries that take it for the end.
std::string_view text_of(const Node& node, const Path& path);
simdjson::dom::array list_of(const Node& node, const Path& path);
bool flag_of(const Node& node, const Path& path);
RecordId id_of(const Node& node, const Path& path);

// A table keeps ids as text. The text goes into JSON without quotes later, so that anything but an
// integer is rejected.
void mark_as_integer(RecordId& id, const Path& path);

// JSON text without white space between its tokens.
std::string compact(std::string_view raw);

// simdjson refuses integers beyond 64 bits. Each is replaced by a zero and blanks of the same
// length; ids are then read from the text. False when there is none.
bool blank_big_integers(std::string& text);

// Calls `visit(name, node)` in the order of the text. `raw` may be empty: nodes are then without.
template <class Visit>
void each_member(const simdjson::dom::object& object, std::string_view raw, Visit visit) {
  std::optional<JsonSlices> slices;
  if (!raw.empty()) slices.emplace(raw);
  for (const simdjson::dom::key_value_pair field : object) {
    visit(field.key, Node{field.value, slices ? slices->next() : std::string_view()});
  }
}

// Calls `visit(index, node)`.
template <class Visit>
void each_element(const simdjson::dom::array& array, std::string_view raw, Visit visit) {
  std::optional<JsonSlices> slices;
  if (!raw.empty()) slices.emplace(raw);
  int index = 0;
  for (const simdjson::dom::element child : array) {
    visit(index++, Node{child, slices ? slices->next() : std::string_view()});
  }
}

}  // namespace contra4::data
