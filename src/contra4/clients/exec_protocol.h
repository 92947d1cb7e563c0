// The lines that a program of the user's reads and writes; exec_answerer.h runs it.
//
// A request, with `caption` and `media` where --input shows them and ids of their own JSON type;
// with --exec-pictures, `pictures` of a 3D object or a video and in `pictures_show` what they are:
//   {"ticket": 17, "id": "random_371627", "question": "Which scene is louder?",
//    "scenes": [{"name": "Scene A", "letter": "A", "modality": "audio", "source": "clotho",
//                "id": "rain.wav", "caption": "Rain falls.", "media": "/data/rain.wav"}, ...],
//    "seed": 1234}
// An answer:
//   {"ticket": 17, "answer": "Scene B"}
// A program that answers in the order asked may leave `ticket` out. Instead of "answer", or beside
// it: "choice" ("B", or the place from 0) and "scores" (a number per scene, the highest is chosen)
// decide without the text being read; "error" (a text) fails the item.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/inference/answerer.h"

namespace contra4::clients {

// Files that show a scene to a program that sees pictures alone.
struct ScenePictures {
  std::vector<std::string> files;  // empty: the scene has none
  std::string words;               // what they show
};

// On one line, without its line break. `pictures`: one per scene, or none at all.
std::string exec_request_line(const Question& question,
                              std::span<const ScenePictures> pictures = {});

struct ExecReply {
  std::optional<std::uint64_t> ticket;
  std::string text;           // "answer"; the choice's name where only that was given
  std::optional<int> choice;  // from 0; maybe none of the scenes shown
  std::vector<double> scores;
  std::string error;  // not empty: the program's own words
};

// kDataLoss for a line that is no JSON object with one of "answer", "choice", "scores" and "error",
// each of its type.
Result<ExecReply> parse_exec_reply(std::string_view line);

// What a reply means for its question. A choice that was not shown is left to be read from the
// text; scores that are not one per scene fail the item.
Answer to_answer(const Question& question, ExecReply reply);

}  // namespace contra4::clients
