#include "contra4/apps/dry_run.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "contra4/apps/output.h"
#include "contra4/clients/prompts/prompt.h"
#include "contra4/scoring/accuracy.h"

namespace contra4::apps {

namespace {

// English text has about four characters a token in the vocabularies of today's models.
constexpr double kBytesPerToken = 4;

std::string_view role_name(Role role) {
  constexpr std::array<std::string_view, 3> kNames = {"system", "user", "assistant"};
  return kNames[static_cast<std::size_t>(role)];
}

std::string text_of(const std::vector<Message>& messages) {
  std::string text;
  for (const Message& message : messages) {
    if (messages.size() > 1) text += fmt::format("[{}]\n", role_name(message.role));
    for (const ContentPart& part : message.parts) {
      text += part.media.empty() ? part.text
                                 : fmt::format("<{} {}>", to_string(part.modality),
                                               part.media.filename().string());
    }
    text += '\n';
  }
  return text;
}

// The question of a request; empty when the input has nothing for one of its scenes.
std::optional<Question> question_of(const eval::RequestPlan& plan, const eval::SceneSource& scenes,
                                    std::size_t number) {
  const auto request = plan.request(number);
  const Item& item = plan.items()[request.item];
  const auto own = scenes.scenes_of(item);
  if (!own) return std::nullopt;
  Question question;
  question.ticket = number;
  question.item_id = item.id.text;
  question.text = item.question;
  for (const int scene : request.order)
    question.scenes.push_back((*own)[static_cast<std::size_t>(scene)]);
  return question;
}

std::string plain_question(const Question& question) {
  std::string text = question.text + "\n";
  for (std::size_t i = 0; i < question.scenes.size(); ++i) {
    const ShownScene& scene = question.scenes[i];
    text += fmt::format("{} ({}): {}\n", scene_name(static_cast<int>(i)), to_string(scene.modality),
                        scene.media.empty() ? scene.caption : scene.media.string());
  }
  return text;
}

std::string cells_text(const eval::RequestPlan& plan) {
  std::string text;
  for (const std::string_view cell : scoring::kCells) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < plan.num_items(); ++i) {
      count += scoring::is_in_cell(plan.items()[plan.item_at(i)], cell) ? 1 : 0;
    }
    if (count > 0) text += fmt::format("  {:<16} {:>8}\n", cell, grouped(count));
  }
  return text;
}

std::string cost_text(double prompt_tokens, double reply_tokens, const clients::TokenPrice& price) {
  constexpr double kMillion = 1e6;
  const double prompts = prompt_tokens / kMillion * price.prompt_usd_per_million;
  const double replies = reply_tokens / kMillion * price.completion_usd_per_million;
  return fmt::format("about ${:.2f} for prompts, at most ${:.2f} for replies\n", prompts, replies);
}

}  // namespace

std::string prompt_text(const ModelFlags& flags, const Question& question) {
  return text_of(clients::make_prompt(flags.prompt).render(question));
}

std::string dry_run_text(const eval::RequestPlan& plan, const eval::SceneSource& scenes,
                         const ModelFlags& flags, const OpenedModel& model) {
  std::optional<clients::Prompt> prompt;
  if (is_prompted(model.spec)) prompt = clients::make_prompt(flags.prompt);
  std::int64_t not_shown = 0;
  double prompt_bytes = 0;
  bool has_media = false;
  std::string example;
  for (std::size_t number = 0; number < plan.num_requests(); ++number) {
    const auto question = question_of(plan, scenes, number);
    if (!question) {
      ++not_shown;
      continue;
    }
    const std::string text =
        prompt ? text_of(prompt->render(*question)) : plain_question(*question);
    if (example.empty()) example = fmt::format("the first, {}:\n{}", question->item_id, text);
    prompt_bytes += static_cast<double>(text.size());
    has_media = has_media || !question->scenes.front().media.empty();
  }
  std::string page =
      fmt::format("{} would be asked {} about {}\n", model.spec.text(),
                  counted(static_cast<std::int64_t>(plan.num_requests()) - not_shown, "request"),
                  counted(static_cast<std::int64_t>(plan.num_items()), "item"));
  if (not_shown > 0) {
    page += fmt::format("{} would not be sent: the input has nothing for one of their scenes\n",
                        counted(not_shown, "request"));
  }
  page += cells_text(plan) + "\n" + example;
  if (prompt) {
    const double prompt_tokens = prompt_bytes / kBytesPerToken;
    const double reply_tokens =
        static_cast<double>(flags.max_new_tokens.value_or(prompt->sampling().max_tokens)) *
        static_cast<double>(static_cast<std::int64_t>(plan.num_requests()) - not_shown);
    page += fmt::format("\nabout {} prompt tokens{}, at most {} of replies\n",
                        grouped(static_cast<std::int64_t>(prompt_tokens)),
                        has_media ? " (text alone; media come on top)" : "",
                        grouped(static_cast<std::int64_t>(reply_tokens)));
    if (model.price) page += cost_text(prompt_tokens, reply_tokens, *model.price);
  }
  return page;
}

}  // namespace contra4::apps
