#include "contra4/media/locate.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace contra4::media {

namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kCocoDigits = 12;

// Suffixes tried under --media-root, the likely ones first.
std::span<const std::string_view> suffixes_of(Modality modality) {
  static constexpr std::array kPictures = {".jpg"sv, ".png"sv, ".jpeg"sv, ".webp"sv, ".gif"sv,
                                           ".JPG"sv, ".bmp"sv, ".tif"sv,  ".tiff"sv};
  static constexpr std::array kSounds = {".wav"sv, ".flac"sv, ".mp3"sv, ".ogg"sv, ".m4a"sv};
  static constexpr std::array kVideos = {".mp4"sv, ".webm"sv, ".mov"sv, ".mkv"sv, ".avi"sv};
  static constexpr std::array kPoints = {"_8192.npz"sv, ".npz"sv, ".npy"sv, ".ply"sv, ".obj"sv};
  switch (modality) {
    case Modality::kImage:
      return kPictures;
    case Modality::kAudio:
      return kSounds;
    case Modality::kVideo:
      return kVideos;
    case Modality::kPointCloud:
      return kPoints;
  }
  CONTRA4_CHECK(false, "modality without suffixes");
}

bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

// For messages: printable, short.
std::string shown(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 60)) {
    text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return name.size() > 60 ? text + "..." : text;
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::string padded_to_12_digits(const std::string& id) {
  if (id.size() >= kCocoDigits) return id;
  return std::string(kCocoDigits - id.size(), '0') + id;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// One published corpus: the places of a file, and the variable that names the folder.
struct CorpusPlaces {
  std::string_view variable;
  std::vector<fs::path> folders;
  std::string file_name;
};

std::optional<CorpusPlaces> published_places(const MediaRoots& roots, std::string_view source,
                                             const std::string& id, Modality modality) {
  const std::string_view corpus = source.substr(0, source.find('_'));
  switch (modality) {
    case Modality::kImage:
      if (corpus != "coco" && corpus != "mscoco") return std::nullopt;
      return CorpusPlaces{"COCO_DIR", {roots.coco_dir}, padded_to_12_digits(id) + ".jpg"};
    case Modality::kVideo:
      if (corpus != "msrvtt") return std::nullopt;
      return CorpusPlaces{"MSRVTT_DIR", {roots.msrvtt_dir}, id + ".mp4"};
    case Modality::kAudio:
      if (corpus == "audiocaps") {
        return CorpusPlaces{"AUDIOCAPS_DIR", {roots.audiocaps_dir}, id + ".wav"};
      }
      if (corpus == "clotho") return CorpusPlaces{"CLOTHO_DIR", {roots.clotho_dir}, id};
      return std::nullopt;
    case Modality::kPointCloud:
      if (corpus != "pointllm" && corpus != "objaverse") return std::nullopt;
      return CorpusPlaces{
          "OBJAVERSE_DIR", {roots.objaverse_dir, roots.objaverse_feat_dir}, id + "_8192.npz"};
  }
  return std::nullopt;
}

// Under --media-root: the folder of the source, then that of the modality.
std::optional<fs::path> find_under(const fs::path& root, std::string_view source,
                                   const std::string& id, Modality modality) {
  for (const std::string_view folder_name : {source, to_string(modality)}) {
    const fs::path folder = root / folder_name;
    if (fs::path exact = folder / id; is_file(exact)) return exact;
    for (const std::string_view suffix : suffixes_of(modality)) {
      if (fs::path file = folder / (id + std::string(suffix)); is_file(file)) return file;
    }
    if (modality == Modality::kImage && is_digits(id)) {
      if (fs::path file = folder / (padded_to_12_digits(id) + ".jpg"); is_file(file)) return file;
    }
  }
  return std::nullopt;
}

Error not_found(std::string_view source, const std::string& id, const std::string& where) {
  return {ErrorCode::kNotFound, fmt::format("{} {}: {}", shown(source), shown(id), where)};
}

}  // namespace

MediaLocator::MediaLocator(MediaRoots roots) : roots_(std::move(roots)) {
  const std::array<std::pair<std::string_view, const fs::path*>, 7> named = {{
      {"COCO_DIR", &roots_.coco_dir},
      {"AUDIOCAPS_DIR", &roots_.audiocaps_dir},
      {"CLOTHO_DIR", &roots_.clotho_dir},
      {"MSRVTT_DIR", &roots_.msrvtt_dir},
      {"OBJAVERSE_DIR", &roots_.objaverse_dir},
      {"OBJAVERSE_FEAT_DIR", &roots_.objaverse_feat_dir},
      {"--media-root", &roots_.media_root},
  }};
  for (const auto& [name, folder] : named) {
    std::error_code ignored;
    if (!folder->empty() && !fs::is_directory(*folder, ignored)) {
      throw Exception(ErrorCode::kNotFound,
                      fmt::format("{}: no such folder: {}", name, folder->string()));
    }
  }
}

Result<fs::path> MediaLocator::locate(std::string_view source, const RecordId& id,
                                      Modality modality) const {
  for (const std::string_view name : {source, std::string_view(id.text)}) {
    if (!is_plain_name(name)) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("source '{}', id '{}': not a plain file name, no file is looked up",
                               shown(source), shown(id.text))};
    }
  }
  if (!roots_.media_root.empty()) {
    if (auto file = find_under(roots_.media_root, source, id.text, modality))
      return *std::move(file);
  }
  const auto places = published_places(roots_, source, id.text, modality);
  if (!places) {
    return not_found(
        source, id.text,
        roots_.media_root.empty()
            ? "set --media-root to the folder that holds this source"
            : fmt::format("no file {} in {} or {}", id.text, (roots_.media_root / source).string(),
                          (roots_.media_root / to_string(modality)).string()));
  }
  std::string first_looked_at;
  for (const fs::path& folder : places->folders) {
    if (folder.empty()) continue;
    fs::path file = folder / places->file_name;
    if (is_file(file)) return file;
    if (first_looked_at.empty()) first_looked_at = file.string();
  }
  if (first_looked_at.empty()) {
    return not_found(
        source, id.text,
        fmt::format("set {} or --media-root to find {}", places->variable, places->file_name));
  }
  return not_found(source, id.text, fmt::format("no file {}", first_looked_at));
}

std::vector<MissingMedium> find_missing_media(const MediaLocator& locator,
                                              std::span<const MediumKey> keys) {
  std::set<std::tuple<std::string_view, std::string_view, Modality>> seen;
  std::vector<MissingMedium> missing;
  for (const MediumKey& key : keys) {
    if (!seen.emplace(key.source, key.id.text, key.modality).second) continue;
    const auto file = locator.locate(key.source, key.id, key.modality);
    if (!file) missing.push_back({key, file.error()});
  }
  return missing;
}

}  // namespace contra4::media
