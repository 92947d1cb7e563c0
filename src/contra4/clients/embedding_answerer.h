// The family embed/NAME: the scene whose caption is nearest to the question.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "contra4/inference/answerer.h"
#include "contra4/inference/embedder.h"

namespace contra4::clients {

struct EmbeddingOptions {
  // Questions taken at a time: few, so that an interrupted run keeps what it has embedded.
  std::size_t max_batch = 256;
  std::size_t max_cached_texts = 65536;  // vectors kept; all are dropped when it would be more
};

class EmbeddingAnswerer final : public Answerer {
 public:
  // Throws kInvalidArgument for options that are 0.
  explicit EmbeddingAnswerer(std::unique_ptr<Embedder> embedder,
                             const EmbeddingOptions& options = {});

  // Cosine of question and caption; the first of equals. Each text is embedded once while it is
  // cached. A question with a scene without caption fails.
  void run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) override;
  InputNeed input_need() const override { return InputNeed::kCaptions; }
  std::string description_json() const override;

 private:
  // False when a stop was asked for.
  bool embed_missing(const std::vector<Question>& questions, const std::stop_token& stop);
  Answer answer(const Question& question) const;

  std::unique_ptr<Embedder> embedder_;
  EmbeddingOptions options_;
  std::unordered_map<std::string, std::vector<float>> vectors_;  // by text
};

}  // namespace contra4::clients
