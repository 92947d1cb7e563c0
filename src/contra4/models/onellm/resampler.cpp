#include "contra4/models/onellm/resampler.h"

#include <string>

#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/sigmoid.h>
#include <fmt/format.h>

#include "contra4/nn/attention.h"

namespace contra4::models::onellm {

namespace {

// The published router looks at the latent rows before any layer has changed them: at inference its
// answer is a constant.
at::Tensor expert_share(const tensor::Checkpoint& checkpoint, const Sizes& sizes,
                        std::string_view modality, const at::Tensor& latents) {
  const std::string name = fmt::format("{}routers.{}.", kPrefix, modality);
  const nn::Linear inner =
      nn::load_linear(checkpoint, name + "fc1", {.in = sizes.width, .out = sizes.router_width});
  const nn::Linear outer = nn::load_linear(checkpoint, name + "fc2",
                                           {.in = sizes.router_width, .out = sizes.num_experts});
  const at::Tensor gates = at::sigmoid(outer(at::gelu(inner(latents))));
  return gates.div(gates.sum(-1, /*keepdim=*/true));
}

}  // namespace

Resampler::Resampler(const tensor::Checkpoint& checkpoint, const Sizes& sizes,
                     const nn::Placement& placement)
    : num_latents_(sizes.num_latents) {
  for (std::int64_t e = 0; e < sizes.num_experts; ++e) {
    Expert& expert = experts_.emplace_back();
    for (std::int64_t i = 0; i < sizes.num_resampler_layers; ++i) {
      expert.emplace_back(
          checkpoint, nn::meta_block_names(fmt::format("{}resample_layers.{}.{}", kPrefix, e, i)),
          nn::GatedBlockShape{.width = sizes.width,
                              .feed_forward_width = sizes.resampler_feed_forward_width,
                              .norm_eps = sizes.language.norm_eps},
          placement);
    }
  }
  const std::int64_t out_width = sizes.language.width;
  for (const Modality modality : kModalities) {
    const std::string_view name = name_of(modality);
    const std::string in = fmt::format("{}clip_proj1.{}.", kPrefix, name);
    const std::string out = fmt::format("{}clip_proj2.{}.", kPrefix, name);
    const std::string latents = fmt::format("{}resample_tokens.{}", kPrefix, name);
    const std::vector<std::int64_t> shape = {1, sizes.num_latents, sizes.width};
    Head head;
    head.in =
        nn::load_linear(checkpoint, in + "0", {.in = sizes.width, .out = sizes.width}, placement);
    head.in_norm = nn::load_layer_norm(checkpoint, in + "1", {.width = sizes.width}, placement);
    head.latents = nn::load_weight(checkpoint, latents, shape, placement).squeeze(0);
    head.expert_share = expert_share(checkpoint, sizes, name,
                                     nn::load_weight(checkpoint, latents, shape).squeeze(0))
                            .to(placement.device);
    head.out =
        nn::load_linear(checkpoint, out + "0", {.in = sizes.width, .out = out_width}, placement);
    head.out_norm = nn::load_layer_norm(checkpoint, out + "1", {.width = out_width}, placement);
    heads_.emplace(modality, std::move(head));
  }
}

at::Tensor Resampler::forward(Modality modality, const at::Tensor& tokens) const {
  const Head& head = heads_.at(modality);
  const at::Tensor projected = head.in_norm(head.in(tokens));
  const at::Tensor sequences =
      at::cat({head.latents.unsqueeze(0).expand({tokens.size(0), -1, -1}), projected}, 1);
  at::Tensor mixed;
  for (std::size_t e = 0; e < experts_.size(); ++e) {
    const at::Tensor share = head.expert_share.select(1, static_cast<std::int64_t>(e));
    const at::Tensor part =
        run_expert(experts_[e], sequences).to(at::kFloat).mul(share.unsqueeze(-1));
    mixed = mixed.defined() ? mixed.add_(part) : part;
  }
  return head.out_norm(head.out(mixed.to(tokens.scalar_type())));
}

// -> [batch, num_latents, width]: of the last layer only the latent rows are wanted.
at::Tensor Resampler::run_expert(const Expert& expert, const at::Tensor& sequences) const {
  const std::int64_t batch = sequences.size(0);
  const std::int64_t length = sequences.size(1);
  const nn::SequenceGroups groups = {{.count = batch, .length = length}};
  at::Tensor x = sequences.flatten(0, 1).clone();
  for (std::size_t i = 0; i + 1 < expert.size(); ++i) {
    const at::Tensor qkv = expert[i].queries_keys_values(x);
    expert[i].finish(x, nn::self_attention(qkv, groups, kNumResamplerHeads));
  }
  const nn::GatedBlock& last = expert.back();
  const at::Tensor keys_values = last.keys_values(x).unflatten(0, {batch, length});
  at::Tensor latents =
      x.unflatten(0, {batch, length}).narrow(1, 0, num_latents_).flatten(0, 1).contiguous();
  const at::Tensor queries = last.queries(latents).unflatten(0, {batch, num_latents_});
  last.finish(latents, nn::cross_attention(queries, keys_values, kNumResamplerHeads).flatten(0, 1));
  return latents.unflatten(0, {batch, num_latents_});
}

}  // namespace contra4::models::onellm
