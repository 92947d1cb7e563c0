#include "contra4/clients/exec_protocol.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/clients/chat_protocol.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4::clients {

namespace {

Error wrong(std::string_view what, std::string_view line) {
  return {ErrorCode::kDataLoss,
          fmt::format("[exec] {}; the program wrote: {}", what, shorten(line, 200))};
}

// "B", "b", "Scene B".
std::optional<int> letter_place(std::string_view text) {
  constexpr std::string_view kPrefix = "Scene ";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  if (text.size() != 1) return std::nullopt;
  if (text[0] >= 'A' && text[0] <= 'Z') return text[0] - 'A';
  if (text[0] >= 'a' && text[0] <= 'z') return text[0] - 'a';
  return std::nullopt;
}

// Also numbers, which a careless program may give for an answer.
std::optional<std::string> read_text(const io::JsonValue& value) {
  if (value.is_null()) return std::string();
  if (const std::string* text = value.find_string()) return *text;
  if (const auto integer = value.find_integer()) return fmt::format("{}", *integer);
  return std::nullopt;
}

void write_pictures(io::JsonWriter& writer, const ScenePictures& pictures) {
  writer.key("pictures").begin_array();
  for (const std::string& file : pictures.files) writer.value(file);
  writer.end_array().member("pictures_show", pictures.words);
}

}  // namespace

std::string exec_request_line(const Question& question, std::span<const ScenePictures> pictures) {
  io::JsonWriter writer;
  writer.begin_object();
  writer.member("ticket", question.ticket).member("id", question.item_id);
  writer.member("question", question.text);
  writer.key("scenes").begin_array();
  for (std::size_t i = 0; i < question.scenes.size(); ++i) {
    const ShownScene& scene = question.scenes[i];
    const int place = static_cast<int>(i);
    writer.begin_object();
    writer.member("name", scene_name(place)).member("letter", std::string(1, scene_letter(place)));
    writer.member("modality", to_string(scene.modality)).member("source", scene.source);
    writer.key("id");
    if (scene.id.is_integer) {
      writer.raw(scene.id.text);
    } else {
      writer.value(scene.id.text);
    }
    if (!scene.caption.empty()) writer.member("caption", scene.caption);
    if (!scene.media.empty()) writer.member("media", scene.media.string());
    if (i < pictures.size() && !pictures[i].files.empty()) write_pictures(writer, pictures[i]);
    writer.end_object();
  }
  writer.end_array();
  writer.member("seed", question.seed);
  return writer.end_object().take();
}

Result<ExecReply> parse_exec_reply(std::string_view line) {
  const Result<io::JsonValue> parsed = io::parse_json(line, "line");
  if (!parsed || !parsed->is_object()) return wrong("not a JSON object", line);
  ExecReply reply;
  bool has_content = false;
  if (const io::JsonValue* ticket = parsed->find("ticket"); ticket && !ticket->is_null()) {
    const std::optional<std::int64_t> number = ticket->find_integer();
    if (!number || *number < 0) return wrong("\"ticket\" is not the number of a request", line);
    reply.ticket = static_cast<std::uint64_t>(*number);
  }
  if (const io::JsonValue* error = parsed->find("error"); error && !error->is_null()) {
    const std::string* text = error->find_string();
    if (text == nullptr) return wrong("\"error\" is not a text", line);
    reply.error = text->empty() ? "(no reason given)" : *text;
    has_content = true;
  }
  if (const io::JsonValue* scores = parsed->find("scores"); scores && !scores->is_null()) {
    if (scores->find_array() == nullptr) return wrong("\"scores\" is not a list", line);
    for (const io::JsonValue& score : *scores->find_array()) {
      const std::optional<double> number = score.find_number();
      if (!number) return wrong("\"scores\" holds something that is no number", line);
      reply.scores.push_back(*number);
    }
    has_content = true;
  }
  if (const io::JsonValue* choice = parsed->find("choice"); choice && !choice->is_null()) {
    if (const std::string* letter = choice->find_string()) {
      reply.choice = letter_place(*letter);
      if (!reply.choice) return wrong("\"choice\" is not a letter", line);
    } else if (const auto place = choice->find_integer(); place && *place >= 0 && *place < 26) {
      reply.choice = static_cast<int>(*place);
    } else {
      return wrong("\"choice\" is neither a letter nor a place from 0", line);
    }
    reply.text = scene_name(*reply.choice);
    has_content = true;
  }
  if (const io::JsonValue* answer = parsed->find("answer")) {
    std::optional<std::string> text = read_text(*answer);
    if (!text) return wrong("\"answer\" is not a text", line);
    reply.text = std::move(*text);
    has_content = true;
  }
  if (!has_content) return wrong("no \"answer\"", line);
  return reply;
}

Answer to_answer(const Question& question, ExecReply reply) {
  Answer answer;
  answer.ticket = question.ticket;
  if (!reply.error.empty()) {
    answer.error = {ErrorCode::kUnavailable,
                    fmt::format("[exec] the program failed on item '{}': {}", question.item_id,
                                shorten(reply.error))};
    return answer;
  }
  if (!reply.scores.empty() && reply.scores.size() != question.scenes.size()) {
    answer.error = {ErrorCode::kDataLoss,
                    fmt::format("[exec] item '{}' has {} scenes, the program gave {} scores",
                                question.item_id, question.scenes.size(), reply.scores.size())};
    return answer;
  }
  answer.status = OutcomeStatus::kAnswered;
  answer.text = std::move(reply.text);
  answer.choice = reply.choice;
  if (!answer.choice && answer.text.empty() && !reply.scores.empty()) {
    const auto best = std::max_element(reply.scores.begin(), reply.scores.end());
    answer.choice = static_cast<int>(best - reply.scores.begin());
    answer.text = scene_name(*answer.choice);
  }
  if (answer.choice && *answer.choice >= static_cast<int>(question.scenes.size())) {
    answer.choice.reset();
  }
  answer.scores = std::move(reply.scores);
  return answer;
}

}  // namespace contra4::clients
