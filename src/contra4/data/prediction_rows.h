// Files of predictions, ours and those of other programs, as rows: what evaluations score and
// replay/FILE answers with. Which rows fit, and whether one that does not ends the reading, is for
// the caller to say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "contra4/io/json.h"

namespace contra4::data {

// Gets a row and its number from 1: its place in the list, or its line.
using PredictionRowSink = std::function<void(const io::JsonValue& row, std::uint64_t number)>;

// The rows of `text`, which is a list in JSON or has a row a line, blank lines left out; `path` is
// where it came from. Rows may be any JSON. Throws kDataLoss with file and line, kInvalidArgument
// for a .json file that holds one object, and whatever `take` throws.
void read_prediction_rows(std::string_view text, const std::filesystem::path& path,
                          const PredictionRowSink& take);

// The item's id under "question_id", "id" or "sample_id", the first that is not null; null when
// none is there.
const io::JsonValue* find_prediction_id(const io::JsonValue& row);
// The answer under "pred_ans", "pred_answer" or "answer"; a JSON null is there too.
const io::JsonValue* find_prediction_answer(const io::JsonValue& row);
// Whether the server refused the content: "status" is "blocked".
bool is_blocked_prediction(const io::JsonValue& row);

// Strings as they are, integers as their digits; empty for anything else, and for no value.
std::optional<std::string> find_text_or_integer(const io::JsonValue* value);

}  // namespace contra4::data
