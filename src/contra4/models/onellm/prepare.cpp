// Files to what the encoder is given.
#include <optional>
#include <utility>

#include <c10/core/InferenceMode.h>

#include "contra4/base/error.h"
#include "contra4/media/point_cloud.h"
#include "contra4/models/onellm/model.h"
#include "contra4/models/onellm/point_groups.h"
#include "contra4/models/prepared_file.h"

namespace contra4::models::onellm {

namespace {

// The published evaluation keeps 10.24 s, the mean over all samples is taken before: no bound here.
Result<at::Tensor> prepare_sound(const media::MediaDecoder& decoder, std::string_view bytes,
                                 std::string_view name) {
  const auto sound = decoder.decode_sound(bytes, name, {});
  if (!sound) return sound.error();
  return features::onellm_audio(*sound);
}

Result<at::Tensor> prepare_picture(const media::MediaDecoder& decoder, std::string_view bytes,
                                   std::string_view name, bool is_compat) {
  const auto picture =
      decoder.decode_picture(bytes, name, {.applies_orientation = !is_compat, .limits = {}});
  if (!picture) return picture.error();
  return features::onellm_image(*picture);
}

Result<at::Tensor> prepare_video(const media::MediaDecoder& decoder, std::string_view bytes,
                                 std::string_view name) {
  auto video = decoder.open_video(bytes, name, {});
  if (!video) return video.error();
  const auto numbers = features::onellm_frame_numbers((*video)->timeline(), {});
  if (!numbers) return numbers.error();
  const auto frames = (*video)->frames(*numbers);
  if (!frames) return frames.error();
  return features::onellm_video(*frames);
}

Result<at::Tensor> prepare_points(std::string_view bytes, std::string_view name) {
  const auto cloud = media::read_point_cloud(bytes, name);
  if (!cloud) return cloud.error();
  return features::onellm_points(*cloud);
}

}  // namespace

Result<PreparedMedium> Model::prepare(Modality modality, std::string_view bytes,
                                      std::string_view name) const {
  const c10::InferenceMode no_gradients;
  const auto medium = [&]() -> Result<PreparedMedium> {
    if (auto prepared = read_prepared_file(modality, bytes, name)) return std::move(*prepared);
    if (modality != Modality::kPointCloud && options_.decoder == nullptr) {
      return Error{ErrorCode::kUnimplemented,
                   std::string(name) + ": this build decodes no pictures, sounds and videos"};
    }
    Result<at::Tensor> tensor =
        modality == Modality::kImage
            ? prepare_picture(*options_.decoder, bytes, name, options_.is_compat)
        : modality == Modality::kAudio ? prepare_sound(*options_.decoder, bytes, name)
        : modality == Modality::kVideo ? prepare_video(*options_.decoder, bytes, name)
                                       : prepare_points(bytes, name);
    if (!tensor) return tensor.error();
    return PreparedMedium{std::move(*tensor)};
  }();
  if (!medium) return medium.error();
  PreparedMedium tensors = *medium;
  if (modality == Modality::kPointCloud) {
    const bool has_points = tensors.size() == 1 && tensors[0].dim() == 2 &&
                            tensors[0].size(0) > 0 && tensors[0].size(1) == 6;
    if (has_points) {
      PointGroups groups =
          group_points(tensors[0], {.rounds_to_bfloat16 = options_.rounds_points_to_bfloat16});
      tensors = {std::move(groups.points), std::move(groups.rows)};
    }
  }
  if (const std::string fault = encoder_.find_fault(modality, tensors); !fault.empty()) {
    return Error{ErrorCode::kInvalidArgument, std::string(name) + ": " + fault};
  }
  return tensors;
}

}  // namespace contra4::models::onellm
