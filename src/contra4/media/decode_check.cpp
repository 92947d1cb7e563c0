#include "contra4/media/decode_check.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "contra4/media/media_file.h"
#include "contra4/media/point_cloud.h"

namespace contra4::media {

namespace {

Error nothing_in(std::string_view name, std::string_view what) {
  return {ErrorCode::kDataLoss, fmt::format("{}: has no {}", name, what)};
}

Result<void> check_sound(std::string_view bytes, std::string_view name,
                         const MediaDecoder& decoder) {
  const auto sound = decoder.decode_sound(bytes, name, {});
  if (!sound) return sound.error();
  if (sound->num_frames() == 0) return nothing_in(name, "samples");
  return {};
}

Result<void> check_video(std::string_view bytes, std::string_view name,
                         const MediaDecoder& decoder) {
  constexpr std::int64_t kFramesAtOnce = 16;  // in memory
  const auto video = decoder.open_video(bytes, name, {});
  if (!video) return video.error();
  const auto num_frames = static_cast<std::int64_t>((*video)->timeline().frame_pts_ticks.size());
  if (num_frames == 0) return nothing_in(name, "frames");
  for (std::int64_t begin = 0; begin < num_frames; begin += kFramesAtOnce) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = begin; i < std::min(begin + kFramesAtOnce, num_frames); ++i) {
      numbers.push_back(i);
    }
    if (const auto frames = (*video)->frames(numbers); !frames) return frames.error();
  }
  return {};
}

}  // namespace

Result<void> check_decodes(const std::filesystem::path& path, Modality modality,
                           const MediaDecoder& decoder) {
  const auto medium = open_media_file(path, modality);
  if (!medium) return medium.error();
  const std::string_view bytes = medium->file.bytes();
  const FileClass file_class = medium->type.file_class;
  if (modality == Modality::kAudio) return check_sound(bytes, medium->name, decoder);
  if (file_class == FileClass::kVideo) return check_video(bytes, medium->name, decoder);
  if (file_class == FileClass::kPoints) {
    const auto cloud = read_point_cloud(bytes, medium->name);
    if (!cloud) return cloud.error();
    return {};
  }
  const auto picture = decoder.decode_picture(bytes, medium->name, {});
  if (!picture) return picture.error();
  return {};
}

}  // namespace contra4::media
