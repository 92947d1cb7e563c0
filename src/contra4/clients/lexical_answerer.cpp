#include "contra4/clients/lexical_answerer.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/clients/caption_answer.h"
#include "contra4/io/json_writer.h"
#include "contra4/scoring/bm25.h"

namespace contra4::clients {

namespace {

Answer answer_of(const Question& question) {
  Answer answer;
  answer.ticket = question.ticket;
  if (auto error = find_missing_text(question, "lexical")) {
    answer.error = std::move(*error);
    return answer;
  }
  std::vector<std::string_view> captions;
  for (const ShownScene& scene : question.scenes) captions.emplace_back(scene.caption);
  answer.scores = scoring::bm25_scores(question.text, captions);
  const auto rank = [&](std::size_t place) {
    const ShownScene& scene = question.scenes[place];
    return std::tuple(
        answer.scores[place],
        stable_hash64(fmt::format("{}\x1f{}\x1f{}", question.text, scene.caption, scene.id.text)));
  };
  std::size_t best = 0;
  for (std::size_t place = 1; place < captions.size(); ++place) {
    if (rank(place) > rank(best)) best = place;
  }
  choose_scene(answer, best);
  return answer;
}

}  // namespace

void Bm25Answerer::run(const QuestionSource& source, const AnswerSink& sink, std::stop_token stop) {
  while (!stop.stop_requested()) {
    const std::optional<Question> question = source();
    if (!question) return;
    sink(answer_of(*question));
  }
}

std::string Bm25Answerer::description_json() const {
  const scoring::Bm25Options options;
  io::JsonWriter json;
  json.begin_object().member("rule", "bm25");
  return json.member("k1", options.k1).member("b", options.b).end_object().take();
}

}  // namespace contra4::clients
