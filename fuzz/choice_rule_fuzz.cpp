// Any bytes as a reply: the choice rule neither throws nor names a scene that was not shown.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "contra4/scoring/choice_rule.h"
#include "contra4/scoring/reasoning.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace contra4;
  if (size == 0) return 0;
  const int num_scenes = kMinScenes + data[0] % (kMaxScenes - kMinScenes + 1);
  const std::string_view reply(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Captions out of the reply itself, so that they are found in it.
  std::vector<scoring::SceneView> shown;
  for (int i = 0; i < num_scenes; ++i) {
    const std::size_t begin = reply.size() * static_cast<std::size_t>(i) / 4;
    shown.push_back({kModalities[static_cast<std::size_t>(i)], reply.substr(begin, 16)});
  }
  for (const scoring::ParsedChoice& choice :
       {scoring::parse_choice(reply, num_scenes), scoring::parse_choice(reply, shown)}) {
    const bool is_one = choice.reading == scoring::Reading::kOne;
    if (choice.index.has_value() != is_one) std::abort();
    if (choice.index && (*choice.index < 0 || *choice.index >= num_scenes)) std::abort();
  }
  return 0;
}
