#include "contra4/models/prepared_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/io/npy.h"

namespace contra4::models {

namespace {

std::size_t num_dimensions(Modality modality) {
  switch (modality) {
    case Modality::kAudio:
    case Modality::kImage:
      return 3;
    case Modality::kVideo:
      return 4;
    case Modality::kPointCloud:
      return 2;
  }
  CONTRA4_CHECK(false, "a modality without a row");
}

std::vector<std::string_view> member_names(Modality modality) {
  if (modality == Modality::kPointCloud) return {"pc", "point"};
  return {to_string(modality)};
}

}  // namespace

std::optional<Result<PreparedMedium>> read_prepared_file(Modality modality, std::string_view bytes,
                                                         std::string_view name) {
  if (!bytes.starts_with("PK\x03\x04")) return std::nullopt;
  const auto members = io::npz_names(bytes, name);
  if (!members) return std::nullopt;  // a zip of another kind: the model says what it wants
  const auto wanted = member_names(modality);
  const auto member =
      std::find_first_of(members->begin(), members->end(), wanted.begin(), wanted.end());
  if (member == members->end()) return std::nullopt;
  auto array = io::read_npz(bytes, *member, name);
  if (!array) return Result<PreparedMedium>(array.error());
  const std::size_t rank = num_dimensions(modality);
  if (array->shape.size() == rank + 1 && array->shape.front() == 1) {
    array->shape.erase(array->shape.begin());
  }
  if (array->shape.size() != rank || array->num_elements() == 0) {
    return Result<PreparedMedium>(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("{}: '{}' has the shape [{}]; prepared {} has {} dimensions", name,
                          *member, fmt::join(array->shape, ", "), to_string(modality), rank)});
  }
  const std::vector<float> values = array->to_float32();
  at::Tensor tensor = at::empty(array->shape, at::kFloat);
  std::memcpy(tensor.mutable_data_ptr<float>(), values.data(), values.size() * sizeof(float));
  return Result<PreparedMedium>(PreparedMedium{std::move(tensor)});
}

}  // namespace contra4::models
