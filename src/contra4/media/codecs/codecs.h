// The MediaDecoder that the codecs module gives; what knows FFmpeg and libjpeg-turbo lies behind
// it.
#pragma once

#include "contra4/media/decoder.h"

namespace contra4::media {

// One for the process, without state. Its first call makes FFmpeg silent.
const MediaDecoder& linked_decoder();

}  // namespace contra4::media
