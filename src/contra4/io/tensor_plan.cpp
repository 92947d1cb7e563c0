#include "contra4/io/tensor_plan.h"

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/io/json_writer.h"

namespace contra4::io {

namespace {

std::uint64_t bytes_of(const TensorPlan& tensor) {
  std::uint64_t bytes = bytes_per_element(tensor.type);
  for (const std::int64_t size : tensor.shape) {
    CONTRA4_CHECK(size >= 0, "a tensor of negative size");
    CONTRA4_CHECK(!__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes),
                  "a tensor larger than any file");
  }
  return bytes;
}

}  // namespace

std::uint64_t set_num_bytes(std::span<TensorPlan> tensors) {
  std::uint64_t sum = 0;
  for (TensorPlan& tensor : tensors) {
    tensor.num_bytes = bytes_of(tensor);
    CONTRA4_CHECK(!__builtin_add_overflow(sum, tensor.num_bytes, &sum),
                  "tensors larger than any file");
  }
  return sum;
}

bool is_text(std::string_view name) {
  // The writer replaces what is no UTF-8.
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  return name.find(kReplacement) != std::string_view::npos ||
         json_quote(name).find(kReplacement) == std::string::npos;
}

std::filesystem::path checkpoint_target(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(status)) return path;
  if (!std::filesystem::is_regular_file(status)) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: not a file; a checkpoint is written to one", path.string()));
  }
  return std::filesystem::canonical(path);
}

}  // namespace contra4::io
