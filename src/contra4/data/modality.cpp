#include "contra4/data/modality.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "contra4/base/error.h"

namespace contra4 {

std::string_view to_string(Modality modality) {
  switch (modality) {
    case Modality::kAudio:
      return "audio";
    case Modality::kPointCloud:
      return "pc";
    case Modality::kImage:
      return "image";
    case Modality::kVideo:
      return "video";
  }
  CONTRA4_CHECK(false, "modality out of range");
}

std::optional<Modality> parse_modality(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, Modality>, 12> kWords = {{
      {"audio", Modality::kAudio},
      {"sound", Modality::kAudio},
      {"pc", Modality::kPointCloud},
      {"3d", Modality::kPointCloud},
      {"point", Modality::kPointCloud},
      {"pointcloud", Modality::kPointCloud},
      {"point_cloud", Modality::kPointCloud},
      {"point-cloud", Modality::kPointCloud},
      {"point cloud", Modality::kPointCloud},
      {"image", Modality::kImage},
      {"picture", Modality::kImage},
      {"video", Modality::kVideo},
  }};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [word, modality] : kWords) {
    if (word == lower) return modality;
  }
  return std::nullopt;
}

}  // namespace contra4
