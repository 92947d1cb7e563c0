#include "contra4/train/tensor_bytes.h"

#include <algorithm>

namespace contra4::train {

void each_piece(const at::Tensor& tensor, at::ScalarType type,
                const std::function<void(std::string_view)>& visit) {
  const at::Tensor flat = tensor.detach().reshape({-1});
  for (std::int64_t begin = 0; begin < flat.numel(); begin += kPieceElements) {
    const std::int64_t count = std::min(kPieceElements, flat.numel() - begin);
    const at::Tensor piece = flat.narrow(0, begin, count).to(at::kCPU, type).contiguous();
    visit({static_cast<const char*>(piece.const_data_ptr()), piece.nbytes()});
  }
}

}  // namespace contra4::train
