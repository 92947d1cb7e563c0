// How an item's members are laid out in each schema; shared by the JSON and the Parquet writer.
#pragma once

#include <string>
#include <string_view>

#include "contra4/data/item.h"
#include "contra4/data/item_reader.h"

namespace contra4::data {

// "gt_answer", "answer" or "answers".
std::string_view answer_member(Schema schema);

// What that member says of the item: "Scene B", "B" or, in the generated schema, the model's own
// words. Empty when there is nothing to say.
std::string answer_in_schema(const Item& item, Schema schema);

bool has_extra(const ExtraMembers& extra, std::string_view name);

// The members to write beside those that the schema itself has: the item's extra ones unless their
// name is taken, and `answers` where the answer's words would otherwise be lost.
ExtraMembers members_beside_schema(const Item& item, Schema schema);

}  // namespace contra4::data
