#include "contra4/io/torch_file_writer.h"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/io/shown_name.h"
#include "contra4/io/torch_tensors.h"

namespace contra4::io {

namespace {

static_assert(std::endian::native == std::endian::little, "the file says little");

// The folder of all members. PyTorch takes the name of the file; no reader looks at it.
constexpr std::string_view kFolder = "archive";
constexpr std::size_t kItemsAtOnce = 1000;  // that a dictionary takes, as Python's pickler does

// A pickle of protocol 2, the one that torch.load expects. What comes again is remembered under a
// number ("memo").
class PickleWriter {
 public:
  PickleWriter() : out_("\x80\x02") {}

  void begin_dictionary() {
    global("collections", "OrderedDict");
    out_ += ")R";  // EMPTY_TUPLE, REDUCE
  }
  void mark() { out_ += '('; }
  void end_tuple() { out_ += 't'; }
  void set_items() { out_ += 'u'; }
  void call() { out_ += 'R'; }
  void persistent() { out_ += 'Q'; }
  void no() { out_ += '\x89'; }

  void text(std::string_view value) {
    out_ += 'X';
    little_endian(value.size(), 4);
    out_ += value;
  }
  // The same, for what comes often.
  void common_text(std::string_view value) {
    remembered(std::string(value), [&] { text(value); });
  }
  void global(std::string_view module, std::string_view name) {
    const std::string line = fmt::format("c{}\n{}\n", module, name);
    remembered(line, [&] { out_ += line; });
  }

  void integer(std::uint64_t value) {
    if (value < 1U << 8) {
      out_ += 'K';
      little_endian(value, 1);
    } else if (value < 1U << 16) {
      out_ += 'M';
      little_endian(value, 2);
    } else if (value < 1U << 31) {
      out_ += 'J';
      little_endian(value, 4);
    } else {
      // Two's complement, with a byte for the sign.
      const int num_bytes = (static_cast<int>(std::bit_width(value)) + 8) / 8;
      out_ += '\x8a';
      little_endian(static_cast<std::uint64_t>(num_bytes), 1);
      little_endian(value, std::min(num_bytes, 8));
      if (num_bytes > 8) out_ += '\0';
    }
  }
  void sizes(const std::vector<std::int64_t>& values) {
    if (values.empty()) {
      out_ += ')';
      return;
    }
    if (values.size() > 3) mark();
    for (const std::int64_t value : values) integer(static_cast<std::uint64_t>(value));
    constexpr std::string_view kTuples = "\x85\x86\x87";  // of one, two and three
    out_ += values.size() > 3 ? 't' : kTuples[values.size() - 1];
  }

  std::string take() {
    out_ += '.';
    return std::move(out_);
  }

 private:
  void little_endian(std::uint64_t value, int num_bytes) {
    for (int i = 0; i < num_bytes; ++i) out_ += static_cast<char>((value >> (8 * i)) & 0xFFU);
  }
  // Some twenty things: their numbers need one byte.
  template <class Write>
  void remembered(const std::string& what, Write write) {
    const auto [known, is_new] = memo_.try_emplace(what, memo_.size());
    if (is_new) write();
    out_ += is_new ? 'q' : 'h';
    little_endian(known->second, 1);
  }

