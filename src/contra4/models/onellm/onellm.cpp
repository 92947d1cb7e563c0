// OneLLM as a native model: what models/registry.cpp asks for.
#include <memory>
#include <string>
#include <utility>

#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/error.h"
#include "contra4/io/tensor_file.h"
#include "contra4/models/device/devices.h"
#include "contra4/models/device/memory.h"
#include "contra4/models/onellm/files.h"
#include "contra4/models/onellm/load.h"
#include "contra4/models/onellm/model.h"
#include "contra4/models/registry.h"
#include "contra4/tensor/thread_count.h"

namespace contra4::models {

std::unique_ptr<SceneModel> make_onellm(const NativeModelOptions& options);

namespace {

constexpr std::size_t kNamesShown = 5;

onellm::ModelOptions model_options(const NativeModelOptions& options) {
  onellm::ModelOptions model;
  model.devices = choose_devices(options.devices, options.preferred_gpu);
  model.dtype = choose_type(options.compute_type, model.devices.front());
  model.is_compat = options.is_compat;
  model.chooses_by_logprobs = !options.is_compat && options.answer == AnswerMode::kLogprobs;
  if (options.max_new_tokens < 0 || options.max_text_tokens < 0) {
    throw Exception(ErrorCode::kInvalidArgument, "a number of tokens below 0");
  }
  if (options.max_new_tokens > 0) model.max_new_tokens = options.max_new_tokens;
  if (!options.prompt_template.empty()) model.prompt.prompt_template = options.prompt_template;
  model.prompt.max_tokens = options.max_text_tokens;
  onellm::check_template(model.prompt.prompt_template);
  // The published evaluation has all of its input in bfloat16. In float32, which is there for exact
  // comparison, coordinates stay what they are.
  model.rounds_points_to_bfloat16 = options.is_compat && model.dtype == at::kBFloat16;
  model.decoder = options.decoder;
  return model;
}

void tell_unexpected(const NativeModelOptions& options, const tensor::Checkpoint& checkpoint) {
  std::vector<std::string> names = onellm::find_unexpected(checkpoint);
  if (names.empty()) return;
  const std::size_t count = names.size();
  names.resize(std::min(count, kNamesShown));
  options.tell(fmt::format("onellm: {} tensors of the checkpoint are of no use here: {}{}", count,
                           fmt::join(names, ", "), count > names.size() ? ", ..." : ""));
}

}  // namespace

std::unique_ptr<SceneModel> make_onellm(const NativeModelOptions& options) {
  onellm::ModelOptions model = model_options(options);
  const tensor::OpThreads threads(tensor::resolve_num_threads(options.num_threads));
  text::SentencePiece pieces(onellm::find_tokenizer(options.checkpoint, options.tokenizer));
  tensor::Checkpoint checkpoint(options.checkpoint);
  const onellm::Sizes sizes =
      onellm::read_sizes(checkpoint, onellm::find_config(options.checkpoint, options.config));
  const std::int64_t batch_size = options.batch_size > 0           ? options.batch_size
                                  : model.devices.front().is_cpu() ? 16
                                                                   : 48;
  if (options.tell) tell_unexpected(options, checkpoint);
  for (const MemoryNeed& need :
       onellm::estimate_memory(checkpoint, sizes, model.devices, model.dtype, batch_size)) {
    const auto available = available_memory(need.device);
    if (options.tell) {
      options.tell(
          fmt::format("onellm: {}, in {}", describe(need, available), type_name(model.dtype)));
    }
    require_memory(need, available, "onellm");
  }
  try {
    return std::make_unique<onellm::Model>(std::move(checkpoint), sizes, std::move(pieces),
                                           std::move(model));
  } catch (const c10::OutOfMemoryError& error) {
    throw Exception(ErrorCode::kResourceExhausted, fmt::format("onellm: the weights do not fit: {}",
                                                               error.what_without_backtrace()));
  }
}

}  // namespace contra4::models
