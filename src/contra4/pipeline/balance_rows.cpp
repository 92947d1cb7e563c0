#include "contra4/pipeline/balance_rows.h"

#include <algorithm>
#include <exception>
#include <memory_resource>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/task_threads.h"
#include "contra4/base/utf8.h"
#include "contra4/data/file_format.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_stream.h"
#include "contra4/data/json_scan.h"
#include "contra4/data/raw_row.h"
#include "contra4/data/record_reader.h"
#include "contra4/io/byte_source.h"
#include "contra4/pipeline/letter_rules.h"
#include "contra4/pipeline/model_rows.h"

namespace contra4::pipeline {

namespace fs = std::filesystem;

namespace {

// Large enough that handing a block over costs nothing, small enough to stay in a core's cache.
constexpr std::size_t kBlockBytes = 512U << 10;
// What is kept of the rows of a block beside its text, about.
constexpr std::size_t kKeptBytes = kBlockBytes / 4;

}  // namespace

// Records one behind the other and, once a thread has been through them, their rows.
struct BalanceRows::Block {
  struct Record {
    std::size_t begin = 0;  // in `text`
    std::size_t size = 0;
    std::uint64_t number = 0;  // of the row in its file
  };
  struct Unfit {
    std::string_view reason;
    std::string detail;
  };
  struct Read {
    BalanceRow* row = nullptr;  // in `kept`
    std::uint64_t number = 0;
    std::optional<Unfit> unfit;
  };

  std::size_t index = 0;  // among the blocks of the file
  std::string text;       // kRecordPadding bytes longer than its records
  std::vector<Record> records;
  std::vector<Read> reads;
  std::exception_ptr fault;  // of the row behind `reads`, or of the last of them
  std::pmr::monotonic_buffer_resource kept{kKeptBytes};

  BalanceRow& add_row(std::uint64_t number) {
    auto* const row = std::pmr::polymorphic_allocator<>(&kept).new_object<BalanceRow>();
    reads.push_back({.row = row, .number = number, .unfit = {}});
    return *row;
  }
  // Copies that live as long as the block.
  template <class T>
  std::span<const T> keep(std::span<const T> values) {
    if (values.empty()) return {};
    T* const copy = std::pmr::polymorphic_allocator<>(&kept).allocate_object<T>(values.size());
    std::uninitialized_copy(values.begin(), values.end(), copy);
    return {copy, values.size()};
  }
  std::string_view keep(std::string_view words) {
    const auto copy = keep(std::span<const char>(words));
    return {copy.data(), copy.size()};
  }
};

namespace {

using Block = BalanceRows::Block;

// Cutting a file into records keeps no more threads than these busy.
constexpr unsigned kMostThreads = 4;

// By number of scenes.
constexpr std::array<std::string_view, kMaxScenes + 1> kPublishedTypes = {"", "", "mc_2", "mc_3",
                                                                          "mc_4"};

Exception row_fault(const fs::path& path, std::uint64_t number, std::string_view id,
                    const Error& error) {
  return {error.code, data::describe_row(path.string(), number, id, error.message)};
}

std::size_t factorial(int n) {
  std::size_t product = 1;
  for (int i = 2; i <= n; ++i) product *= static_cast<std::size_t>(i);
  return product;
}

// Cuts a file into blocks of whole records.
class BlockReader {
 public:
  explicit BlockReader(const fs::path& path) : path_(path) {
    const data::ReadLimits limits;
    const bool is_list = data::find_file_format(path_) == data::FileFormat::kJson;
    records_ = data::read_records(
        io::open_bytes(path_, {.max_decompressed_bytes = limits.max_decompressed_bytes,
                               .max_compression_ratio = limits.max_compression_ratio}),
        is_list ? data::RecordFormat::kList : data::RecordFormat::kLines, limits.max_row_bytes);
  }

  // Empty at the end. What ends the file early is the fault of its last block: rows before it may
  // have faults of their own, which come first.
  std::unique_ptr<Block> next() {
    auto block = std::make_unique<Block>();
    block->index = num_blocks_++;
    block->text.reserve(kBlockBytes + kBlockBytes / 8);
    while (!is_done_ && block->text.size() < kBlockBytes) add_record(*block);
    if (block->records.empty() && !block->fault) return nullptr;
    block->text.append(data::kRecordPadding, '\0');
    return block;
  }

 private:
  void add_record(Block& block) {
    const auto record = records_->next();
    if (!record || !*record) {
      is_done_ = true;
      if (record) {
        block.fault =
            std::make_exception_ptr(row_fault(path_, records_->row(), {}, record->error()));
      }
      return;
    }
    const std::size_t begin = block.text.size();
    if ((*record)->find('\n') == std::string_view::npos) {
      block.text += **record;
    } else {
      block.text += data::on_one_line(**record);
    }
    block.records.push_back({begin, block.text.size() - begin, records_->row()});
  }

