// The part of a checkpoint that one process writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "contra4/io/safetensors.h"

namespace contra4::train {

// What one process keeps of one unit.
struct UnitShard {
  std::string unit;               // its name; "root" for the root
  std::int64_t num_elements = 0;  // of the whole unit
  std::int64_t begin = 0;         // first element of the shard
  at::Tensor master;              // [n] flat; any device
  at::Tensor first_moment;        // [n]
  at::Tensor second_moment;       // [n]
  // Name and number of elements of each parameter, in the order of the flat buffer: what must
  // agree.
  std::vector<std::pair<std::string, std::int64_t>> parameters;
};

struct ShardOrigin {
  int rank = 0;
  int num_ranks = 1;
  std::int64_t global_step = 0;
};

// A unit as a file has it: elements [begin, begin + size) of num_elements.
struct SavedUnit {
  std::string unit;
  std::int64_t num_elements = 0;
  std::int64_t begin = 0;
  std::int64_t size = 0;
  std::vector<std::pair<std::string, std::int64_t>> parameters;
};

// A safetensors file: UNIT/master, UNIT/first_moment and UNIT/second_moment of every unit, the
// content (origin and units) as metadata, and a hash of it and of every piece of every tensor, so
// that a single wrong bit is found, also when only a part is read. Written aside and renamed.
// Elements beyond num_elements are left out; of a unit that this process holds whole although there
// are several, it writes its share: so do the others. Throws as SafetensorsWriter.
void write_shard(const std::filesystem::path& path, const ShardOrigin& origin,
                 const std::vector<UnitShard>& units);

class ShardFile {
 public:
  // Throws kNotFound, kDataLoss naming the file.
  explicit ShardFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const ShardOrigin& origin() const { return origin_; }
  const std::vector<SavedUnit>& units() const { return units_; }

  // Copies what both have into master and moments of `into`. Throws kDataLoss naming file and
  // tensor where bytes are not those that were written, kInvalidArgument where the types differ.
  void copy(const SavedUnit& unit, UnitShard& into) const;

 private:
  struct Stored {
    const io::TensorEntry* entry = nullptr;
    std::string_view hashes;  // of its pieces
  };
  void read_content();
  void find_hashes();
  Stored find_tensor(const std::string& name, std::int64_t size) const;
  void copy_tensor(const Stored& stored, const SavedUnit& unit, const UnitShard& into,
                   const at::Tensor& target) const;
  [[noreturn]] void fail(std::string_view reason) const;

  io::SafetensorsFile file_;
  std::string_view content_;  // in file_
  ShardOrigin origin_;
  std::vector<SavedUnit> units_;
  std::string_view hashes_;
  std::vector<std::pair<std::string, Stored>> tensors_;  // by name
};

}  // namespace contra4::train
