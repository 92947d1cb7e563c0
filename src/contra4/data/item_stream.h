// What the readers of items share among themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "contra4/data/item_reader.h"
#include "contra4/io/byte_source.h"

namespace contra4::data {

// "FILE: row N (id X): reason"; without what is 0 or empty.
std::string describe_row(std::string_view what, std::uint64_t row, std::string_view id,
                         std::string_view reason);

// open_items whose bytes on disk `observer` sees on the way, each once and all of them when reading
// ended well. A Parquet file is read out of order and shows none.
std::unique_ptr<ItemReader> open_items_observed(const std::filesystem::path& path,
                                                const ReadLimits& limits, Extras extras,
                                                io::ByteObserver observer);

}  // namespace contra4::data
