#include "contra4/data/item_parser.h"

#include <array>
#include <bitset>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "contra4/data/json_node.h"
#include "contra4/data/json_scan.h"

namespace contra4::data {

namespace {

using simdjson::dom::element;

// Each known member once; unknown ones may repeat, they are kept as they are.
template <std::size_t N>
class MemberSet {
 public:
  explicit MemberSet(const std::array<std::string_view, N>& names) : names_(names) {}
  // The index of a known name; N for another one.
  std::size_t note(std::string_view name, int scene) {
    for (std::size_t i = 0; i < N; ++i) {
      if (names_[i] != name) continue;
      if (seen_[i]) reject(fmt::format("{} occurs twice", words({name, scene})));
      seen_.set(i);
      return i;
    }
    return N;
  }

 private:
  const std::array<std::string_view, N>& names_;
  std::bitset<N> seen_;
};

enum ItemMember : std::size_t {
  kId,
  kSelectionType,
  kQType,
  kExamples,
  kCategory,
  kAnswer,
  kQuestion,
  kModalities,
  kGtAnswer,
  kAnswers,
  kQuestions,
  kItemIdIsInteger,
  kItemExtra,
  kNumItemMembers
};
constexpr std::array<std::string_view, kNumItemMembers> kItemMembers = {
    "id",         "selection_type", "q_type",  "examples",  "category",      "answer", "question",
    "modalities", "gt_answer",      "answers", "questions", "id_is_integer", "extra"};

enum SceneMember : std::size_t {
  kSource,
  kSceneId,
  kCaption,
  kSceneIdIsInteger,
  kCaptions,
  kSceneExtra,
  kNumSceneMembers
};
constexpr std::array<std::string_view, kNumSceneMembers> kSceneMembers = {
    "source", "id", "caption", "id_is_integer", "captions", "extra"};

}  // namespace

class ItemParser::Implementation {
 public:
  Implementation(Extras extras, RowForm form) : extras_(extras), form_(form) {}

  Result<Item> parse(std::string_view text);

  std::string id_text;
  Schema schema = Schema::kReadme;

 private:
  // What the members of a row gave before they are put together.
  struct Row {
    std::optional<Node> id, question, questions, gt_answer, answer, answers, examples, modalities;
    bool id_is_integer = false;
  };
  bool is_table() const { return form_ == RowForm::kTable; }

  element read_document(std::string_view text, std::string_view& raw);
  void find_id(const simdjson::dom::object& object, std::string_view raw);
  Item read_item(const simdjson::dom::object& object, std::string_view raw);
  void read_member(Item& item, Row& row, std::size_t member, std::string_view name,
                   const Node& node);
  void read_question(Item& item, const Row& row);
  void read_answer(Item& item, const Row& row);
  void read_scenes(Item& item, const Row& row);
  Scene read_scene(int index, const Node& node);
  void read_captions(Scene& scene, int index, const Node& node);
  void read_modalities(Item& item, const Row& row);
  void keep(ExtraMembers& extra, std::string_view name, const Node& node) const;
  void unpack(ExtraMembers& extra, const Node& node, const Path& path);

