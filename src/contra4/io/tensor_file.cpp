#include "contra4/io/tensor_file.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/base/suggest.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/safetensors.h"
#include "contra4/io/shown_name.h"
#include "contra4/io/torch_file.h"
#include "contra4/io/zip_archive.h"

namespace contra4::io {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxIndexBytes = 64U << 20;
constexpr std::size_t kMaxShownFiles = 8;

// Looked for in a folder, in this order.
constexpr std::array kWholeOrIndex = {"model.safetensors", "model.safetensors.index.json",
                                      "pytorch_model.bin.index.json", "pytorch_model.bin"};
constexpr std::string_view kConsolidated = "consolidated.";
constexpr std::string_view kTorchSuffix = ".pth";

[[noreturn]] void fail(ErrorCode code, const fs::path& path, std::string_view reason) {
  throw Exception(code, fmt::format("{}: {}", path.string(), reason));
}

// A safetensors header is a JSON object behind its length.
bool looks_like_safetensors(std::string_view file) {
  constexpr std::size_t kLengthBytes = 8;
  return file.size() > kLengthBytes && file[kLengthBytes] == '{';
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) fail(ErrorCode::kInvalidArgument, folder, "cannot list: " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

// The number that the whole of `text` is; it may have zeros in front.
std::optional<int> find_number(std::string_view text) {
  constexpr std::size_t kMostDigits = 6;
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = 10 * number + (c - '0');
  }
  return number;
}

// Opens the files that an index names and sees that they hold what it says.
class ShardIndex {
 public:
  explicit ShardIndex(fs::path path) : path_(std::move(path)) {
    const auto json = parse_json(read_file(path_, kMaxIndexBytes), path_.string());
    const JsonValue& index = json.value();
    const JsonValue* map = index.find("weight_map");
    const JsonValue::Object* members = map == nullptr ? nullptr : map->find_object();
    if (members == nullptr || members->empty()) {
      fail(ErrorCode::kDataLoss, path_, "no object 'weight_map' with the files of the tensors");
    }
    for (const auto& [tensor, file] : *members) {
      const std::string* name = file.find_string();
      // No path: an index opens nothing outside of its folder.
      if (name == nullptr || name->empty() || name->find('/') != std::string::npos) {
        fail(ErrorCode::kDataLoss, path_,
             fmt::format("tensor '{}' lies in no file of this folder", shown_name(tensor)));
      }
      tensors_of_[*name].push_back(tensor);
    }
  }

  std::vector<std::unique_ptr<TensorFile>> open() const {
    std::vector<std::unique_ptr<TensorFile>> files;
    for (const auto& [name, tensors] : tensors_of_) {
      const fs::path shard = path_.parent_path() / name;
      if (!fs::exists(shard)) {
        fail(ErrorCode::kNotFound, path_,
             fmt::format("names '{}', which is not in its folder; download all {} files",
                         shown_name(name), tensors_of_.size()));
      }
      files.push_back(open_tensor_file(shard));
      for (const std::string& tensor : tensors) {
        if (files.back()->find(tensor) == nullptr) lacks(*files.back(), tensor);
      }
    }
    return files;
  }

 private:
  [[noreturn]] void lacks(const TensorFile& file, const std::string& tensor) const {
    std::vector<std::string> names;
    for (const TensorEntry& entry : file.tensors()) names.push_back(entry.name);
    const auto nearest = find_nearest(tensor, names);
    fail(ErrorCode::kDataLoss, path_,
         fmt::format("tensor '{}' should be in {}, which lacks it{}", shown_name(tensor),
                     file.path().filename().string(),
                     nearest ? fmt::format("; the nearest is '{}'", shown_name(*nearest)) : ""));
  }

