// A medium given as what a model's preprocessing makes of it, for comparing models with others.
#pragma once

#include <optional>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"
#include "contra4/models/scene_model.h"

namespace contra4::models {

// Of an .npz with an array under the modality's name, "image", "audio", "video", "pc" or "point":
// that array, as float32: [channels, height, width] of pictures and sounds, [frames, 3, height,
// width] of videos, [points, columns] of point clouds; a leading dimension of one more is dropped.
// Empty for every other file, a point cloud with its usual arr_0 among them; an error for an array
// of another form, with `name`.
std::optional<Result<PreparedMedium>> read_prepared_file(Modality modality, std::string_view bytes,
                                                         std::string_view name);

}  // namespace contra4::models
