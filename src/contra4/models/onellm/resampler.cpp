#include "contra4/models/onellm/resampler.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/sigmoid.h>
#include <fmt/format.h>

#include "contra4/nn/attention.h"
#include "contra4/nn/recording.h"

namespace contra4::models::onellm {

// The published router looks at the latent rows before any layer has changed them: at inference its
// answer is a constant.
at::Tensor Resampler::Router::shares(const at::Tensor& latents) const {
  const at::ScalarType type = nn::at_least_float32(latents.scalar_type());
  const auto apply = [&](const nn::Linear& layer, const at::Tensor& x) {
    return at::linear(x, layer.weight.to(type), layer.bias.to(type));
  };
  const at::Tensor gates = at::sigmoid(apply(outer, at::gelu(apply(inner, latents.to(type)))));
  return gates.div(gates.sum(-1, /*keepdim=*/true));
}

Resampler::Resampler(const tensor::Checkpoint& checkpoint, const Sizes& sizes,
                     const nn::Placement& placement)
    : num_latents_(sizes.num_latents) {
  for (std::int64_t e = 0; e < sizes.num_experts; ++e) {
    Expert& expert = experts_.emplace_back();
    for (std::int64_t i = 0; i < sizes.num_resampler_layers; ++i) {
      const std::string name = fmt::format("{}resample_layers.{}.{}", kPrefix, e, i);
      expert.push_back(
          {.name = name,
           .block = nn::GatedBlock(checkpoint, nn::meta_block_names(name),
                                   {.width = sizes.width,
                                    .feed_forward_width = sizes.resampler_feed_forward_width,
                                    .norm_eps = sizes.language.norm_eps},
                                   placement)});
    }
  }
  const std::int64_t out_width = sizes.language.width;
  for (const Modality modality : kModalities) {
    const std::string_view name = name_of(modality);
    const std::string in = fmt::format("{}clip_proj1.{}.", kPrefix, name);
    const std::string out = fmt::format("{}clip_proj2.{}.", kPrefix, name);
    const std::string latents = fmt::format("{}resample_tokens.{}", kPrefix, name);
    const std::string router = fmt::format("{}routers.{}.", kPrefix, name);
    const std::vector<std::int64_t> shape = {1, sizes.num_latents, sizes.width};
    Head head;
    head.in =
        nn::load_linear(checkpoint, in + "0", {.in = sizes.width, .out = sizes.width}, placement);
    head.in_norm = nn::load_layer_norm(checkpoint, in + "1", {.width = sizes.width}, placement);
    head.latents = nn::load_weight(checkpoint, latents, shape, placement);
    const auto load_router = [&](const nn::Placement& place) -> Router {
      return {nn::load_linear(checkpoint, router + "fc1",
                              {.in = sizes.width, .out = sizes.router_width}, place),
              nn::load_linear(checkpoint, router + "fc2",
                              {.in = sizes.router_width, .out = sizes.num_experts}, place)};
    };
    head.router = load_router(placement);
    if (!head.router.is_trained()) {
      // From what is stored, which may be more exact than the type of computation.
      const nn::Placement exact{.device = at::kCPU, .dtype = nn::at_least_float32(placement.dtype)};
      head.shares = load_router(exact)
                        .shares(nn::load_weight(checkpoint, latents, shape, exact).squeeze(0))
                        .to(placement.device);
      head.router = {};
    }
    head.out =
        nn::load_linear(checkpoint, out + "0", {.in = sizes.width, .out = out_width}, placement);
    head.out_norm = nn::load_layer_norm(checkpoint, out + "1", {.width = out_width}, placement);
    heads_.emplace(modality, std::move(head));
  }
}

at::Tensor Resampler::forward(Modality modality, const at::Tensor& tokens,
                              nn::BlockRunner& runner) const {
  const Head& head = heads_.at(modality);
  const at::Tensor projected = head.in_norm(head.in(tokens));
  const at::Tensor sequences =
      at::cat({head.latents.expand({tokens.size(0), -1, -1}), projected}, 1);
  const at::Tensor shares =
      head.shares.defined() ? head.shares : head.router.shares(head.latents.squeeze(0));
  at::Tensor mixed;
  for (std::size_t e = 0; e < experts_.size(); ++e) {
    const at::Tensor share = shares.select(1, static_cast<std::int64_t>(e));
    const at::Tensor part = run_expert(experts_[e], sequences, runner)
                                .to(shares.scalar_type())
                                .mul(share.unsqueeze(-1));
    mixed = mixed.defined() ? mixed.add_(part) : part;
  }
  return head.out_norm(head.out(mixed.to(tokens.scalar_type())));
}

// -> [batch, num_latents, width]: of the last layer only the latent rows are wanted.
at::Tensor Resampler::run_expert(const Expert& expert, const at::Tensor& sequences,
                                 nn::BlockRunner& runner) const {
  const std::int64_t batch = sequences.size(0);
  const std::int64_t length = sequences.size(1);
  const nn::SequenceGroups groups = {{.count = batch, .length = length}};
  at::Tensor x = sequences.flatten(0, 1);
  for (std::size_t i = 0; i + 1 < expert.size(); ++i) {
    const nn::GatedBlock& block = expert[i].block;
    x = runner.run(expert[i].name, x, [&block, groups](const at::Tensor& rows) {
      return block.finish(rows, nn::self_attention(block.queries_keys_values(rows), groups,
                                                   {.num_heads = kNumResamplerHeads}));
    });
  }
  const nn::GatedBlock& last = expert.back().block;
  const at::Tensor latents =
      runner.run(expert.back().name, x, [&last, batch, length, this](const at::Tensor& rows) {
        const at::Tensor keys_values = last.keys_values(rows).unflatten(0, {batch, length});
        const at::Tensor few = rows.unflatten(0, {batch, length})
                                   .narrow(1, 0, num_latents_)
                                   .flatten(0, 1)
                                   .contiguous();
        const at::Tensor queries = last.queries(few).unflatten(0, {batch, num_latents_});
        return last.finish(
            few, nn::cross_attention(queries, keys_values, kNumResamplerHeads).flatten(0, 1));
      });
  return latents.unflatten(0, {batch, num_latents_});
}

}  // namespace contra4::models::onellm
