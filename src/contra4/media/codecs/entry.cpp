// The one exported function of libcontra4_codecs.so; see decoder.h.
#include "contra4/media/codecs/codecs.h"

extern "C" const contra4::media::MediaDecoder* contra4_codecs_module(int version) {
  return version == contra4::media::kCodecsModuleVersion ? &contra4::media::linked_decoder()
                                                         : nullptr;
}
