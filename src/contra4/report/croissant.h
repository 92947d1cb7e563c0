// The data set in the words of Croissant 1.0 (http://mlcommons.org/croissant/1.0): what its files
// are, and which records they hold, for programs that load data sets by their description.
#pragma once

#include <string>

#include "contra4/report/dataset_facts.h"

namespace contra4::report {

// JSON-LD, indented by two. Each split is a record set over its table; without a table in Parquet
// there is no record set, for readers of JSON lines guess the types of ids.
std::string croissant_json(const DatasetFacts& facts);

}  // namespace contra4::report
