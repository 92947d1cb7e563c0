// The rows that `contra4 balance` moves: cut out of their file by one thread, read by others, kept
// in memory with their texts until it is known where each right scene goes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "contra4/data/fingerprint_set.h"
#include "contra4/data/item.h"
#include "contra4/pipeline/modality_evenness.h"
#include "contra4/pipeline/stage.h"

namespace contra4::pipeline {

// All that it refers to lives as long as the BalanceRows that it is one of.
struct BalanceRow {
  std::string_view text;  // on one line
  std::string_view id;
  int num_scenes = 0;
  int answer = 0;  // the right scene
  int place = 0;   // where it goes: at first, where it is
  bool is_similarity = false;
  // By scene, what blind rules go by.
  std::array<Modality, kMaxScenes> scene_modalities{};
  std::array<std::uint32_t, kMaxScenes> caption_lengths{};  // in Unicode characters
  std::span<const std::string_view> answers;                // what they say

  // Members as they stand in `text`.
  std::string_view modalities;
  std::string_view examples;
  std::string_view answers_list;
  std::string_view formatted;                 // `answers_formatted`; empty: there is none
  std::span<const std::string_view> replies;  // lists with an entry for each order

  ModalityChoice choice() const;
};

class BalanceRows {
 public:
  // `compat`: answers are read and kept as the published script does, and replies are not looked
  // for.
  BalanceRows(std::filesystem::path path, bool compat);
  ~BalanceRows();
  BalanceRows(const BalanceRows&) = delete;
  BalanceRows& operator=(const BalanceRows&) = delete;

  // Once. Rows that cannot be balanced are dropped with their reason. False after a stop. Throws
  // for the first row of the file that cannot be read (kInvalidArgument, kDataLoss, naming file,
  // row and id), and as io::open_bytes.
  bool load(Stage& stage, const std::stop_token& stop);

  // Those that can be balanced, in the sequence of the file.
  const std::vector<BalanceRow*>& rows() const { return rows_; }
  std::int64_t num_read() const { return num_read_; }

  struct Block;  // of the file

 private:
  void take(std::unique_ptr<Block> block, Stage& stage);
  void take_next(std::unique_ptr<Block> block, Stage& stage);

  std::filesystem::path path_;
  bool compat_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::map<std::size_t, std::unique_ptr<Block>> early_;  // read before the one that comes next
  std::vector<BalanceRow*> rows_;                        // of blocks_
  data::FingerprintSet ids_;
  std::int64_t num_read_ = 0;
};

}  // namespace contra4::pipeline
