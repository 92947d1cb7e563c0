// Shards of a file put together again: "random_test.shard-2-of-8.json" and its like.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

#include "contra4/base/shard.h"
#include "contra4/data/item_reader.h"

namespace contra4::data {

// From the name; empty when it is not that of a shard.
std::optional<Shard> find_shard(const std::filesystem::path& path);
// The same path without the shard: "random_test.json".
std::filesystem::path unsharded_path(const std::filesystem::path& path);

// In the order of their numbers. Throws kInvalidArgument for a name that is no shard's, for shards
// of different files or counts, and for missing and repeated ones, by number.
std::vector<std::filesystem::path> order_shards(std::vector<std::filesystem::path> paths);

// The rows of `files`, one behind the other, as create_items() would have written them in one go:
// rows of JSON keep their bytes. Throws kInvalidArgument for an id that occurs twice, with both
// places; as open_items() for a file that cannot be read. Nothing is at `output` unless it is
// whole. Returns the number of rows.
std::uint64_t merge_rows(const std::vector<std::filesystem::path>& files,
                         const std::filesystem::path& output, const ReadLimits& limits = {},
                         const std::stop_token& stop = {});

}  // namespace contra4::data
