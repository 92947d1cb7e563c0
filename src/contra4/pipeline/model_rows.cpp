#include "contra4/pipeline/model_rows.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/data/file_format.h"
#include "contra4/data/item.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_stream.h"
#include "contra4/io/byte_source.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/letter_rules.h"
#include "contra4/scoring/choice_rule.h"
#include "contra4/scoring/scene_view.h"

namespace contra4::pipeline {

namespace {

constexpr std::size_t kRowsPerBatch = 256;
constexpr std::string_view kSceneJson = "\"Scene ";

// What choice rules made of short replies. Models that answer with a letter say the same few things
// again and again.
class ReplyMemory {
 public:
  // A caption can matter only to a reply that is as long; within ASCII nothing grows on the way.
  static bool can_hold(std::string_view reply, std::size_t shortest_caption) {
    constexpr std::size_t kLongest = 64;
    return reply.size() < std::min(shortest_caption, kLongest) &&
           std::all_of(reply.begin(), reply.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  }
  const std::string& key(std::string_view reply, std::span<const scoring::SceneView> shown) {
    key_.clear();
    for (const auto& scene : shown)
      key_ += static_cast<char>('0' + static_cast<int>(scene.modality));
    key_ += ' ';
    key_ += reply;
    return key_;
  }
  std::optional<std::int8_t> find(const std::string& key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }
  void remember(const std::string& key, std::int8_t place) {
    constexpr std::size_t kMostReplies = 1U << 16;
    if (places_.size() >= kMostReplies) places_.clear();
    places_.emplace(key, place);
  }

 private:
  std::string key_;
  std::unordered_map<std::string, std::int8_t> places_;
};

// "B", "Scene B", with or without a full stop: what every rule reads alike.
std::optional<int> plain_letter(std::string_view reply, std::size_t num_scenes) {
  if (reply.ends_with('.')) reply.remove_suffix(1);
  if (reply.starts_with("Scene ")) reply.remove_prefix(6);
  if (reply.size() != 1 || reply[0] < 'A') return std::nullopt;
  const auto place = static_cast<std::size_t>(reply[0] - 'A');
  return place < num_scenes ? std::optional(static_cast<int>(place)) : std::nullopt;
}

}  // namespace

std::optional<int> read_reply(std::string_view reply, ReplyRule rule,
                              std::span<const scoring::SceneView> shown) {
  if (const auto place = plain_letter(reply, shown.size())) return place;
  if (rule == ReplyRule::kChoice) return scoring::parse_choice(reply, shown).index;
  return read_letter(reply, LetterRule::kFilter);
}

std::optional<int> read_answer(std::string_view answer, ReplyRule rule,
                               std::span<const scoring::SceneView> scenes) {
  if (rule == ReplyRule::kChoice) {
    if (const auto gold = parse_gold_answer(answer)) return gold;
  }
  return read_reply(answer, rule, scenes);
}

std::string formatted_json(std::string_view reply, std::optional<int> place, ReplyRule rule) {
  if (place) return std::string(kSceneJson) + scene_letter(*place) + '"';
  if (rule == ReplyRule::kChoice) return "null";
  return io::json_quote(formatted_answer(reply, LetterRule::kFilter));
}

struct ModelRowReader::State {
  std::filesystem::path path;
  ModelRowOptions options;
  std::string replies_member;
  std::unique_ptr<data::RecordReader> records;
  data::RawRow row;
  std::array<std::vector<scoring::SceneOrder>, kMaxScenes + 1> orders;
  ReplyMemory memory;
  std::string id;  // of the row at hand, for messages
  std::vector<scoring::SceneView> scenes;
  std::vector<scoring::SceneView> shown;
  std::size_t shortest_caption = 0;

  [[noreturn]] void fail(const Error& error) const {
    throw Exception(error.code,
                    data::describe_row(path.string(), records->row(), id, error.message));
  }
  [[noreturn]] void fail(std::string message) const {
    fail(Error{ErrorCode::kInvalidArgument, std::move(message)});
  }
  template <class T>
  T require(Result<T> result) const {
    if (!result) fail(result.error());
    return std::move(*result);
  }

  void read(std::string_view record, ModelRows& batch);
  bool read_scenes(ModelRow& into);
  void read_question(ModelRows& batch, ModelRow& into);
  void read_replies(ModelRows& batch, ModelRow& into);
  std::optional<int> place_of(std::string_view reply, const scoring::SceneOrder& order);
};

namespace {

TextSlice append(std::string& text, std::string_view piece) {
  const TextSlice slice = {static_cast<std::uint32_t>(text.size()),
                           static_cast<std::uint32_t>(piece.size())};
  text += piece;
  return slice;
}

TextSlice slice_from(const std::string& text, std::size_t begin) {
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(text.size() - begin)};
}

}  // namespace

// False when two scenes are of the same modality.
bool ModelRowReader::State::read_scenes(ModelRow& into) {
  const auto modalities = require(row.strings("modalities", data::RawRow::Nulls::kRefused));
  for (auto one = modalities.begin(); one != modalities.end(); ++one) {
    if (std::find(modalities.begin(), one, *one) != one) return false;
  }
  const auto captions = require(row.shown_captions());
  if (captions.size() != modalities.size()) {
    fail(fmt::format("{} modalities for {} scenes", modalities.size(), captions.size()));
  }
  if (captions.empty()) fail("there are no scenes");
  scenes.clear();
  shortest_caption = std::string_view::npos;
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const auto modality = parse_modality(*modalities[i]);
    if (!modality) {
      fail(fmt::format("unknown modality '{:.40}'; audio, pc, image or video is needed",
                       *modalities[i]));
    }
    scenes.push_back({*modality, captions[i]});
    if (!captions[i].empty()) shortest_caption = std::min(shortest_caption, captions[i].size());
  }
  if (scenes.size() > kMaxScenes) return false;  // two words for one modality
  into.num_scenes = static_cast<std::uint8_t>(scenes.size());
  return true;
}

