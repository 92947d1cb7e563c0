#include "contra4/models/device/devices.h"

#include <algorithm>

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::models {

int num_gpus() {
  return at::hasCUDA() ? static_cast<int>(at::accelerator::deviceCount()) : 0;
}

namespace {

at::Device parse_device(const std::string& name) {
  const auto wrong = [&](std::string_view why) {
    return Exception(ErrorCode::kInvalidArgument,
                     fmt::format("device '{}': {}; cpu, cuda or cuda:0 is wanted", name, why));
  };
  if (name == "cpu") return at::kCPU;
  if (name != "cuda" && !name.starts_with("cuda:")) throw wrong("not known");
  int index = 0;
  if (name != "cuda") {
    const std::string digits = name.substr(5);
    if (digits.empty() || digits.size() > 3 ||
        !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      throw wrong("no number of a GPU");
    }
    index = std::stoi(digits);
  }
  if (index >= num_gpus()) {
    throw Exception(
        ErrorCode::kNotFound,
        fmt::format("device '{}': {} GPUs are there that this build can use", name, num_gpus()));
  }
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

}  // namespace

std::vector<at::Device> choose_devices(const std::vector<std::string>& names, int preferred_gpu) {
  if (names.empty()) {
    const int count = num_gpus();
    if (count == 0) return {at::kCPU};
    return {
        at::Device(at::kCUDA, static_cast<at::DeviceIndex>(std::max(0, preferred_gpu) % count))};
  }
  std::vector<at::Device> devices;
  for (const std::string& name : names) {
    const at::Device device = parse_device(name);
    if (std::find(devices.begin(), devices.end(), device) != devices.end()) {
      throw Exception(ErrorCode::kInvalidArgument, fmt::format("device '{}' is named twice", name));
    }
    devices.push_back(device);
  }
  return devices;
}

at::ScalarType choose_type(ComputeType type, at::Device device) {
  switch (type) {
    case ComputeType::kAuto:
      return device.is_cuda() ? at::kBFloat16 : at::kFloat;
    case ComputeType::kFloat32:
      return at::kFloat;
    case ComputeType::kBFloat16:
      return at::kBFloat16;
    case ComputeType::kFloat16:
      return at::kHalf;
  }
  CONTRA4_CHECK(false, "a compute type without a row");
}

std::string type_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "float32";
    case at::kBFloat16:
      return "bfloat16";
    case at::kHalf:
      return "float16";
    default:
      return c10::toString(type);
  }
}

}  // namespace contra4::models
