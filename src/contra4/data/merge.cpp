#include "contra4/data/merge.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/data/file_format.h"
#include "contra4/data/fingerprint_set.h"
#include "contra4/data/item_stream.h"
#include "contra4/data/item_writer.h"
#include "contra4/data/raw_row.h"
#include "contra4/data/record_reader.h"
#include "contra4/io/byte_sink.h"
#include "contra4/io/byte_source.h"

namespace contra4::data {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kShardPart = ".shard-";
constexpr std::size_t kMaxNamedShards = 10;

struct ShardName {
  std::size_t begin = 0;  // of ".shard-2-of-8" in the file name
  std::size_t size = 0;
  Shard shard{};
};

std::optional<ShardName> find_shard_name(const std::string& name) {
  const std::size_t begin = name.rfind(kShardPart);
  if (begin == std::string::npos) return std::nullopt;
  const std::size_t numbers = begin + kShardPart.size();
  const std::size_t end = name.find('.', numbers);
  if (end == std::string::npos) return std::nullopt;
  const std::string text = name.substr(numbers, end - numbers);
  const std::size_t of = text.find("-of-");
  if (of == std::string::npos) return std::nullopt;
  const auto shard = parse_shard(text.substr(0, of) + "/" + text.substr(of + 4));
  if (!shard) return std::nullopt;
  return ShardName{begin, end - begin, *shard};
}

[[noreturn]] void refuse(const std::string& message) {
  throw Exception(ErrorCode::kInvalidArgument, message);
}

[[noreturn]] void interrupted() {
  throw Exception(ErrorCode::kCancelled, "interrupted; nothing was written");
}

// Which of the rows seen so far has an id.
class Ids {
 public:
  Ids(const std::vector<fs::path>& files) : files_(files) {}
  void begin_file() { first_row_of_file_.push_back(num_rows_); }
  void add(const std::string& id) {
    ++num_rows_;
    if (const auto before = rows_.insert(id, num_rows_)) {
      const auto after =
          std::upper_bound(first_row_of_file_.begin(), first_row_of_file_.end(), *before - 1);
      const auto file = static_cast<std::size_t>(after - first_row_of_file_.begin()) - 1;
      refuse(fmt::format("id '{}' is in {} and in {}; nothing was written", id,
                         files_[file].string(), files_[first_row_of_file_.size() - 1].string()));
    }
  }
  std::uint64_t num_rows() const { return num_rows_; }

 private:
  const std::vector<fs::path>& files_;
  FingerprintSet rows_;
  std::vector<std::uint64_t> first_row_of_file_;
  std::uint64_t num_rows_ = 0;
};

// Rows of JSON files as they stand.
void merge_json(const std::vector<fs::path>& files, const fs::path& output,
                const ReadLimits& limits, const std::stop_token& stop, Ids& ids) {
  const bool to_list = find_file_format(output) == FileFormat::kJson;
  const auto sink = io::create_bytes(output);
  const io::ByteLimits byte_limits{.max_decompressed_bytes = limits.max_decompressed_bytes,
                                   .max_compression_ratio = limits.max_compression_ratio};
  RawRow row;
  for (const fs::path& file : files) {
    ids.begin_file();
    const auto format =
        find_file_format(file) == FileFormat::kJson ? RecordFormat::kList : RecordFormat::kLines;
    const auto reader =
        read_records(io::open_bytes(file, byte_limits), format, limits.max_row_bytes);
    while (const auto record = reader->next()) {
      if (stop.stop_requested()) interrupted();
      const auto fail = [&](const Error& error) {
        throw Exception(error.code, describe_row(file.string(), reader->row(), "", error.message) +
                                        "; nothing was written");
      };
      if (!*record) fail(record->error());
      if (const auto parsed = row.parse(**record); !parsed) fail(parsed.error());
      const auto id = row.id();
      if (!id) fail(id.error());
      if (to_list) sink->write(ids.num_rows() == 0 ? "[\n" : ",\n");
      ids.add(id->text);
      if (to_list && format == RecordFormat::kList) {
        sink->write(**record);
      } else {
        sink->write(on_one_line(**record));
      }
      if (!to_list) sink->write("\n");
    }
  }
  if (to_list) sink->write(ids.num_rows() == 0 ? "[]\n" : "\n]\n");
  sink->commit();
}

void merge_items(const std::vector<fs::path>& files, const fs::path& output,
                 const ReadLimits& limits, const std::stop_token& stop, Ids& ids) {
  std::unique_ptr<ItemWriter> writer;
  for (const fs::path& file : files) {
    ids.begin_file();
    const auto reader = open_items(file, limits);
    while (const auto item = reader->next()) {
      if (stop.stop_requested()) interrupted();
      if (!*item)
        throw Exception(item->error().code, item->error().message + "; nothing was written");
      if (writer == nullptr) writer = create_items(output, reader->schema());
      ids.add((*item)->id.text);
      writer->write(**item);
    }
  }
  if (writer == nullptr) writer = create_items(output, Schema::kGenerated);
  writer->commit();
}

bool is_json(const fs::path& path) {
  const auto format = find_file_format(path);
  return format == FileFormat::kJson || format == FileFormat::kJsonLines;
}

}  // namespace

