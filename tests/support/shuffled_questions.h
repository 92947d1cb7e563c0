// What answerers by script share: several questions are in flight, as with a server, and are
// answered in an order that a seed decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "contra4/base/random.h"
#include "contra4/inference/answerer.h"

namespace contra4::testing {

struct Shuffle {
  std::size_t window = 5;  // questions in flight at the most
  std::uint64_t seed = 1;
};

// Until the source is dry or a stop is asked for.
inline void for_each_shuffled(const QuestionSource& source, const std::stop_token& stop,
                              const Shuffle& shuffle,
                              const std::function<void(const Question&)>& answer) {
  Random random(shuffle.seed);
  std::vector<Question> in_flight;
  bool is_dry = false;
  while (true) {
    while (!is_dry && in_flight.size() < shuffle.window) {
      std::optional<Question> question = source();
      is_dry = !question;
      if (question) in_flight.push_back(*std::move(question));
    }
    if (in_flight.empty() || stop.stop_requested()) return;
    std::swap(in_flight[random.below(in_flight.size())], in_flight.back());
    const Question question = std::move(in_flight.back());
    in_flight.pop_back();
    answer(question);
  }
}

}  // namespace contra4::testing
