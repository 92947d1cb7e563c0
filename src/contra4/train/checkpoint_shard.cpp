#include "contra4/train/checkpoint_shard.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"
#include "contra4/io/safetensors_writer.h"
#include "contra4/io/shown_name.h"
#include "contra4/tensor/stored_type.h"
#include "contra4/train/tensor_bytes.h"

namespace contra4::train {

namespace {

constexpr std::string_view kFormat = "contra4 training shard 1";
constexpr std::string_view kHashes = "hashes";
constexpr std::size_t kHashBytes = sizeof(std::uint64_t);
// Units below are written whole by every process that has them whole: where there are few elements,
// the share of one process may be the whole unit.
constexpr std::int64_t kSmallUnit = 1 << 16;

struct PartRow {
  std::string_view name;
  at::Tensor UnitShard::*tensor;
};
constexpr std::array kParts = {
    PartRow{"master", &UnitShard::master},
    PartRow{"first_moment", &UnitShard::first_moment},
    PartRow{"second_moment", &UnitShard::second_moment},
};

std::string tensor_name(std::string_view unit, std::string_view part) {
  return fmt::format("{}/{}", unit, part);
}

std::string hash_of(std::string_view bytes) {
  const std::uint64_t hash = stable_hash64(bytes);
  std::string text(kHashBytes, '\0');
  std::memcpy(text.data(), &hash, kHashBytes);
  return text;
}

std::size_t hash_bytes(std::int64_t num_elements) {
  return static_cast<std::size_t>((num_elements + kPieceElements - 1) / kPieceElements) *
         kHashBytes;
}

// What of a shard this process writes.
SavedUnit saved_part(const UnitShard& shard, const ShardOrigin& origin) {
  const std::int64_t size =
      std::clamp<std::int64_t>(shard.num_elements - shard.begin, 0, shard.master.numel());
  SavedUnit part{.unit = shard.unit,
                 .num_elements = shard.num_elements,
                 .begin = std::min(shard.begin, shard.num_elements),
                 .size = size,
                 .parameters = shard.parameters};
  if (shard.begin == 0 && size == shard.num_elements && size >= kSmallUnit) {
    const std::int64_t end = size * (origin.rank + 1) / origin.num_ranks;
    part.begin = size * origin.rank / origin.num_ranks;
    part.size = end - part.begin;
  }
  return part;
}

void check(const UnitShard& shard) {
  CONTRA4_CHECK(!shard.unit.empty(), "a unit without a name");
  for (const PartRow& part : kParts) {
    const at::Tensor& tensor = shard.*part.tensor;
    CONTRA4_CHECK(tensor.dim() == 1 && tensor.numel() == shard.master.numel(),
                  "master and moments of one length");
  }
}

std::string content_of(const ShardOrigin& origin, const std::vector<SavedUnit>& units) {
  io::JsonWriter json;
  json.begin_object()
      .member("rank", origin.rank)
      .member("num_ranks", origin.num_ranks)
      .member("global_step", origin.global_step);
  json.key("units").begin_array();
  for (const SavedUnit& unit : units) {
    json.begin_object()
        .member("unit", unit.unit)
        .member("num_elements", unit.num_elements)
        .member("begin", unit.begin)
        .member("size", unit.size);
    json.key("parameters").begin_array();
    for (const auto& [name, count] : unit.parameters) {
      json.begin_array().value(name).value(count).end_array();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return json.take();
}

std::optional<std::int64_t> find_count(const io::JsonValue& value, std::string_view name) {
  const io::JsonValue* member = value.find(name);
  const auto count = member == nullptr ? std::nullopt : member->find_integer();
  return count && *count >= 0 ? count : std::nullopt;
}

std::optional<SavedUnit> parse_unit(const io::JsonValue& value) {
  const io::JsonValue* name = value.find("unit");
  const io::JsonValue* parameters = value.find("parameters");
  const auto num_elements = find_count(value, "num_elements");
  const auto begin = find_count(value, "begin");
  const auto size = find_count(value, "size");
  if (name == nullptr || name->find_string() == nullptr || parameters == nullptr ||
      parameters->find_array() == nullptr || !num_elements || !begin || !size ||
      *begin > *num_elements || *size > *num_elements - *begin) {
    return std::nullopt;
  }
  SavedUnit unit{.unit = *name->find_string(),
                 .num_elements = *num_elements,
                 .begin = *begin,
                 .size = *size,
                 .parameters = {}};
  for (const io::JsonValue& pair : *parameters->find_array()) {
    const io::JsonValue* parameter = pair.find_path(0);
    const io::JsonValue* count = pair.find_path(1);
    if (count == nullptr || parameter->find_string() == nullptr || !count->find_integer()) {
      return std::nullopt;
    }
    unit.parameters.emplace_back(*parameter->find_string(), *count->find_integer());
  }
  return unit;
}

}  // namespace

void write_shard(const std::filesystem::path& path, const ShardOrigin& origin,
                 const std::vector<UnitShard>& units) {
  std::vector<SavedUnit> parts;
  std::map<std::string, at::Tensor> tensors;
  std::vector<io::TensorPlan> plans;
  std::size_t num_hash_bytes = kHashBytes;  // of the content
  for (const UnitShard& shard : units) {
    check(shard);
    const SavedUnit& part = parts.emplace_back(saved_part(shard, origin));
    for (const PartRow& row : kParts) {
      const std::string name = tensor_name(shard.unit, row.name);
      const std::int64_t first = part.size == 0 ? 0 : part.begin - shard.begin;
      const at::Tensor tensor = (shard.*row.tensor).detach().narrow(0, first, part.size);
      const bool is_new = tensors.emplace(name, tensor).second;
      CONTRA4_CHECK(is_new, "two units of one name");
      plans.push_back({.name = name,
                       .type = tensor::stored_type_of(tensor.scalar_type()),
                       .shape = {part.size}});
      num_hash_bytes += hash_bytes(part.size);
    }
  }
  // Of one byte an element: the last of the file, when all that it is about is written.
  plans.push_back({.name = std::string(kHashes),
                   .type = io::TensorType::kU8,
                   .shape = {static_cast<std::int64_t>(num_hash_bytes)}});

  const std::string content = content_of(origin, parts);
  io::SafetensorsWriter file(path, std::move(plans),
                             {{"format", std::string(kFormat)}, {"content", content}});
  std::map<std::string, std::string> hashes;
  for (const io::TensorPlan& plan : file.tensors()) {
    if (plan.name == kHashes) continue;
    const at::Tensor& tensor = tensors.at(plan.name);
    std::string& of_tensor = hashes[plan.name];
    each_piece(tensor, tensor.scalar_type(), [&](std::string_view bytes) {
      of_tensor += hash_of(bytes);
      file.write(bytes);
    });
  }
  file.write(hash_of(content));
  for (const auto& [name, of_tensor] : hashes) file.write(of_tensor);
  file.commit();
}

ShardFile::ShardFile(const std::filesystem::path& path) : file_(path) {
  read_content();
  find_hashes();
}

void ShardFile::fail(std::string_view reason) const {
  throw Exception(ErrorCode::kDataLoss, fmt::format("{}: {}", file_.path().string(), reason));
}

void ShardFile::read_content() {
  for (const auto& [key, value] : file_.metadata()) {
    if (key == "format" && value != kFormat) {
      fail(fmt::format("is of format '{}', wanted '{}'", io::shown_name(value), kFormat));
    }
    if (key == "content") content_ = value;
  }
  if (content_.empty()) fail("is no part of a training's checkpoint");
  const auto json = io::parse_json(content_, file_.path().string());
  if (!json) throw Exception(json.error());
  const auto rank = find_count(*json, "rank");
  const auto num_ranks = find_count(*json, "num_ranks");
  const auto step = find_count(*json, "global_step");
  const io::JsonValue* units = json->find("units");
  if (!rank || !num_ranks || !step || units == nullptr || units->find_array() == nullptr) {
    fail("does not say what it holds");
  }
  origin_ = {.rank = static_cast<int>(*rank),
             .num_ranks = static_cast<int>(*num_ranks),
             .global_step = *step};
  for (const io::JsonValue& value : *units->find_array()) {
    auto unit = parse_unit(value);
    if (!unit) fail("does not say what it holds");
    units_.push_back(std::move(*unit));
  }
}

// Hands every tensor the hashes of its pieces, which lie one behind the other by name.
void ShardFile::find_hashes() {
  const io::TensorEntry* hashes = file_.find(kHashes);
  if (hashes == nullptr) fail("lacks tensor 'hashes'");
  std::string_view rest = file_.bytes(*hashes);
  const auto take = [&](std::size_t count) {
    if (count > rest.size()) fail("has hashes of fewer bytes than it has");
    const std::string_view taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  };
  if (take(kHashBytes) != hash_of(content_)) fail("is damaged: what it says of itself");
  for (const io::TensorEntry& entry : file_.tensors()) {
    if (entry.name == kHashes) continue;
    const auto num_elements = static_cast<std::int64_t>(entry.num_elements());
    tensors_.emplace_back(entry.name,
                          Stored{.entry = &entry, .hashes = take(hash_bytes(num_elements))});
  }
}

ShardFile::Stored ShardFile::find_tensor(const std::string& name, std::int64_t size) const {
  const auto at = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const auto& tensor, const std::string& wanted) { return tensor.first < wanted; });
  if (at == tensors_.end() || at->first != name) {
    fail(fmt::format("lacks tensor '{}'", io::shown_name(name)));
  }
  if (at->second.entry->shape != std::vector<std::int64_t>{size}) {
    fail(fmt::format("has tensor '{}' of another shape than [{}]", io::shown_name(name), size));
  }
  return at->second;
}

void ShardFile::copy(const SavedUnit& unit, UnitShard& into) const {
  check(into);
  for (const PartRow& row : kParts) {
    const Stored stored = find_tensor(tensor_name(unit.unit, row.name), unit.size);
    const at::Tensor& target = into.*row.tensor;
    if (stored.entry->type != tensor::stored_type_of(target.scalar_type())) {
      throw Exception(
          ErrorCode::kInvalidArgument,
          fmt::format("{}: tensor '{}' is of type {}, this training's is {}; take the precision "
                      "it began with",
                      file_.path().string(), io::shown_name(stored.entry->name),
                      io::to_string(stored.entry->type), c10::toString(target.scalar_type())));
    }
    copy_tensor(stored, unit, into, target);
  }
}

// Piece by piece of the file, because hashes are of whole ones.
void ShardFile::copy_tensor(const Stored& stored, const SavedUnit& unit, const UnitShard& into,
                            const at::Tensor& target) const {
  const c10::AutoGradMode no_gradients(false);
  const std::string_view bytes = file_.bytes(*stored.entry);
  const std::uint64_t width = io::bytes_per_element(stored.entry->type);
  // Of the tensor in the file.
  const std::int64_t first = std::max<std::int64_t>(into.begin - unit.begin, 0);
  const std::int64_t end = std::min(into.begin + target.numel() - unit.begin, unit.size);
  for (std::int64_t begin = first / kPieceElements * kPieceElements; begin < end;
       begin += kPieceElements) {
    const std::int64_t count = std::min(kPieceElements, unit.size - begin);
    const std::string_view piece = bytes.substr(static_cast<std::uint64_t>(begin) * width,
                                                static_cast<std::uint64_t>(count) * width);
    const auto place = static_cast<std::size_t>(begin / kPieceElements) * kHashBytes;
    if (hash_of(piece) != stored.hashes.substr(place, kHashBytes)) {
      fail(fmt::format("tensor '{}' is damaged: elements from {} on are not those that were saved",
                       io::shown_name(stored.entry->name), begin));
    }
    const at::Tensor read = at::empty({count}, at::TensorOptions(target.scalar_type()));
    std::memcpy(read.mutable_data_ptr(), piece.data(), piece.size());
    const std::int64_t from = std::max(begin, first);
    const std::int64_t to = std::min(begin + count, end);
    target.narrow(0, unit.begin + from - into.begin, to - from)
        .copy_(read.narrow(0, from - begin, to - from));
    file_.release(piece);
  }
}

}  // namespace contra4::train