std::optional<int> ModelRowReader::State::place_of(std::string_view reply,
                                                   const scoring::SceneOrder& order) {
  if (const auto place = plain_letter(reply, order.size())) return place;
  if (options.rule == ReplyRule::kPublished) return read_letter(reply, LetterRule::kFilter);
  shown.clear();
  for (const int scene : order) shown.push_back(scenes[static_cast<std::size_t>(scene)]);
  if (!ReplyMemory::can_hold(reply, shortest_caption)) {
    return scoring::parse_choice(reply, shown).index;
  }
  const std::string& key = memory.key(reply, shown);
  if (const auto known = memory.find(key)) {
    return *known < 0 ? std::nullopt : std::optional<int>(*known);
  }
  const auto place = scoring::parse_choice(reply, shown).index;
  memory.remember(key, static_cast<std::int8_t>(place.value_or(kNoScene)));
  return place;
}

void ModelRowReader::State::read_question(ModelRows& batch, ModelRow& into) {
  const auto questions = require(row.strings("questions", data::RawRow::Nulls::kRefused));
  if (questions.empty()) fail("'questions' is empty");
  into.question = append(batch.text, *questions.front());
  into.has_word = options.words->has_hit(*questions.front());
  const auto answers = require(row.strings("answers", data::RawRow::Nulls::kRefused));
  const std::size_t begin = batch.text.size();
  batch.text += '[';
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto scene = read_answer(*answers[i], options.rule, scenes);
    if (i > 0) batch.text += ", ";
    const TextSlice one = append(batch.text, formatted_json(*answers[i], scene, options.rule));
    if (i > 0) continue;
    into.first_answer = one;
    if (scene && *scene < into.num_scenes) into.answer = static_cast<std::int8_t>(*scene);
  }
  batch.text += ']';
  into.answers_formatted = slice_from(batch.text, begin);
  into.open_row = append(batch.text, row.open_without(options.added_members));
}

void ModelRowReader::State::read_replies(ModelRows& batch, ModelRow& into) {
  const auto replies = require(row.strings(replies_member, data::RawRow::Nulls::kAllowed));
  const auto& all = orders[into.num_scenes];
  if (replies.size() != all.size()) {
    fail(fmt::format("'{}' has {} entries, but {} scenes have {} orders", replies_member,
                     replies.size(), into.num_scenes, all.size()));
  }
  into.num_orders = static_cast<std::uint8_t>(all.size());
  into.replies = append(batch.text, data::on_one_line(row.raw(replies_member)));
  const std::size_t begin = batch.text.size();
  batch.text += '[';
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) batch.text += ", ";
    const std::size_t one = batch.text.size();
    if (!replies[i]) {
      into.scenes[i] = kNotAsked;
      batch.text += "null";
    } else if (const auto place = place_of(*replies[i], all[i])) {
      const auto at = static_cast<std::size_t>(*place);
      into.scenes[i] = at < all[i].size() ? static_cast<std::int8_t>(all[i][at]) : kNoScene;
      batch.text += kSceneJson;
      batch.text += scene_letter(*place);
      batch.text += '"';
    } else {
      into.scenes[i] = kNoScene;
      batch.text += formatted_json(*replies[i], place, options.rule);
    }
    if (i == 0) into.first_formatted = slice_from(batch.text, one);
  }
  batch.text += ']';
  into.formatted = slice_from(batch.text, begin);
}

void ModelRowReader::State::read(std::string_view record, ModelRows& batch) {
  id.clear();
  if (const auto parsed = row.parse(record); !parsed) {
    fail(records->was_ended_by_file()
             ? Error{ErrorCode::kDataLoss, "the file ends in the middle of a row; cut file? (" +
                                               parsed.error().message + ")"}
             : parsed.error());
  }
  id = require(row.id()).text;
  ModelRow& into = batch.rows.emplace_back();
  into.id = append(batch.text, id);
  if (!read_scenes(into)) {
    into.repeats_modality = true;
    return;
  }
  if (options.words != nullptr) read_question(batch, into);
  read_replies(batch, into);
}

ModelRowReader::ModelRowReader(std::filesystem::path path, ModelRowOptions options)
    : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->options = std::move(options);
  state_->replies_member = "answer_" + state_->options.model;
  const data::ReadLimits limits;
  const bool is_list = data::find_file_format(state_->path) == data::FileFormat::kJson;
  state_->records = data::read_records(
      io::open_bytes(state_->path, {.max_decompressed_bytes = limits.max_decompressed_bytes,
                                    .max_compression_ratio = limits.max_compression_ratio}),
      is_list ? data::RecordFormat::kList : data::RecordFormat::kLines, limits.max_row_bytes);
  for (std::size_t n = 1; n < state_->orders.size(); ++n) {
    state_->orders[n] = scoring::all_orders(static_cast<int>(n));
  }
}

ModelRowReader::~ModelRowReader() = default;

ModelRows ModelRowReader::next() {
  ModelRows batch;
  batch.rows.reserve(kRowsPerBatch);
  while (batch.rows.size() < kRowsPerBatch) {
    const auto record = state_->records->next();
    if (!record) break;
    state_->id.clear();
    if (!*record) state_->fail(record->error());
    if (batch.rows.empty()) batch.first_row = state_->records->row();
    state_->read(**record, batch);
  }
  return batch;
}

}  // namespace contra4::pipeline
