#include "contra4/io/tensor_file.h"

#include <algorithm>

namespace contra4::io {

const TensorEntry* TensorFile::find(std::string_view name) const {
  const auto at = std::lower_bound(
      tensors().begin(), tensors().end(), name,
      [](const TensorEntry& tensor, std::string_view key) { return tensor.name < key; });
  return at != tensors().end() && at->name == name ? &*at : nullptr;
}

}  // namespace contra4::io
