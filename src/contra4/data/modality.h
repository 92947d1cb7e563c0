// The four kinds of scenes.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace contra4 {

// In the order in which the published sampler goes through them.
enum class Modality { kAudio, kPointCloud, kImage, kVideo };

inline constexpr std::array<Modality, 4> kModalities = {Modality::kAudio, Modality::kPointCloud,
                                                        Modality::kImage, Modality::kVideo};

// As in the data files: "audio", "pc", "image", "video".
std::string_view to_string(Modality modality);
// Also the words people type: "3d", "point_cloud", "sound", "picture".
std::optional<Modality> parse_modality(std::string_view text);

}  // namespace contra4
