#include "contra4/apps/commands/ask.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/dry_run.h"
#include "contra4/apps/model_flags.h"
#include "contra4/apps/output.h"
#include "contra4/io/file.h"
#include "contra4/io/json_writer.h"
#include "contra4/scoring/choice_rule.h"

namespace contra4::apps {

namespace {

struct Flags {
  ModelFlags model;
  std::string question;
  std::vector<std::string> scenes;
  std::optional<std::filesystem::path> trace;
  bool dry_run = false;
  bool json = false;
};

bool is_file(const std::string& text) {
  std::error_code ignored;  // words may be no possible file name at all
  return std::filesystem::is_regular_file(text, ignored);
}

// "photo.jpg", "clips/a.wav": more likely a misspelt file than words.
bool looks_like_file(const std::string& text) {
  const auto extension = std::filesystem::path(text).extension().string();
  return text.find(' ') == std::string::npos && extension.size() > 1 && extension.size() <= 5;
}

ShownScene parse_scene(Context& context, const std::string& text) {
  const auto colon = text.find(':');
  const auto modality = parse_modality(text.substr(0, colon));
  if (colon == std::string::npos || !modality) {
    throw UsageError(
        fmt::format("--scene '{}': expected MODALITY:FILE or MODALITY:TEXT, with audio, "
                    "image, video or pc in front",
                    text));
  }
  ShownScene scene;
  scene.modality = *modality;
  const std::string content = text.substr(colon + 1);
  if (content.empty()) throw UsageError(fmt::format("--scene '{}': nothing after the colon", text));
  if (is_file(content)) {
    scene.media = content;
  } else {
    scene.caption = content;
    if (looks_like_file(content)) {
      context.err << fmt::format("warning: no file {}; taken as words", content) << std::endl;
    }
  }
  return scene;
}

Question question_of(Context& context, const Flags& flags) {
  Question question;
  question.item_id = "asked";
  question.text = flags.question;
  question.seed = flags.model.seed;
  for (const std::string& scene : flags.scenes)
    question.scenes.push_back(parse_scene(context, scene));
  const auto count = static_cast<int>(question.scenes.size());
  if (count < kMinScenes || count > kMaxScenes) {
    throw UsageError(
        fmt::format("--scene is given {} to {} times, not {}", kMinScenes, kMaxScenes, count));
  }
  return question;
}

void check_need(const Question& question, InputNeed need) {
  for (const ShownScene& scene : question.scenes) {
    const bool is_media = !scene.media.empty();
    if (need == InputNeed::kMedia && !is_media) {
      throw UsageError(
          fmt::format("--scene: this model looks at files; '{:.60}' is none", scene.caption));
    }
    if (need == InputNeed::kCaptions && is_media) {
      throw UsageError(
          fmt::format("--scene: this model reads words; {} is a file", scene.media.string()));
    }
  }
}

Answer ask_once(Answerer& answerer, const Question& question, const std::stop_token& stop) {
  std::optional<Question> next = question;
  std::optional<Answer> answer;
  answerer.run([&next] { return std::exchange(next, std::nullopt); },
               [&answer](Answer given) { answer = std::move(given); }, stop);
  if (!answer) throw Exception(ErrorCode::kCancelled, "interrupted before the answer came");
  return *answer;
}

std::optional<int> choice_of(const Answer& answer, const Question& question) {
  if (answer.choice) return answer.choice;
  std::vector<scoring::SceneView> views;
  for (const ShownScene& scene : question.scenes) views.push_back({scene.modality, scene.caption});
  return scoring::parse_choice(answer.text, views).index;
}

void write_ids(io::JsonWriter& writer, std::string_view name,
               const std::vector<std::int64_t>& ids) {
  writer.key(name).begin_array();
  for (const std::int64_t id : ids) writer.value(id);
  writer.end_array();
}

void write_tokens(io::JsonWriter& writer, const std::optional<AnswerTrace>& trace) {
  if (!trace) {
    writer.key("prompt_token_ids").null().key("token_ids").null();
    return;
  }
  write_ids(writer, "prompt_token_ids", trace->prompt_token_ids);
  write_ids(writer, "token_ids", trace->token_ids);
  writer.member("sequence_length", trace->sequence_length).member("decoded", trace->decoded);
}

// What `--trace` and `--json` write. Token ids are known of models that run in this process alone.
std::string trace_json(const Flags& flags, const OpenedModel& model, const Question& question,
                       const Answer& answer) {
  const auto choice = choice_of(answer, question);
  io::JsonWriter writer(2);
  writer.begin_object().member("model", model.spec.text());
  writer.key("description").raw(model.answerer->description_json());
  writer.key("prompt");
  if (answer.trace) {
    writer.value(answer.trace->prompt);
  } else if (is_prompted(model.spec)) {
    writer.value(prompt_text(flags.model, question));
  } else {
    writer.null();
  }
  write_tokens(writer, answer.trace);
  writer.member("text", answer.text).key("choice");
  if (choice) {
    writer.value(std::string(1, scene_letter(*choice)));
  } else {
    writer.null();
  }
  writer.key("scores").begin_array();
  for (const double score : answer.scores) writer.value(score);
  writer.end_array();
  writer.member("prompt_tokens", answer.usage.prompt_tokens);
  writer.member("completion_tokens", answer.usage.completion_tokens);
  writer.member("latency_s", answer.latency_s).member("endpoint", answer.endpoint);
  writer.member("raw_reply", answer.raw_reply).end_object();
  return writer.take() + "\n";
}

std::string answer_text(const Answer& answer, const Question& question) {
  const auto choice = choice_of(answer, question);
  const std::string name = choice ? scene_name(*choice) : "no single scene is named";
  const bool is_plain = answer.text.empty() || answer.text == name;
  return is_plain ? name + "\n" : fmt::format("{}\n\n{}\n", name, answer.text);
}

int run_ask(const Flags& flags, Context& context) {
  const Question question = question_of(context, flags);
  const SystemClock clock;
  const auto model = open_model(flags.model, context, clock);
  check_need(question, model.answerer->input_need());
  if (flags.dry_run) {
    write_result(
        context, {},
        is_prompted(model.spec) ? prompt_text(flags.model, question) : question.text + "\n");
    return kExitDone;
  }
  const Answer answer = ask_once(*model.answerer, question, context.stop);
  if (answer.status != OutcomeStatus::kAnswered) throw Exception(answer.error);
  const std::string trace = trace_json(flags, model, question, answer);
  if (flags.trace) io::write_file_atomically(*flags.trace, trace);
  write_result(context, {}, flags.json ? trace : answer_text(answer, question));
  return kExitDone;
}

}  // namespace

RunCommand add_ask_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.description("Asks a model one question about two to four scenes.");
  app.add_option("--question", flags->question, "what is asked")->type_name("TEXT")->required();
  app.add_option("--scene", flags->scenes,
                 "audio, image, video or pc, a colon and a file; words that name no file are shown "
                 "as a caption. Once per scene, Scene A first")
      ->type_name("MODALITY:FILE|TEXT")
      ->required()
      ->allow_extra_args(false);
  add_model_flags(app, flags->model, ModelUse::kOneQuestion);
  add_native_flags(app, flags->model.native);
  app.option_defaults()->group("Output");
  app.add_option("--trace", flags->trace,
                 "JSON with prompt, prompt_token_ids, token_ids, text, choice and more")
      ->type_name("FILE");
  app.add_flag("--dry-run", flags->dry_run, "show the prompt and ask nothing");
  app.add_flag("--json", flags->json, "the trace on standard output instead of the answer");
  app.footer(
      "Examples:\n"
      "  contra4 ask --model embed/minilm --question 'Which scene is the loudest?' \\\n"
      "    --scene 'audio:a jet takes off' --scene 'image:a sleeping cat'\n"
      "  contra4 ask --model openai/gpt-4o-mini --question 'Which scene shows an animal?' \\\n"
      "    --scene image:photo.jpg --scene audio:bark.wav --trace trace.json\n"
      "  contra4 ask --model onellm/OneLLM-7B --question 'Which scene is the loudest?' \\\n"
      "    --scene video:street.mp4 --scene pc:mug.npz");
  return [flags](Context& context) { return run_ask(*flags, context); };
}

}  // namespace contra4::apps
