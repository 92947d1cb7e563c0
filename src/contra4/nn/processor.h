// What the processor that computes can do, for the choice between libraries and ways.
#pragma once

namespace contra4::nn {

// Instructions for products of bfloat16; processors with AMX have these as well. True where there
// is no telling.
bool has_bfloat16_instructions();

bool is_processor_by_amd();

}  // namespace contra4::nn
