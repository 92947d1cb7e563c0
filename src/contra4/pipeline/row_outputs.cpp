#include "contra4/pipeline/row_outputs.h"

#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "contra4/base/error.h"
#include "contra4/data/file_format.h"
#include "contra4/io/byte_sink.h"
#include "contra4/pipeline/bounded_queue.h"

namespace contra4::pipeline {

namespace {

constexpr std::size_t kMaxBlocksWaiting = 4;
constexpr std::size_t kMaxOutputs = 64;

class Output {
 public:
  Output(const std::filesystem::path& path, io::Durability durability)
      : is_list_(data::find_file_format(path) == data::FileFormat::kJson) {
    if (path.extension() == ".gz") {
      zipped_ = io::create_bytes(path);
    } else {
      plain_.emplace(path, durability);
    }
  }

  void write_row(std::string_view row) {
    if (is_list_) put(is_first_ ? "[\n" : ",\n");
    is_first_ = false;
    put(row);
    if (!is_list_) put("\n");
  }
  void commit() {
    if (is_list_) put(is_first_ ? "[]\n" : "\n]\n");
    if (zipped_) {
      zipped_->commit();
    } else {
      plain_->commit();
    }
  }

 private:
  void put(std::string_view bytes) {
    if (zipped_) {
      zipped_->write(bytes);
    } else {
      plain_->write(bytes);
    }
  }
  bool is_list_;
  bool is_first_ = true;
  std::unique_ptr<io::ByteSink> zipped_;
  std::optional<io::BulkFile> plain_;
};

}  // namespace

struct RowOutputs::State {
  std::vector<std::unique_ptr<Output>> outputs;
  BoundedQueue<RowBlock> blocks{kMaxBlocksWaiting};
  std::exception_ptr failure;  // written by the writer before it closes the queue
  std::thread writer;

  void write_blocks() {
    try {
      while (const auto block = blocks.pop()) {
        for (std::size_t i = 0; i < outputs.size(); ++i) {
          for (const RowBlock::Row& row : block->rows) {
            if ((row.outputs >> i & 1) == 0) continue;
            outputs[i]->write_row(std::string_view(block->text).substr(row.begin, row.size));
          }
        }
      }
    } catch (...) {
      failure = std::current_exception();
      blocks.close();
    }
  }
  void finish() {
    blocks.close();
    if (writer.joinable()) writer.join();
  }
  void rethrow() {
    if (failure) std::rethrow_exception(failure);
  }
};

RowOutputs::RowOutputs(const std::vector<std::filesystem::path>& paths, io::Durability durability)
    : state_(std::make_unique<State>()) {
  CONTRA4_CHECK(paths.size() <= kMaxOutputs, "too many files at once");
  for (const auto& path : paths) {
    state_->outputs.push_back(std::make_unique<Output>(path, durability));
  }
  state_->writer = std::thread([state = state_.get()] { state->write_blocks(); });
}

RowOutputs::~RowOutputs() {
  state_->finish();
}

void RowOutputs::write(RowBlock block) {
  if (state_->blocks.push(std::move(block))) return;
  state_->finish();
  state_->rethrow();
  CONTRA4_CHECK(false, "write after commit");
}

void RowOutputs::commit() {
  state_->finish();
  state_->rethrow();
  for (const auto& output : state_->outputs) output->commit();
}

}  // namespace contra4::pipeline