  fs::path path_;
  std::map<std::string, std::vector<std::string>> tensors_of_;  // by file
};

// consolidated.RANK.pth or consolidated.RANK-of-RANKS.pth, each possibly split by its keys into
// files with .s0, .s1, ... before the suffix.
struct ConsolidatedFile {
  std::string name;
  std::string rank;
  int part = -1;  // not split
};

std::vector<ConsolidatedFile> consolidated_in(const std::vector<std::string>& names) {
  std::vector<ConsolidatedFile> found;
  for (const std::string& name : names) {
    if (!name.starts_with(kConsolidated) || !name.ends_with(kTorchSuffix) ||
        name.size() <= kConsolidated.size() + kTorchSuffix.size()) {
      continue;
    }
    ConsolidatedFile file{.name = name, .rank = {}};
    file.rank =
        name.substr(kConsolidated.size(), name.size() - kConsolidated.size() - kTorchSuffix.size());
    if (const std::size_t split = file.rank.rfind(".s"); split != std::string::npos) {
      if (const auto part = find_number(std::string_view(file.rank).substr(split + 2))) {
        file.part = *part;
        file.rank.resize(split);
      }
    }
    found.push_back(std::move(file));
  }
  std::sort(found.begin(), found.end(), [](const ConsolidatedFile& a, const ConsolidatedFile& b) {
    return std::pair(a.rank, a.part) < std::pair(b.rank, b.part);
  });
  return found;
}

std::vector<std::unique_ptr<TensorFile>> open_consolidated(
    const fs::path& folder, const std::vector<ConsolidatedFile>& files) {
  if (files.front().rank != files.back().rank) {
    fail(ErrorCode::kUnimplemented, folder,
         fmt::format("'{}' and '{}' are parts of one model that was cut for model parallelism; "
                     "merge them first",
                     files.front().name, files.back().name));
  }
  if (files.size() > 1 || files.front().part >= 0) {
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (files[i].part != static_cast<int>(i)) {
        fail(ErrorCode::kNotFound, folder,
             fmt::format("looking for part .s{} of 'consolidated.{}', found '{}'", i, files[i].rank,
                         files[i].name));
      }
    }
  }
  std::vector<std::unique_ptr<TensorFile>> opened;
  for (const ConsolidatedFile& file : files) opened.push_back(open_tensor_file(folder / file.name));
  return opened;
}

std::vector<std::unique_ptr<TensorFile>> open_folder(const fs::path& folder) {
  for (const char* name : kWholeOrIndex) {
    const fs::path path = folder / name;
    if (!fs::exists(path)) continue;
    if (path.extension() == ".json") return ShardIndex(path).open();
    std::vector<std::unique_ptr<TensorFile>> files;
    files.push_back(open_tensor_file(path));
    return files;
  }
  const std::vector<std::string> names = names_in(folder);
  const std::vector<ConsolidatedFile> consolidated = consolidated_in(names);
  if (!consolidated.empty()) return open_consolidated(folder, consolidated);
  const std::span some(names.data(), std::min(names.size(), kMaxShownFiles));
  fail(
      ErrorCode::kNotFound, folder,
      fmt::format("no checkpoint in this folder; looked for {} and consolidated.*.pth, found "
                  "{}{}; name the file itself",
                  fmt::join(kWholeOrIndex, ", "),
                  names.empty() ? std::string("nothing") : fmt::format("{}", fmt::join(some, ", ")),
                  names.size() > some.size() ? ", ..." : ""));
}

}  // namespace

std::uint64_t TensorEntry::num_elements() const {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::uint64_t>(size);
  return count;
}

const TensorEntry* TensorFile::find(std::string_view name) const {
  const auto at = std::lower_bound(
      tensors().begin(), tensors().end(), name,
      [](const TensorEntry& tensor, std::string_view key) { return tensor.name < key; });
  return at != tensors().end() && at->name == name ? &*at : nullptr;
}

std::unique_ptr<TensorFile> open_tensor_file(const fs::path& file) {
  bool is_safetensors = file.extension() == ".safetensors";
  bool is_zip = false;
  {
    const MappedFile mapped(file);
    is_zip = looks_like_zip(mapped.bytes());
    is_safetensors = is_safetensors || looks_like_safetensors(mapped.bytes());
    if (!is_zip && !is_safetensors && !mapped.bytes().starts_with('\x80')) {
      fail(ErrorCode::kDataLoss, file,
           fmt::format("{} bytes that are neither safetensors nor a zip of PyTorch's; a truncated "
                       "download, or a pointer of Git LFS?",
                       mapped.bytes().size()));
    }
  }
  if (!is_zip && is_safetensors) return std::make_unique<SafetensorsFile>(file);
  return std::make_unique<TorchFile>(file);
}

std::vector<std::unique_ptr<TensorFile>> open_tensor_files(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return open_folder(path);
  std::vector<std::unique_ptr<TensorFile>> files;
  files.push_back(open_tensor_file(path));
  return files;
}

}  // namespace contra4::io
