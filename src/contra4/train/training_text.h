// What a question is to a model that learns from it: tokens, and which of them are its answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"
#include "contra4/data/item.h"
#include "contra4/text/sentence_piece.h"

namespace contra4::train {

struct TrainingTextOptions {
  // As published: no conversation around the question, the label on the first place where the
  // answer's tokens stand (the list of choices), none on the end token, text cut after a bound.
  bool is_compat = false;
  std::string prompt_template = {};  // with {question} and {choices}; empty: that of the evaluation
  std::int64_t max_words = 0;        // tokens of scenes and text; 0: no bound (180 under is_compat)
  std::int64_t image_words = 30;     // that a scene takes of it, beside the tokens of "Scene A: "
};

// ids[0] is the begin token; labels[i] says whether ids[i] is to be predicted from what stands
// before it.
struct TrainingText {
  std::vector<std::int64_t> ids;
  std::vector<bool> labels;
  int num_scenes = 0;

  std::int64_t num_labels() const;
};

// By default: the prompt as the evaluation asks it, the ids of the answer's name ("Scene B") behind
// it as the evaluation scores them, and the end token; name and end token are labelled.
// kInvalidArgument for an item without an answer, or whose answer is none of its scenes, and for
// one that the bound would cut: what is cut first is the answer.
//
// Under is_compat: "QUESTION Choose from: Scene A, Scene B Scene B" and the end token, cut where
// the bound is. An item whose answer the script cannot read, or whose answer's tokens stand
// nowhere, has no labels (the script takes another item for the latter). The script fills shorter
// texts up with 0s, behind the end and without weight: they are not here. kInvalidArgument where
// scenes alone reach the bound.
//
// Throws kInvalidArgument for a template that is none, and for a tokenizer without begin or end.
// Source: artemisp/contra4-fork 8492529, contra4_finetune.py; what differs: onellm.md of the docs.
Result<TrainingText> make_training_text(const text::SentencePiece& tokenizer, const Item& item,
                                        const TrainingTextOptions& options);

// What the published script takes an answer for: the text before the first "." if it begins with a
// scene's name, else the one name in it, else the one capital letter A to D; empty: none.
std::string published_answer(std::string_view answer_text);

}  // namespace contra4::train
