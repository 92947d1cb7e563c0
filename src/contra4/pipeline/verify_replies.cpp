#include "contra4/pipeline/verify_replies.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/log.h"
#include "contra4/io/journal.h"
#include "contra4/pipeline/letter_rules.h"
#include "contra4/scoring/choice_rule.h"

namespace contra4::pipeline {

std::string_view to_string(ReadingRule rule) {
  return rule == ReadingRule::kChoice ? "choice" : "published";
}

std::optional<ReadingRule> parse_reading_rule(std::string_view text) {
  for (const ReadingRule rule : {ReadingRule::kChoice, ReadingRule::kPublished}) {
    if (text == to_string(rule)) return rule;
  }
  return std::nullopt;
}

int what_it_says(const ReplyRecord& reply, const AskedItem& item, const scoring::SceneOrder& order,
                 ReadingRule rule) {
  if (reply.state == RequestState::kBlocked) return kRefused;
  if (reply.choice) return *reply.choice;
  if (rule == ReadingRule::kPublished) {
    return read_letter(published_reply_line(reply.text), LetterRule::kVerify).value_or(kNamesNone);
  }
  std::vector<scoring::SceneView> shown;
  for (const int place : order) {
    const AskedScene& scene = item.scenes()[static_cast<std::size_t>(place)];
    shown.push_back({scene.modality, scene.caption});
  }
  return scoring::parse_choice(reply.text, shown).index.value_or(kNamesNone);
}

std::string entry_of(const ReplyRecord& reply, int says, ReadingRule rule) {
  if (says >= 0) return scene_name(says);
  if (says == kRefused) return {};
  if (rule == ReadingRule::kChoice) return reply.text;
  return formatted_answer(published_reply_line(reply.text), LetterRule::kVerify);
}

ReplyJournals::ReplyJournals(const AskedItems& items)
    : items_(items), by_id_(items.by_id()), names_(kMaxScenes + 1) {
  for (int n = 1; n <= kMaxScenes; ++n) {
    for (const scoring::SceneOrder& order : scoring::all_orders(n)) {
      names_[static_cast<std::size_t>(n)].push_back(scoring::order_name(order));
    }
  }
}

void ReplyJournals::read(const std::filesystem::path& path,
                         const std::function<void(const Found&, const ReplyRecord&)>& take) const {
  std::uint64_t next_offset = 0;
  std::uint64_t num_damaged = 0;
  std::string first_damage;
  io::read_journal(path, [&](std::uint64_t number, std::string_view line) {
    const std::uint64_t offset = next_offset;
    next_offset += line.size() + 1;
    const auto reply = parse_reply_record(line);
    if (!reply) {
      if (num_damaged++ == 0)
        first_damage = fmt::format("line {}: {}", number, reply.error().message);
      return;
    }
    if (!is_final(reply->state)) return;
    const auto item = by_id_.find(reply->item_id);
    if (item == by_id_.end()) return;
    const auto& names = names_[static_cast<std::size_t>(items_.num_scenes(item->second))];
    const auto order = std::find(names.begin(), names.end(), reply->part);
    // A choice beyond the scenes is no reply to this item.
    if (order == names.end() ||
        (reply->choice && *reply->choice >= items_.num_scenes(item->second))) {
      return;
    }
    take({.item = item->second,
          .order = static_cast<std::size_t>(order - names.begin()),
          .offset = offset},
         *reply);
  });
  if (num_damaged > 0) {
    log::warning("{}: {} damaged line{} passed over (the first: {})", path.string(), num_damaged,
                 num_damaged == 1 ? "" : "s", first_damage);
  }
}

WordsOnDisk::WordsOnDisk(std::vector<std::filesystem::path> journals)
    : paths_(std::move(journals)) {
  for (const std::filesystem::path& path : paths_) files_.emplace_back(path, std::ios::binary);
}

void WordsOnDisk::add(std::size_t request, std::size_t journal, std::uint64_t offset) {
  places_.push_back(
      {static_cast<std::uint32_t>(request), static_cast<std::uint32_t>(journal), offset});
}

void WordsOnDisk::sort() {
  std::sort(places_.begin(), places_.end(),
            [](const Place& a, const Place& b) { return a.request < b.request; });
}

ReplyRecord WordsOnDisk::at(std::size_t request) {
  const auto place = std::lower_bound(
      places_.begin(), places_.end(), request,
      [](const Place& candidate, std::size_t wanted) { return candidate.request < wanted; });
  CONTRA4_CHECK(place != places_.end() && place->request == request, "words that nobody noted");
  std::ifstream& file = files_[place->journal];
  std::string line;
  file.clear();
  file.seekg(static_cast<std::streamoff>(place->offset));
  if (!std::getline(file, line)) {
    throw Exception(ErrorCode::kDataLoss,
                    fmt::format("{}: changed while it was read", paths_[place->journal].string()));
  }
  return parse_reply_record(line).value();
}

}  // namespace contra4::pipeline
