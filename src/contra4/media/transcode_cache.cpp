#include "contra4/media/transcode_cache.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4::media {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxListBytes = 1U << 20;

fs::path list_of(const fs::path& folder, const std::string& key) {
  return folder / (key + ".json");
}

}  // namespace

// No folder with more entries than a listing shows.
fs::path TranscodeCache::folder_of(const std::string& key) const {
  return folder_ / key.substr(0, 2);
}

std::optional<std::vector<CachedPart>> TranscodeCache::find(const std::string& key) const {
  const fs::path folder = folder_of(key);
  std::error_code status;
  if (!fs::is_regular_file(list_of(folder, key), status)) return std::nullopt;
  std::string text;
  try {
    text = io::read_file(list_of(folder, key), kMaxListBytes);
  } catch (const Exception&) {
    return std::nullopt;
  }
  const auto list = io::parse_json(text, "list");
  if (!list || list->find_array() == nullptr) return std::nullopt;
  std::vector<CachedPart> parts;
  for (const io::JsonValue& entry : *list->find_array()) {
    const io::JsonValue* const file = entry.find("file");
    const io::JsonValue* const words = entry.find("words");
    if (file == nullptr || !file->is_string() || words == nullptr || !words->is_string()) {
      return std::nullopt;
    }
    const fs::path path = folder / fs::path(*file->find_string()).filename();
    if (!fs::is_regular_file(path, status)) return std::nullopt;
    parts.push_back({path, *words->find_string()});
  }
  if (parts.empty()) return std::nullopt;
  return parts;
}

std::vector<CachedPart> TranscodeCache::store(const std::string& key,
                                              const std::vector<TranscodedPart>& parts) const {
  const fs::path folder = folder_of(key);
  std::error_code status;
  fs::create_directories(folder, status);
  if (status) {
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("cannot make the folder {} ({}): set CONTRA4_CACHE to one that can "
                                "be written to",
                                folder.string(), status.message()));
  }
  std::vector<CachedPart> cached;
  io::JsonWriter list;
  list.begin_array();
  for (const TranscodedPart& part : parts) {
    const std::string name =
        fmt::format("{}-{}.{}", key, cached.size(), part.format == "jpeg" ? "jpg" : part.format);
    io::write_file_atomically(folder / name, part.bytes);
    list.begin_object().member("file", name).member("words", part.words).end_object();
    cached.push_back({folder / name, part.words});
  }
  list.end_array();
  io::write_file_atomically(list_of(folder, key), list.take());
  return cached;
}

}  // namespace contra4::media