  const fs::path& path_;
  std::unique_ptr<data::RecordReader> records_;
  std::size_t num_blocks_ = 0;
  bool is_done_ = false;
};

// Reads the records of one block, up to the first that has a fault.
class RowReader {
 public:
  RowReader(const fs::path& path, bool compat, Block& block)
      : path_(path), compat_(compat), block_(block) {}

  void read_all() {
    block_.reads.reserve(block_.records.size());
    try {
      for (const Block::Record& record : block_.records) read(record);
    } catch (const Exception&) {
      block_.fault = std::current_exception();
    }
  }

 private:
  [[noreturn]] void fail(const Error& error) const { throw row_fault(path_, number_, id_, error); }
  [[noreturn]] void fail(std::string message) const {
    fail(Error{ErrorCode::kInvalidArgument, std::move(message)});
  }
  template <class T>
  T require(Result<T> result) const {
    if (!result) fail(result.error());
    return std::move(*result);
  }
  void read(const Block::Record& record);
  std::optional<Block::Unfit> read_row(BalanceRow& row);
  bool read_scenes(BalanceRow& row);
  bool read_answer_of(BalanceRow& row);
  void find_lists(BalanceRow& row) const;
  void find_replies(BalanceRow& row);
  void require_distinct_members() const;

  const fs::path& path_;
  const bool compat_;
  Block& block_;
  data::RawRow parsed_;
  std::vector<scoring::SceneView> scenes_;  // of the row at hand
  std::uint64_t number_ = 0;                // of it
  std::string_view id_;                     // of it, once it is known
};

void RowReader::read(const Block::Record& record) {
  number_ = record.number;
  id_ = {};
  const std::string_view text = std::string_view(block_.text).substr(record.begin, record.size);
  if (const auto parsed = parsed_.parse(text); !parsed) fail(parsed.error());
  id_ = block_.keep(require(parsed_.id()).text);
  // At hand before the rest is read: that an id is repeated is said first.
  BalanceRow& row = block_.add_row(number_);
  row.text = text;
  row.id = id_;
  block_.reads.back().unfit = read_row(row);
}

// Why it cannot be balanced; empty when it can.
std::optional<Block::Unfit> RowReader::read_row(BalanceRow& row) {
  if (!read_scenes(row)) return Block::Unfit{"number of scenes", "two to four are balanced"};
  if (!read_answer_of(row)) {
    return Block::Unfit{"no answer", "the answer names none of the scenes"};
  }
  if (compat_) {
    const auto q_type = require(parsed_.string("q_type"));
    if (q_type != kPublishedTypes[static_cast<std::size_t>(row.num_scenes)]) {
      return Block::Unfit{"q_type", fmt::format("{} with {} scenes", q_type, row.num_scenes)};
    }
    row.is_similarity = require(parsed_.string("selection_type")) == "similarity";
    find_lists(row);
  } else {
    require_distinct_members();
    row.modalities = parsed_.raw("modalities");
    row.examples = parsed_.raw("examples");
    row.answers_list = parsed_.raw("answers");
    row.formatted = parsed_.raw("answers_formatted");
    find_replies(row);
  }
  return std::nullopt;
}

// A walk over the text no farther than needed: the replies, which are much of it, come last.
void RowReader::find_lists(BalanceRow& row) const {
  data::JsonSlices slices(row.text);
  for (const std::string_view member : parsed_.members()) {
    const std::string_view value = slices.next();
    std::string_view* const list = member == "modalities" ? &row.modalities
                                   : member == "examples" ? &row.examples
                                   : member == "answers"  ? &row.answers_list
                                                          : nullptr;
    if (list == nullptr || !list->empty()) continue;
    *list = value;
    if (!row.modalities.empty() && !row.examples.empty() && !row.answers_list.empty()) return;
  }
}

// False when it has too few or too many.
bool RowReader::read_scenes(BalanceRow& row) {
  const auto modalities = require(parsed_.strings("modalities", data::RawRow::Nulls::kRefused));
  const auto captions = require(parsed_.shown_captions());
  if (captions.size() != modalities.size()) {
    fail(fmt::format("{} modalities for {} scenes", modalities.size(), captions.size()));
  }
  if (captions.size() < kMinScenes || captions.size() > kMaxScenes) return false;
  row.num_scenes = static_cast<int>(captions.size());
  scenes_.clear();
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const auto modality = parse_modality(*modalities[i]);
    if (!modality) {
      fail(fmt::format("unknown modality '{:.40}'; audio, pc, image or video is needed",
                       *modalities[i]));
    }
    row.scene_modalities[i] = *modality;
    row.caption_lengths[i] = static_cast<std::uint32_t>(num_characters(captions[i]));
    scenes_.push_back({*modality, captions[i]});
  }
  return true;
}

// False when its answer names none of its scenes.
bool RowReader::read_answer_of(BalanceRow& row) {
  std::vector<std::string_view> answers;
  std::optional<int> place;
  for (const auto& answer : require(parsed_.strings("answers", data::RawRow::Nulls::kRefused))) {
    if (!compat_) {
      answers.push_back(block_.keep(*answer));
    } else if (const auto letter = formatted_answer(*answer, LetterRule::kBalance);
               !letter.empty()) {
      answers.push_back(block_.keep(letter));
    }
  }
  row.answers = block_.keep(std::span<const std::string_view>(answers));
  if (compat_) {
    if (!answers.empty()) place = parse_gold_answer(answers.front());
  } else {
    // What the filter read, so that both speak of the same scene.
    if (parsed_.has("answers_formatted")) {
      const auto formatted = parsed_.strings("answers_formatted", data::RawRow::Nulls::kAllowed);
      if (formatted && !formatted->empty() && formatted->front()) {
        place = parse_gold_answer(*formatted->front());
      }
    }
    if (!place && !answers.empty()) {
      place = read_answer(answers.front(), ReplyRule::kChoice, scenes_);
    }
  }
  if (!place || *place >= row.num_scenes) return false;
  row.answer = *place;
  row.place = *place;
  return true;
}

void RowReader::find_replies(BalanceRow& row) {
  const std::size_t num_orders = factorial(row.num_scenes);
  std::vector<std::string_view> replies;
  for (const std::string_view member : parsed_.members()) {
    if (!member.starts_with("answer_")) continue;
    if (parsed_.raw_elements(member).size() == num_orders) replies.push_back(parsed_.raw(member));
  }
  row.replies = block_.keep(std::span<const std::string_view>(replies));
}

// Which of two would be moved, and which be believed by who reads the row, is anybody's guess.
void RowReader::require_distinct_members() const {
  auto members = parsed_.members();
  std::sort(members.begin(), members.end());
  const auto twice = std::adjacent_find(members.begin(), members.end());
  if (twice != members.end()) fail(fmt::format("there are two '{:.40}'", *twice));
}

int num_threads() {
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads));
}

}  // namespace

