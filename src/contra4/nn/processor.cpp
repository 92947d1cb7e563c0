#include "contra4/nn/processor.h"

namespace contra4::nn {

#if defined(__x86_64__)

bool has_bfloat16_instructions() {
  static const bool has_them = __builtin_cpu_supports("avx512bf16") != 0;
  return has_them;
}

bool is_processor_by_amd() {
  static const bool is_it = __builtin_cpu_is("amd") != 0;
  return is_it;
}

#else

bool has_bfloat16_instructions() {
  return true;
}

bool is_processor_by_amd() {
  return false;
}

#endif

}  // namespace contra4::nn