  Extras extras_;
  RowForm form_;
  simdjson::dom::parser parser_;
  simdjson::dom::parser extra_parser_;
  std::string stand_in_;  // the text with big integers blanked
};

// `raw` becomes the text itself when nodes must carry theirs.
element ItemParser::Implementation::read_document(std::string_view text, std::string_view& raw) {
  raw = extras_ == Extras::kKeep ? text : std::string_view();
  element document;
  simdjson::error_code error =
      parser_.parse(text.data(), text.size(), /*realloc_if_needed=*/false).get(document);
  if (error == simdjson::NUMBER_ERROR) {
    stand_in_ = text;
    if (blank_big_integers(stand_in_)) {
      raw = text;
      error = parser_.parse(stand_in_).get(document);
    }
  }
  if (error != simdjson::SUCCESS) {
    if (error == simdjson::UTF8_ERROR) reject("not valid UTF-8");
    throw Rejection{fmt::format("not valid JSON: {}", simdjson::error_message(error)),
                    ErrorCode::kDataLoss};
  }
  return document;
}

Result<Item> ItemParser::Implementation::parse(std::string_view text) {
  id_text.clear();
  std::optional<simdjson::dom::object> object;
  std::string_view raw;
  try {
    const element document = read_document(text, raw);
    if (!document.is_object()) {
      reject(fmt::format("the row is {}, not an object", type_name({document, {}})));
    }
    object = document.get_object().value();
    return read_item(*object, raw);
  } catch (Rejection& problem) {
    if (object && id_text.empty()) find_id(*object, raw);
    return Error{problem.code, std::move(problem.reason)};
  }
}

// For the message about a row that was given up before its id was met.
void ItemParser::Implementation::find_id(const simdjson::dom::object& object,
                                         std::string_view raw) {
  each_member(object, raw, [&](std::string_view name, const Node& node) {
    if (name != "id" || !id_text.empty()) return;
    if (node.value.is_string() || node.value.is_int64() || node.value.is_uint64()) {
      try {
        id_text = id_of(node, {name}).text;
      } catch (const Rejection&) {
        id_text.clear();  // an id that is itself wrong is no name
      }
    }
  });
}

Item ItemParser::Implementation::read_item(const simdjson::dom::object& object,
                                           std::string_view raw) {
  Item item;
  Row row;
  MemberSet members(kItemMembers);
  each_member(object, raw, [&](std::string_view name, const Node& node) {
    read_member(item, row, members.note(name, -1), name, node);
  });
  if (!row.id) reject("there is no 'id'");
  item.id = id_of(*row.id, {"id"});
  if (row.id_is_integer) mark_as_integer(item.id, {"id"});
  read_question(item, row);
  read_scenes(item, row);
  read_answer(item, row);
  return item;
}

void ItemParser::Implementation::read_member(Item& item, Row& row, std::size_t member,
                                             std::string_view name, const Node& node) {
  if (node.value.is_null()) {
    // Absent, but a conversion gives it back. In a table every row has every column.
    if (!is_table()) keep(item.extra, name, node);
    return;
  }
  switch (member) {
    case kId:
      row.id = node;
      id_text = id_of(node, {name}).text;
      return;
    case kSelectionType:
      item.selection_type = text_of(node, {name});
      if (item.selection_type.empty()) break;  // kept as it is: "" is not the same as absent
      return;
    case kQType:
      item.q_type = text_of(node, {name});
      if (item.q_type.empty()) break;  // kept as it is: "" is not the same as absent
      return;
    case kExamples:
      row.examples = node;
      return;
    case kCategory:
      item.category = text_of(node, {name});
      if (item.category.empty()) break;  // kept as it is: "" is not the same as absent
      return;
    case kAnswer:
      row.answer = node;
      return;
    case kQuestion:
      row.question = node;
      return;
    case kModalities:
      row.modalities = node;
      return;
    case kGtAnswer:
      row.gt_answer = node;
      return;
    case kAnswers:
      row.answers = node;
      return;
    case kQuestions:
      row.questions = node;
      return;
    case kItemIdIsInteger:
      if (is_table()) {
        row.id_is_integer = flag_of(node, {name});
        return;
      }
      break;
    case kItemExtra:
      if (is_table()) {
        unpack(item.extra, node, {name});
        return;
      }
      break;
    default:
      break;
  }
  keep(item.extra, name, node);
}

void ItemParser::Implementation::keep(ExtraMembers& extra, std::string_view name,
                                      const Node& node) const {
  if (extras_ == Extras::kKeep) extra.emplace_back(std::string(name), compact(node.raw));
}

void ItemParser::Implementation::unpack(ExtraMembers& extra, const Node& node, const Path& path) {
  const std::string_view text = text_of(node, path);
  simdjson::dom::object object;
  if (extra_parser_.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) {
    reject(fmt::format("{} is not the JSON text of an object", words(path)));
  }
  each_member(object, text,
              [&](std::string_view name, const Node& child) { keep(extra, name, child); });
}

// A list of which the first element counts; with more than one the whole list is kept too, so that
// a conversion gives it back.
void ItemParser::Implementation::read_question(Item& item, const Row& row) {
  if (row.question) {
    item.question = text_of(*row.question, {"question"});
    if (row.questions) keep(item.extra, "questions", *row.questions);
  } else if (row.questions) {
    schema = Schema::kGenerated;
    const simdjson::dom::array list = list_of(*row.questions, {"questions"});
    if (list.size() == 0) reject("'questions' is empty");
    item.question = text_of({list.at(0).value(), {}}, {"questions"});
    if (list.size() > 1) keep(item.extra, "questions", *row.questions);
  } else if (!row.gt_answer && !row.answer && !row.answers) {
    schema = Schema::kGenerated;  // a tuple, which nobody has asked anything about yet
    return;
  } else {
    reject("there is no question");
  }
  if (item.question.find_first_not_of(kJsonSpace) == std::string::npos) {
    reject("the question is empty");
  }
}

void ItemParser::Implementation::read_answer(Item& item, const Row& row) {
  if (row.gt_answer && row.answer) reject("both 'gt_answer' and 'answer' are given");
  if (row.gt_answer || row.answer) {
    const std::string_view name = row.gt_answer ? "gt_answer" : "answer";
    item.answer_text = text_of(row.gt_answer ? *row.gt_answer : *row.answer, {name});
    item.answer = parse_gold_answer(item.answer_text);
    if (!item.answer) {
      reject(fmt::format("'{}' names no scene: '{:.40}'; \"Scene B\" or \"B\" is needed", name,
                         item.answer_text));
    }
    if (row.answers) keep(item.extra, "answers", *row.answers);
    schema = row.gt_answer                            ? Schema::kReadme
             : item.answer_text.starts_with("Scene ") ? Schema::kReleasedVal
                                                      : Schema::kReleasedTest;
  } else if (row.answers) {
    schema = Schema::kGenerated;
    const simdjson::dom::array list = list_of(*row.answers, {"answers"});
    // A model wrote it: it may name no scene, and then the item has no gold answer.
    if (list.size() > 0) {
      item.answer_text = text_of({list.at(0).value(), {}}, {"answers"});
      item.answer = parse_gold_answer(item.answer_text);
    }
    if (list.size() != 1) keep(item.extra, "answers", *row.answers);
  }
  if (item.answer && *item.answer >= item.num_scenes()) {
    reject(fmt::format("the answer is {}, but there are {} scenes", scene_name(*item.answer),
                       item.num_scenes()));
  }
}

void ItemParser::Implementation::read_scenes(Item& item, const Row& row) {
  if (!row.examples) reject("there is no 'examples'");
  if (!row.modalities) reject("there is no 'modalities'");
  const simdjson::dom::array list = list_of(*row.examples, {"examples"});
  item.scenes.reserve(std::min<std::size_t>(list.size(), kMaxScenes));
  each_element(list, row.examples->raw, [&](int index, const Node& node) {
    // Letters end at Z, and no set has half as many scenes.
    constexpr int kMostScenes = 26;
    if (index >= kMostScenes) reject(fmt::format("more than {} scenes", kMostScenes));
    item.scenes.push_back(read_scene(index, node));
  });
  read_modalities(item, row);
}

void ItemParser::Implementation::read_modalities(Item& item, const Row& row) {
  const simdjson::dom::array list = list_of(*row.modalities, {"modalities"});
  std::size_t count = 0;
  for (const element child : list) {
    const std::string_view word = text_of({child, {}}, {"modalities"});
    const auto modality = parse_modality(word);
    if (!modality) {
      reject(fmt::format("unknown modality '{:.40}'; audio, pc, image or video is needed", word));
    }
    if (count < item.scenes.size()) item.scenes[count].modality = *modality;
    ++count;
  }
  if (count != item.scenes.size()) {
    reject(fmt::format("{} modalities for {} scenes", count, item.scenes.size()));
  }
}

Scene ItemParser::Implementation::read_scene(int index, const Node& node) {
  simdjson::dom::object object;
  if (node.value.get(object) != simdjson::SUCCESS) {
    reject(fmt::format("{} is {}, not an object", scene_name(index), type_name(node)));
  }
  Scene scene;
  bool has_source = false;
  bool id_is_integer = false;
  MemberSet members(kSceneMembers);
  each_member(object, node.raw, [&](std::string_view name, const Node& child) {
    const std::size_t member = members.note(name, index);
    const Path path{name, index};
    if (child.value.is_null()) {
      if (!is_table()) keep(scene.extra, name, child);
    } else if (member == kSource) {
      scene.source = text_of(child, path);
      has_source = true;
    } else if (member == kSceneId) {
      scene.id = id_of(child, path);
    } else if (member == kCaption) {
      if (is_table() && scene.captions_were_list) return;  // 'captions' has it already
      read_captions(scene, index, child);
    } else if (is_table() && member == kCaptions) {
      scene.captions.clear();
      read_captions(scene, index, child);
    } else if (is_table() && member == kSceneIdIsInteger) {
      id_is_integer = flag_of(child, path);
    } else if (is_table() && member == kSceneExtra) {
      unpack(scene.extra, child, path);
    } else {
      keep(scene.extra, name, child);
    }
  });
  if (!has_source) reject(fmt::format("{} has no 'source'", scene_name(index)));
  if (scene.id.text.empty()) reject(fmt::format("{} has no 'id'", scene_name(index)));
  if (id_is_integer) mark_as_integer(scene.id, {"id", index});
  return scene;
}

void ItemParser::Implementation::read_captions(Scene& scene, int index, const Node& node) {
  const Path path{"caption", index};
  if (node.value.is_string()) {
    scene.captions.emplace_back(text_of(node, path));
    return;
  }
  if (!node.value.is_array()) {
    reject(
        fmt::format("{} is {}, not a string or a list of strings", words(path), type_name(node)));
  }
  scene.captions_were_list = true;
  for (const element child : list_of(node, path)) {
    scene.captions.emplace_back(text_of({child, {}}, path));
  }
}

ItemParser::ItemParser(Extras extras, RowForm form)
    : implementation_(std::make_unique<Implementation>(extras, form)) {}

ItemParser::~ItemParser() = default;

Result<Item> ItemParser::parse(std::string_view text) {
  return implementation_->parse(text);
}

const std::string& ItemParser::id_text() const {
  return implementation_->id_text;
}

Schema ItemParser::schema() const {
  return implementation_->schema;
}

}  // namespace contra4::data
