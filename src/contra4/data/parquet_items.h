// Items in Parquet. The table is made for pandas and the datasets library: columns have the names
// and meaning of the JSON members, `examples` is a list of structs. What a table cannot say stands
// beside it and is brought back by the reader:
//   id_is_integer   whether the text under `id` was a JSON integer
//   captions        all captions of a scene whose `caption` was a list; null otherwise
//   extra           JSON text of an object with all other members; null when there are none
// Tables from elsewhere are read too as long as their columns have the members' names.
// Part of the Parquet module only.
#pragma once

#include <filesystem>
#include <memory>

#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"

namespace contra4::data {

std::unique_ptr<ItemReader> open_parquet_items(const std::filesystem::path& path,
                                               const ReadLimits& limits, Extras extras);
std::unique_ptr<ItemWriter> create_parquet_items(const std::filesystem::path& path, Schema schema);

}  // namespace contra4::data