  std::string out_;
  std::map<std::string, std::size_t> memo_;
};

std::vector<std::int64_t> row_major_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) {
    // Empty dimensions count as one, as PyTorch does.
    strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

// _rebuild_tensor_v2(storage, first element, size, strides, wants gradients, hooks).
void pickle_tensor(PickleWriter& pickle, const TensorPlan& tensor, std::size_t place) {
  pickle.global("torch._utils", "_rebuild_tensor_v2");
  pickle.mark();
  pickle.mark();
  pickle.common_text("storage");
  pickle.global("torch", *find_storage_class(tensor.type));
  pickle.text(std::to_string(place));
  pickle.common_text("cpu");
  pickle.integer(tensor.num_bytes / bytes_per_element(tensor.type));
  pickle.end_tuple();
  pickle.persistent();
  pickle.integer(0);
  pickle.sizes(tensor.shape);
  pickle.sizes(row_major_strides(tensor.shape));
  pickle.no();
  pickle.begin_dictionary();
  pickle.end_tuple();
  pickle.call();
}

std::string pickle_dictionary(std::span<const TensorPlan> tensors) {
  PickleWriter pickle;
  pickle.begin_dictionary();
  for (std::size_t first = 0; first < tensors.size(); first += kItemsAtOnce) {
    pickle.mark();
    const std::size_t end = std::min(tensors.size(), first + kItemsAtOnce);
    for (std::size_t i = first; i < end; ++i) {
      pickle.text(tensors[i].name);
      pickle_tensor(pickle, tensors[i], i);
    }
    pickle.set_items();
  }
  return pickle.take();
}

void check(const std::filesystem::path& path, std::span<const TensorPlan> tensors) {
  std::set<std::string_view> names;
  for (const TensorPlan& tensor : tensors) {
    const auto fail = [&](ErrorCode code, std::string_view reason) {
      throw Exception(
          code, fmt::format("{}: tensor '{}' {}", path.string(), shown_name(tensor.name), reason));
    };
    if (tensor.name.empty()) fail(ErrorCode::kInvalidArgument, "has no name");
    if (!is_text(tensor.name)) fail(ErrorCode::kInvalidArgument, "has a name that is no UTF-8");
    if (!names.insert(tensor.name).second) fail(ErrorCode::kInvalidArgument, "is there twice");
    if (!find_storage_class(tensor.type)) {
      fail(ErrorCode::kUnimplemented,
           fmt::format("is of type {}, which PyTorch's files have no storage for; write "
                       "safetensors",
                       to_string(tensor.type)));
    }
  }
}

}  // namespace

struct TorchFileWriter::State {
  State(const std::filesystem::path& path, std::vector<TensorPlan> plan, std::uint64_t zip64_from)
      : tensors(std::move(plan)), num_bytes(set_num_bytes(tensors)), zip(path, zip64_from) {}

  // Opens the next storage that has bytes; those without have all of them at once.
  void begin_storages() {
    while (num_begun < tensors.size() && num_missing == 0) {
      num_missing = tensors[num_begun].num_bytes;
      zip.begin_member(fmt::format("{}/data/{}", kFolder, num_begun), num_missing);
      ++num_begun;
    }
  }

  std::vector<TensorPlan> tensors;
  std::uint64_t num_bytes = 0;
  ZipWriter zip;
  std::size_t num_begun = 0;      // storages
  std::uint64_t num_missing = 0;  // bytes of the last one
};

TorchFileWriter::TorchFileWriter(const std::filesystem::path& path, std::vector<TensorPlan> tensors,
                                 std::uint64_t zip64_from) {
  check(path, tensors);
  state_ = std::make_unique<State>(checkpoint_target(path), std::move(tensors), zip64_from);
  state_->zip.add_member(fmt::format("{}/data.pkl", kFolder), pickle_dictionary(state_->tensors));
  state_->zip.add_member(fmt::format("{}/byteorder", kFolder), "little");
  state_->begin_storages();
}

TorchFileWriter::~TorchFileWriter() = default;

std::span<const TensorPlan> TorchFileWriter::tensors() const {
  return state_->tensors;
}

std::uint64_t TorchFileWriter::num_bytes() const {
  return state_->num_bytes;
}

void TorchFileWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    CONTRA4_CHECK(state_->num_missing > 0, "more bytes than the tensors have");
    const auto piece = bytes.substr(0, state_->num_missing);
    state_->zip.write(piece);
    state_->num_missing -= piece.size();
    bytes.remove_prefix(piece.size());
    state_->begin_storages();
  }
}

void TorchFileWriter::commit() {
  CONTRA4_CHECK(state_->num_missing == 0, "fewer bytes than the tensors have");
  state_->zip.add_member(fmt::format("{}/version", kFolder), "3\n");
  state_->zip.commit();
}

}  // namespace contra4::io
