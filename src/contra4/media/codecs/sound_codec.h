// Sounds, and the sound tracks of videos, by FFmpeg.
#pragma once

#include <string_view>

#include "contra4/base/error.h"
#include "contra4/media/decoder.h"
#include "contra4/media/sound.h"

namespace contra4::media {

// As MediaDecoder::decode_sound. Every format is taken at its word on where it starts and ends:
// the silence that mp3, aac and opus put in front is not part of the sound. mp3 says nothing of its
// length, so one that is cut between two frames is read to there.
Result<Sound> decode_sound(std::string_view bytes, std::string_view name,
                           const SoundOptions& options);

}  // namespace contra4::media
