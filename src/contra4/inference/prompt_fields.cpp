#include "contra4/inference/prompt_fields.h"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/base/suggest.h"

namespace contra4 {

namespace {

constexpr NumberRange kTemperatures = {.low = 0, .high = 10};
constexpr NumberRange kShares = {.low = 0, .high = 1};
constexpr NumberRange kReplyTokens = {.low = 1, .high = 1'000'000};

constexpr std::array kSamplingFields = {"temperature", "top_p", "max_tokens", "stop"};

}  // namespace

void refuse_field(const FieldPlace& place, std::string_view why) {
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("{}: '{}' {}", place.file, place.field, why));
}

std::string field_text(const FieldPlace& place, const io::JsonValue& value) {
  if (const std::string* const text = value.find_string()) return *text;
  refuse_field(place, "is to be a text");
}

std::vector<std::string> field_texts(const FieldPlace& place, const io::JsonValue& value) {
  if (const std::string* const text = value.find_string()) return {*text};
  const io::JsonValue::Array* const list = value.find_array();
  if (list == nullptr) refuse_field(place, "is to be a list of texts");
  std::vector<std::string> texts;
  for (const io::JsonValue& entry : *list) texts.push_back(field_text(place, entry));
  return texts;
}

double field_number(const FieldPlace& place, const io::JsonValue& value, NumberRange range) {
  const auto number = value.find_number();
  if (!number || !(*number >= range.low && *number <= range.high)) {
    refuse_field(place, fmt::format("is to be a number from {} to {}", range.low, range.high));
  }
  return *number;
}

bool read_sampling_field(Sampling& out, const FieldPlace& place, const io::JsonValue& value) {
  if (place.field == "temperature") {
    out.temperature = field_number(place, value, kTemperatures);
  } else if (place.field == "top_p") {
    out.top_p = field_number(place, value, kShares);
  } else if (place.field == "max_tokens") {
    out.max_tokens = static_cast<int>(field_number(place, value, kReplyTokens));
  } else if (place.field == "stop") {
    out.stop = field_texts(place, value);
  } else {
    return false;
  }
  return true;
}

void refuse_unknown_field(const FieldPlace& place, std::vector<std::string> known) {
  known.insert(known.end(), kSamplingFields.begin(), kSamplingFields.end());
  const auto nearest = find_nearest(place.field, known);
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("{}: unknown field '{}'; {}", place.file, place.field,
                              nearest ? fmt::format("'{}' is meant?", *nearest)
                                      : fmt::format("there are {}", fmt::join(known, ", "))));
}

const io::JsonValue::Object& prompt_fields_of(const io::JsonValue& value, std::string_view file,
                                              const std::vector<std::string>& known) {
  const io::JsonValue::Object* const members = value.find_object();
  if (members == nullptr) {
    throw Exception(ErrorCode::kInvalidArgument, fmt::format("{}: is to hold fields: {} and so on",
                                                             file, fmt::join(known, ", ")));
  }
  return *members;
}

}  // namespace contra4
