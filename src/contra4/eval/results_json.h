// Pieces that results and comparisons have in common in their JSON form.
#pragma once

#include <string>
#include <string_view>

#include "contra4/io/json_writer.h"
#include "contra4/scoring/accuracy.h"
#include "contra4/scoring/paired.h"

namespace contra4::eval {

// To twelve decimals, so that files do not depend on the last bits of a sum.
double rounded(double value);

// {"correct", "total", "accuracy", "stderr", "stderr_shared_media", "ci95"}; null figures when
// total is 0.
void write_accuracy(io::JsonWriter& json, const scoring::Accuracy& accuracy);
void write_difference(io::JsonWriter& json, const scoring::PairedDifference& difference);
// The same members into an object that is open.
void write_difference_members(io::JsonWriter& json, const scoring::PairedDifference& difference);
void write_text_or_null(io::JsonWriter& json, std::string_view name, const std::string& text);

}  // namespace contra4::eval
