#include "contra4/nn/rms_norm.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/rms_norm.h>

namespace contra4::nn {

at::Tensor RmsNorm::operator()(const at::Tensor& x) const {
  if (!x.is_cpu()) return at::rms_norm(x, weight.sizes(), weight, eps);  // one kernel there
  // The norm of a row needs no matrix of squares.
  const at::Tensor scale = at::linalg_vector_norm(x, 2, {-1}, /*keepdim=*/true, at::kFloat)
                               .square_()
                               .div_(static_cast<double>(x.size(-1)))
                               .add_(eps)
                               .rsqrt_();
  return x.mul(scale).to(x.scalar_type()).mul_(weight);
}

RmsNorm load_rms_norm(const tensor::Checkpoint& checkpoint, const std::string& name,
                      const RmsNormShape& shape, const Placement& placement) {
  return {.weight = load_weight(checkpoint, name + ".weight", {shape.width}, placement),
          .eps = shape.eps};
}

}  // namespace contra4::nn
