// The replies of a verification: what they say, and where they lie in journals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "contra4/inference/reply_record.h"
#include "contra4/pipeline/asked_items.h"
#include "contra4/pipeline/verify_ledger.h"

namespace contra4::pipeline {

enum class ReadingRule {
  kChoice,     // scoring/choice_rule.h, as an evaluation reads replies
  kPublished,  // the script's: LetterRule::kVerify
};
std::string_view to_string(ReadingRule rule);  // "choice", "published"
std::optional<ReadingRule> parse_reading_rule(std::string_view text);

// What a final reply says, as a VerifyLedger takes it: a place as shown, kNamesNone or kRefused. A
// choice that the model made itself goes before its words.
int what_it_says(const ReplyRecord& reply, const AskedItem& item, const scoring::SceneOrder& order,
                 ReadingRule rule);
// What stands for it in `answer_{model}`: "Scene B" where it names a scene; else its words, the
// whole reply or what the published script keeps of it.
std::string entry_of(const ReplyRecord& reply, int says, ReadingRule rule);

// Reads journals of a verification of these items, which outlive it.
class ReplyJournals {
 public:
  struct Found {
    std::size_t item = 0;
    std::size_t order = 0;
    std::uint64_t offset = 0;  // of the line
  };
  explicit ReplyJournals(const AskedItems& items);

  // Every final reply of the file, in its order; there may be several of one request, of which the
  // first counts. Lines that cannot be read are warned of and passed over.
  void read(const std::filesystem::path& path,
            const std::function<void(const Found&, const ReplyRecord&)>& take) const;

 private:
  const AskedItems& items_;
  std::unordered_map<std::string_view, std::uint32_t> by_id_;
  std::vector<std::vector<std::string>> names_;  // of orders, by number of scenes
};

// Where the words of replies lie that name no scene; they are fetched from the journals one by one.
class WordsOnDisk {
 public:
  explicit WordsOnDisk(std::vector<std::filesystem::path> journals);

  // Once per request; sort() before at().
  void add(std::size_t request, std::size_t journal, std::uint64_t offset);
  void sort();
  ReplyRecord at(std::size_t request);

 private:
  struct Place {
    std::uint32_t request = 0;
    std::uint32_t journal = 0;
    std::uint64_t offset = 0;
  };
  std::vector<std::filesystem::path> paths_;
  std::vector<std::ifstream> files_;
  std::vector<Place> places_;
};

}  // namespace contra4::pipeline
