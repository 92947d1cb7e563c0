#include "contra4/pipeline/stage_merge.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& message) {
  throw Exception(ErrorCode::kInvalidArgument, message);
}

void add_counts(Counts& sum, const Counts& counts) {
  for (const auto& [name, count] : counts) {
    const auto place = std::find_if(sum.begin(), sum.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (place == sum.end()) {
      sum.emplace_back(name, count);
    } else {
      place->second += count;
    }
  }
}

void add_notes(std::vector<std::string>& all, const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    if (std::find(all.begin(), all.end(), note) == all.end()) all.push_back(note);
  }
}

// The settings alone, to be compared.
Manifest settings_of(const Manifest& manifest) {
  Manifest settings;
  settings.stage = manifest.stage;
  settings.settings = manifest.settings;
  return settings;
}

std::vector<Manifest> read_manifests(const std::vector<fs::path>& shards) {
  std::vector<Manifest> manifests;
  const fs::path* without = nullptr;
  for (const fs::path& shard : shards) {
    if (auto manifest = find_manifest(shard)) {
      manifests.push_back(std::move(*manifest));
    } else {
      without = &shard;
    }
  }
  if (manifests.empty() || without == nullptr) return manifests;
  refuse(fmt::format("{} is not finished: other shards have a manifest, and {} is not there",
                     without->string(), manifest_path(*without).string()));
}

}  // namespace

std::optional<Manifest> merge_manifests(const std::vector<fs::path>& shards) {
  const std::vector<Manifest> manifests = read_manifests(shards);
  if (manifests.empty()) return std::nullopt;
  Manifest merged = settings_of(manifests[0]);
  merged.version = manifests[0].version;
  bool has_same_inputs = true;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const Manifest& manifest = manifests[i];
    const auto differences = manifest_differences(settings_of(manifests[0]), settings_of(manifest));
    if (!differences.empty()) {
      refuse(fmt::format("{} and {} were made with different settings:\n  {}", shards[0].string(),
                         shards[i].string(), fmt::join(differences, "\n  ")));
    }
    const Shard wanted{static_cast<int>(i) + 1, static_cast<int>(shards.size())};
    if (manifest.shard != wanted) {
      refuse(fmt::format("{} is shard {} by its manifest", shards[i].string(),
                         to_string(manifest.shard)));
    }
    std::error_code failed;
    const std::pair written(shards[i].filename().string(), fs::file_size(shards[i], failed));
    if (std::find(manifest.outputs.begin(), manifest.outputs.end(), written) ==
        manifest.outputs.end()) {
      refuse(fmt::format("{} was changed after its step was done; make it anew with --overwrite",
                         shards[i].string()));
    }
    if (manifest.version != merged.version) {
      add_notes(merged.notes, {"shards were made by different versions"});
    }
    has_same_inputs = has_same_inputs && manifest.inputs == manifests[0].inputs;
    add_counts(merged.counts, manifest.counts);
    add_notes(merged.notes, manifest.notes);
  }
  for (const Manifest& manifest : manifests) {
    for (const auto& [name, sha256] : manifest.inputs) {
      merged.inputs.emplace_back(
          has_same_inputs ? name : fmt::format("{}, shard {}", name, to_string(manifest.shard)),
          sha256);
    }
    if (has_same_inputs) break;
  }
  merged.key = manifest_key(merged);
  return merged;
}

void finish_merge(const std::vector<fs::path>& shards, const std::vector<fs::path>& outputs,
                  Manifest manifest) {
  std::string dropped;
  for (const fs::path& shard : shards) {
    const fs::path path = dropped_path(shard);
    if (fs::exists(path)) dropped += io::read_file(path);
  }
  if (dropped.empty()) {
    fs::remove(dropped_path(outputs.front()));
  } else {
    io::write_file_atomically(dropped_path(outputs.front()), dropped);
  }
  manifest.outputs.clear();
  for (const fs::path& output : outputs) {
    manifest.outputs.emplace_back(output.filename().string(), fs::file_size(output));
  }
  write_manifest(outputs.front(), manifest);
}

}  // namespace contra4::pipeline
