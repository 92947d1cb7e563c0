#include "contra4/clients/embedding_answerer.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/clients/caption_answer.h"

namespace contra4::clients {

EmbeddingAnswerer::EmbeddingAnswerer(std::unique_ptr<Embedder> embedder,
                                     const EmbeddingOptions& options)
    : embedder_(std::move(embedder)), options_(options) {
  if (options.max_batch == 0 || options.max_cached_texts == 0) {
    throw Exception(ErrorCode::kInvalidArgument,
                    "[embed] the batch and the cache must hold at least one text");
  }
}

void EmbeddingAnswerer::run(const QuestionSource& source, const AnswerSink& sink,
                            std::stop_token stop) {
  std::vector<Question> questions;
  bool is_exhausted = false;
  while (!is_exhausted && !stop.stop_requested()) {
    questions.clear();
    while (questions.size() < options_.max_batch) {
      std::optional<Question> question = source();
      if (!question) {
        is_exhausted = true;
        break;
      }
      questions.push_back(std::move(*question));
    }
    if (!embed_missing(questions, stop)) return;
    for (const Question& question : questions) sink(answer(question));
  }
}

bool EmbeddingAnswerer::embed_missing(const std::vector<Question>& questions,
                                      const std::stop_token& stop) {
  std::vector<std::string> missing;
  const auto collect = [&] {
    missing.clear();
    std::unordered_set<std::string_view> seen;
    const auto want = [&](const std::string& text) {
      if (text.empty() || vectors_.contains(text) || !seen.insert(text).second) return;
      missing.push_back(text);
    };
    for (const Question& question : questions) {
      want(question.text);
      for (const ShownScene& scene : question.scenes) want(scene.caption);
    }
  };
  collect();
  if (vectors_.size() + missing.size() > options_.max_cached_texts && !vectors_.empty()) {
    vectors_.clear();
    collect();
  }
  // In pieces, so that a stop is heard. Texts of like length cost the least together.
  std::stable_sort(missing.begin(), missing.end(),
                   [](const auto& a, const auto& b) { return a.size() < b.size(); });
  constexpr std::size_t kPiece = 128;
  for (std::size_t begin = 0; begin < missing.size(); begin += kPiece) {
    if (stop.stop_requested()) return false;
    const std::size_t count = std::min(kPiece, missing.size() - begin);
    const Embeddings embeddings = embedder_->embed(std::span(missing).subspan(begin, count));
    CONTRA4_CHECK(embeddings.size() == count, "one vector per text");
    for (std::size_t i = 0; i < count; ++i) {
      const std::span<const float> row = embeddings.row(i);
      vectors_.emplace(std::move(missing[begin + i]), std::vector<float>(row.begin(), row.end()));
    }
  }
  return true;
}

Answer EmbeddingAnswerer::answer(const Question& question) const {
  Answer answer;
  answer.ticket = question.ticket;
  if (auto error = find_missing_text(question, "embed")) {
    answer.error = std::move(*error);
    return answer;
  }
  // Vectors have norm 1, so the inner product is the cosine.
  const std::vector<float>& query = vectors_.at(question.text);
  for (const ShownScene& scene : question.scenes) {
    const std::vector<float>& caption = vectors_.at(scene.caption);
    answer.scores.push_back(std::inner_product(query.begin(), query.end(), caption.begin(), 0.0));
  }
  const auto best = std::max_element(answer.scores.begin(), answer.scores.end());
  choose_scene(answer, static_cast<std::size_t>(best - answer.scores.begin()));
  return answer;
}

std::string EmbeddingAnswerer::description_json() const {
  return embedder_->description_json();
}

}  // namespace contra4::clients