std::optional<Shard> find_shard(const fs::path& path) {
  const auto name = find_shard_name(path.filename().string());
  if (!name) return std::nullopt;
  return name->shard;
}

fs::path unsharded_path(const fs::path& path) {
  std::string name = path.filename().string();
  if (const auto found = find_shard_name(name)) name.erase(found->begin, found->size);
  return path.parent_path() / name;
}

std::vector<fs::path> order_shards(std::vector<fs::path> paths) {
  if (paths.empty()) refuse("no shards were given");
  for (const fs::path& path : paths) {
    if (!find_shard(path)) {
      refuse(fmt::format("{}: the name is not that of a shard, such as {}.shard-1-of-4.json",
                         path.string(), dataset_name(path)));
    }
  }
  const Shard first = *find_shard(paths[0]);
  const fs::path name = unsharded_path(paths[0]).filename();
  std::sort(paths.begin(), paths.end(), [](const fs::path& a, const fs::path& b) {
    return find_shard(a)->index < find_shard(b)->index;
  });
  std::vector<int> missing;
  int expected = 1;
  for (const fs::path& path : paths) {
    const Shard shard = *find_shard(path);
    if (shard.count != first.count || unsharded_path(path).filename() != name) {
      refuse(fmt::format("{} and {} are no shards of one file", paths[0].string(), path.string()));
    }
    if (shard.index < expected) {
      refuse(fmt::format("shard {} of {} is given twice: {}", shard.index, shard.count,
                         path.string()));
    }
    for (; expected < shard.index; ++expected) missing.push_back(expected);
    ++expected;
  }
  for (; expected <= first.count; ++expected) missing.push_back(expected);
  if (!missing.empty()) {
    const std::size_t num_missing = missing.size();
    missing.resize(std::min(num_missing, kMaxNamedShards));
    refuse(fmt::format("{} of {} shards of {} are missing: number {}{}", num_missing, first.count,
                       name.string(), fmt::join(missing, ", "),
                       num_missing > kMaxNamedShards ? ", ..." : ""));
  }
  return paths;
}

std::uint64_t merge_rows(const std::vector<fs::path>& files, const fs::path& output,
                         const ReadLimits& limits, const std::stop_token& stop) {
  Ids ids(files);
  if (is_json(output) && std::all_of(files.begin(), files.end(), is_json)) {
    merge_json(files, output, limits, stop, ids);
  } else {
    merge_items(files, output, limits, stop, ids);
  }
  return ids.num_rows();
}

}  // namespace contra4::data
