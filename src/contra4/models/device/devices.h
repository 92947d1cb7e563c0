// Which devices a native model computes on, and in what type.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/inference/native_model.h"

namespace contra4::models {

// The devices of these names ("cpu", "cuda", "cuda:1"), each once. Without names one GPU where
// there is one, number `preferred_gpu` modulo how many there are, else the CPU. Throws
// kInvalidArgument for what is no such name or is named twice, kNotFound for a GPU that is not
// there.
std::vector<at::Device> choose_devices(const std::vector<std::string>& names, int preferred_gpu);

int num_gpus();

// kAuto: bfloat16 on a GPU. float32 on a CPU: without instructions for bfloat16 its products take
// several times as long there.
at::ScalarType choose_type(ComputeType type, at::Device device);

// "float32", "bfloat16", "float16".
std::string type_name(at::ScalarType type);

}  // namespace contra4::models