ModalityChoice BalanceRow::choice() const {
  const auto modality_of = [&](int scene) {
    return scene_modalities[static_cast<std::size_t>(scene)];
  };
  ModalityChoice choice{.num_scenes = static_cast<std::uint8_t>(num_scenes),
                        .right = modality_of(answer)};
  for (int scene = 0; scene < num_scenes; ++scene) {
    choice.present |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(modality_of(scene)));
  }
  return choice;
}

BalanceRows::BalanceRows(fs::path path, bool compat) : path_(std::move(path)), compat_(compat) {}
BalanceRows::~BalanceRows() = default;

bool BalanceRows::load(Stage& stage, const std::stop_token& stop) {
  using Task = std::unique_ptr<Block>;
  BlockReader file(path_);
  TaskThreads<Task, Task> threads(num_threads(), [this](Task block) {
    RowReader(path_, compat_, *block).read_all();
    return block;
  });
  while (auto block = file.next()) {
    if (stop.stop_requested()) return false;
    threads.push(std::move(block));
    while (auto read = threads.try_pop()) take(std::move(*read), stage);
  }
  while (auto read = threads.wait_pop(stop)) take(std::move(*read), stage);
  return !stop.stop_requested();
}

// Blocks come in the order in which they are ready.
void BalanceRows::take(std::unique_ptr<Block> block, Stage& stage) {
  const std::size_t index = block->index;
  early_.emplace(index, std::move(block));
  while (!early_.empty() && early_.begin()->first == blocks_.size()) {
    take_next(std::move(early_.extract(early_.begin()).mapped()), stage);
  }
}

void BalanceRows::take_next(std::unique_ptr<Block> block, Stage& stage) {
  for (const Block::Read& read : block->reads) {
    if (const auto before = ids_.insert(read.row->id, read.number)) {
      throw row_fault(
          path_, read.number, read.row->id,
          {ErrorCode::kInvalidArgument, fmt::format("the id occurred before, in row {}", *before)});
    }
    ++num_read_;
    if (read.unfit) {
      stage.drop(read.row->id, read.unfit->reason, read.unfit->detail);
    } else {
      rows_.push_back(read.row);
    }
  }
  if (block->fault) std::rethrow_exception(block->fault);
  block->reads = {};
  block->records = {};
  blocks_.push_back(std::move(block));
}

}  // namespace contra4::pipeline
