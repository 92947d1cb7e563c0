#include "contra4/train/final_model.h"

#include <algorithm>
#include <array>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/io/file.h"
#include "contra4/tensor/stored_type.h"
#include "contra4/train/tensor_bytes.h"

namespace contra4::train {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTorchName = "consolidated.00-of-01.pth";
constexpr const char* kSafetensorsName = "model.safetensors";
// What io::open_tensor_files() looks for before it comes to consolidated.*.pth.
constexpr std::array kPreferredNames = {kSafetensorsName, "model.safetensors.index.json",
                                        "pytorch_model.bin.index.json", "pytorch_model.bin"};

bool is_same_place(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::weakly_canonical(a, error) == fs::weakly_canonical(b, error);
}

bool is_floating_point(io::TensorType type) {
  switch (type) {
    case io::TensorType::kF8E4M3:
    case io::TensorType::kF8E5M2:
    case io::TensorType::kF16:
    case io::TensorType::kBF16:
    case io::TensorType::kF32:
    case io::TensorType::kF64:
      return true;
    default:
      return false;
  }
}

void copy_beside(const fs::path& from, const fs::path& to) {
  if (from.empty() || is_same_place(from, to)) return;
  io::write_file_atomically(to, io::read_file(from));
}

[[noreturn]] void refuse(const fs::path& file) {
  throw Exception(ErrorCode::kInvalidArgument,
                  fmt::format("{}: weights that would be read instead of those of the trained "
                              "model, or together with them; move them away, or name another "
                              "folder",
                              file.string()));
}

}  // namespace

std::vector<fs::path> model_files(const FinalModelOptions& options) {
  std::vector<fs::path> files;
  if (options.writes_torch_file) files.push_back(options.folder / kTorchName);
  if (options.writes_safetensors) files.push_back(options.folder / kSafetensorsName);
  return files;
}

void check_model_folder(const FinalModelOptions& options, const fs::path& source) {
  std::error_code error;
  const fs::path home =
      fs::is_directory(source, error) ? source : fs::absolute(source).parent_path();
  if (is_same_place(home, options.folder)) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: the checkpoint that is trained lies there; the model would "
                                "take its place. Name another folder",
                                options.folder.string()));
  }
  if (!options.writes_safetensors) {
    for (const char* name : kPreferredNames) {
      if (fs::exists(options.folder / name)) refuse(options.folder / name);
    }
  }
  if (!options.writes_torch_file) return;
  for (fs::directory_iterator entry(options.folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("consolidated.") && name.ends_with(".pth") && name != kTorchName) {
      refuse(entry->path());
    }
  }
}

FinalModelWriter::FinalModelWriter(const tensor::Checkpoint& source,
                                   std::vector<std::string> changed, FinalModelOptions options)
    : source_(source), options_(std::move(options)), changed_(std::move(changed)) {
  const std::uint64_t width = io::bytes_per_element(tensor::stored_type_of(options_.type));
  const std::set<std::string> is_changed(changed_.begin(), changed_.end());
  CONTRA4_CHECK(is_changed.size() == changed_.size(), "a tensor that changes twice");
  // Types of more bytes come first in a file whose elements are aligned.
  std::vector<std::string> earlier;
  std::vector<std::string> narrower;
  for (const std::string& name : source_.names()) {
    if (is_changed.contains(name)) continue;
    const std::uint64_t own = io::bytes_per_element(type_of(*source_.find_entry(name)));
    (own > width ? earlier : own == width ? later_ : narrower).push_back(name);
  }
  later_.insert(later_.end(), narrower.begin(), narrower.end());

  std::vector<io::TensorPlan> plans;
  for (const auto* names :
       {&std::as_const(earlier), &std::as_const(changed_), &std::as_const(later_)}) {
    for (const std::string& name : *names) {
      const io::TensorEntry* entry = source_.find_entry(name);
      CONTRA4_CHECK(entry != nullptr, "a changed tensor that the source lacks");
      CONTRA4_CHECK(names != &changed_ || is_floating_point(entry->type), "a changed integer");
      plans.push_back({.name = name, .type = type_of(*entry), .shape = entry->shape});
    }
  }
  copy_beside(options_.config, options_.folder / "params.json");
  copy_beside(options_.tokenizer, options_.folder / "tokenizer.model");
  if (options_.writes_torch_file) torch_file_.emplace(options_.folder / kTorchName, plans);
  if (options_.writes_safetensors) {
    safetensors_.emplace(options_.folder / kSafetensorsName, std::move(plans),
                         std::vector<std::pair<std::string, std::string>>{{"format", "pt"}},
                         io::TensorOrder::kAsGiven);
  }
  copy(earlier);
}

io::TensorType FinalModelWriter::type_of(const io::TensorEntry& stored) const {
  return is_floating_point(stored.type) ? tensor::stored_type_of(options_.type) : stored.type;
}

void FinalModelWriter::write(const at::Tensor& tensor, at::ScalarType type) {
  each_piece(tensor, type, [this](std::string_view bytes) {
    if (torch_file_) torch_file_->write(bytes);
    if (safetensors_) safetensors_->write(bytes);
  });
}

void FinalModelWriter::copy(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    write(*source_.find(name), tensor::scalar_type_of(type_of(*source_.find_entry(name))));
    source_.release(name);
  }
}

void FinalModelWriter::add(std::string_view name, const at::Tensor& tensor) {
  CONTRA4_CHECK(num_added_ < changed_.size() && changed_[num_added_] == name,
                fmt::format("'{}' out of turn", name));
  CONTRA4_CHECK(tensor.sizes() == at::IntArrayRef(source_.find_entry(name)->shape),
                fmt::format("'{}' of another shape", name));
  write(tensor, options_.type);
  ++num_added_;
}

void FinalModelWriter::commit() {
  CONTRA4_CHECK(num_added_ == changed_.size(), "tensors that were not added");
  copy(later_);
  if (torch_file_) torch_file_->commit();
  if (safetensors_) safetensors_->commit();
}

}  // namespace contra4::train
