// Files to what OneLLM's encoder is given.
#pragma once

#include <string>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/data/modality.h"
#include "contra4/media/decoder.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/models/scene_model.h"

namespace contra4::models::onellm {

struct PrepareOptions {
  const media::MediaDecoder* decoder = nullptr;  // of pictures, sounds and videos; null: none
  bool is_compat = false;                        // pictures are not turned upright
  bool rounds_points_to_bfloat16 = false;        // before they are grouped
};

// A medium's file, whole, as Encoder::clip_features() takes it. Any number of threads. The error of
// the file with `name`; kUnimplemented without a decoder.
Result<PreparedMedium> prepare_medium(const Sizes& sizes, Modality modality, std::string_view bytes,
                                      std::string_view name, const PrepareOptions& options);

// Zeros in the form of a prepared medium: one frame of a video, one point in all groups.
PreparedMedium blank_medium(const Sizes& sizes, Modality modality);

// Of a prepared medium that the encoder can take; empty if it can, else what is wrong.
std::string find_fault(const Sizes& sizes, Modality modality, const PreparedMedium& medium);

}  // namespace contra4::models::onellm
