// How the layers of a stack are run: one after the other, or with what training does around each.
#pragma once

#include <functional>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace contra4::nn {

// A layer's work: rows in, rows out. Its input is not changed. It may be called again in a backward
// pass, when the function that made it has returned: it holds what it needs, and the layer outlives
// it.
using BlockFunction = std::function<at::Tensor(const at::Tensor&)>;

class BlockRunner {
 public:
  virtual ~BlockRunner() = default;
  // `name`: what the layer's tensors begin with in the checkpoint, "llma.layers.3". A layer may be
  // run several times in one pass.
  virtual at::Tensor run(std::string_view name, const at::Tensor& x,
                         const BlockFunction& block) = 0;
};

// Just runs them.
class PlainRunner final : public BlockRunner {
 public:
  at::Tensor run(std::string_view /*name*/, const at::Tensor& x,
                 const BlockFunction& block) override {
    return block(x);
  }
};

}  // namespace contra4::nn
