// OneLLM: CLIP and a resampler make 30 rows of any medium, LLaMA-2 reads those of all scenes and
// the question.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/data/modality.h"
#include "contra4/features/onellm_input.h"
#include "contra4/media/decoder.h"
#include "contra4/models/language/llama_decoder.h"
#include "contra4/models/language/llama_decoding.h"
#include "contra4/models/onellm/encoder.h"
#include "contra4/models/onellm/prompt.h"
#include "contra4/models/onellm/sizes.h"
#include "contra4/models/scene_model.h"
#include "contra4/tensor/checkpoint.h"
#include "contra4/text/sentence_piece.h"

namespace contra4::models::onellm {

struct ModelOptions {
  std::vector<at::Device> devices = {at::kCPU};  // layers of the language model are dealt over them
  at::ScalarType dtype = at::kFloat;
  // As published: free text, and every token after the first one generated sees only the first
  // positions of what was asked.
  bool is_compat = false;
  bool chooses_by_logprobs = true;  // else free text
  std::int64_t max_new_tokens = 5;
  PromptOptions prompt;
  bool rounds_points_to_bfloat16 = false;
  const media::MediaDecoder* decoder = nullptr;  // for prepare() of pictures, sounds and videos
};

// Of the published prompt: BOS, then for every scene its label, a tag, the medium's rows and
// another tag, then the text. Source: artemisp/contra4-fork 8492529, onellm.py.
class Model final : public SceneModel {
 public:
  // Throws as load_weight().
  Model(tensor::Checkpoint checkpoint, const Sizes& sizes, text::SentencePiece tokenizer,
        ModelOptions options);

  Result<PreparedMedium> prepare(Modality modality, std::string_view bytes,
                                 std::string_view name) const override;
  std::vector<SceneFeatures> encode(Modality modality,
                                    std::span<const PreparedMedium> media) override;
  SceneFeatures place(SceneFeatures features) const override;
  std::vector<SceneAnswer> answer(std::span<const SceneQuestion> questions) override;
  std::size_t encode_batch_size(Modality modality) const override;
  std::size_t answer_batch_size() const override;
  std::string feature_key() const override;
  std::string description_json() const override;

  // Logits [vocabulary_size] float32 of what may follow a question: for comparing with others.
  at::Tensor first_logits(const SceneQuestion& question);

 private:
  struct Asked;  // a question that is being answered

  Asked ask(const SceneQuestion& question) const;
  // The pieces of a question's prompt; equal numbers within `numbers` are equal pieces.
  using Numbers = std::map<std::pair<const void*, std::size_t>, std::size_t>;
  LlamaPrompt lay_out(const SceneQuestion& question, std::span<const std::int64_t> text_ids,
                      std::int64_t num_logits, Numbers& numbers) const;
  void answer_by_text(std::span<Asked> asked) const;
  void answer_by_logprobs(std::span<Asked> asked) const;
  std::string fingerprint(bool of_encoder_alone) const;

  tensor::Checkpoint checkpoint_;
  Sizes sizes_;
  text::SentencePiece tokenizer_;
  ModelOptions options_;
  Encoder encoder_;
  LlamaDecoder decoder_;
  at::Tensor begin_row_;  // [1, width]
  struct Tags {
    at::Tensor start;  // [1, width]
    at::Tensor end;
  };
  std::map<Modality, Tags> tags_;
  std::vector<at::Tensor> label_rows_;               // of "Scene A: " and so on
  std::vector<std::vector<std::int64_t>> name_ids_;  // of "Scene A"
};

}  // namespace contra4::models::onellm
