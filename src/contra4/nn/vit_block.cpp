#include "contra4/nn/vit_block.h"

#include "contra4/nn/attention.h"

namespace contra4::nn {

void VitBlock::apply(at::Tensor& x, const SequenceGroups& groups) const {
  x.add_(attention_output(self_attention(query_key_value(attention_norm(x)), groups, num_heads)));
  at::Tensor hidden = feed_forward_in(feed_forward_norm(x));
  activate(activation, hidden);
  x.add_(feed_forward_out(hidden));
}

}  // namespace contra4::nn
