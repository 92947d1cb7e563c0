#include "contra4/io/torch_tensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/io/shown_name.h"

namespace contra4::io {

namespace {

constexpr std::size_t kMaxDimensions = 64;
constexpr int kMaxWrappers = 4;  // a parameter of a subclass has two
// A tensor whose strides give the same bytes many times (expand() makes those) needs no file of
// its size; beyond so many bytes it is refused.
constexpr std::uint64_t kMaxRepeatedBytes = 1ULL << 30;

// How the functions that rebuild tensors are called.
enum class Rebuild {
  kTensor,     // (storage, first element, size, stride, ...)
  kTyped,      // the same, with the dtype as the seventh
  kParameter,  // (tensor, ...)
  kSubclass,   // (function, class, its arguments, state)
};

struct RebuildRow {
  std::string_view module;
  std::string_view function;
  Rebuild rebuild;
};

constexpr std::array kRebuilds = {
    RebuildRow{"torch._utils", "_rebuild_tensor", Rebuild::kTensor},
    RebuildRow{"torch._utils", "_rebuild_tensor_v2", Rebuild::kTensor},
    RebuildRow{"torch._utils", "_rebuild_tensor_v3", Rebuild::kTyped},
    RebuildRow{"torch._utils", "_rebuild_parameter", Rebuild::kParameter},
    RebuildRow{"torch._utils", "_rebuild_parameter_with_state", Rebuild::kParameter},
    RebuildRow{"torch._tensor", "_rebuild_from_type_v2", Rebuild::kSubclass},
};

struct TypeRow {
  std::string_view name;
  TensorType type;
};

constexpr std::array kStorages = {
    TypeRow{"FloatStorage", TensorType::kF32},        TypeRow{"HalfStorage", TensorType::kF16},
    TypeRow{"BFloat16Storage", TensorType::kBF16},    TypeRow{"DoubleStorage", TensorType::kF64},
    TypeRow{"LongStorage", TensorType::kI64},         TypeRow{"IntStorage", TensorType::kI32},
    TypeRow{"ShortStorage", TensorType::kI16},        TypeRow{"CharStorage", TensorType::kI8},
    TypeRow{"ByteStorage", TensorType::kU8},          TypeRow{"BoolStorage", TensorType::kBool},
    TypeRow{"ComplexFloatStorage", TensorType::kC64},
};

constexpr std::array kDtypes = {
    TypeRow{"float32", TensorType::kF32},   TypeRow{"float16", TensorType::kF16},
    TypeRow{"bfloat16", TensorType::kBF16}, TypeRow{"float64", TensorType::kF64},
    TypeRow{"int64", TensorType::kI64},     TypeRow{"int32", TensorType::kI32},
    TypeRow{"int16", TensorType::kI16},     TypeRow{"int8", TensorType::kI8},
    TypeRow{"uint64", TensorType::kU64},    TypeRow{"uint32", TensorType::kU32},
    TypeRow{"uint16", TensorType::kU16},    TypeRow{"uint8", TensorType::kU8},
    TypeRow{"bool", TensorType::kBool},     TypeRow{"float8_e4m3fn", TensorType::kF8E4M3},
    TypeRow{"complex64", TensorType::kC64}, TypeRow{"float8_e5m2", TensorType::kF8E5M2},
};

std::optional<TensorType> find_type(std::span<const TypeRow> rows, std::string_view name) {
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const TypeRow& candidate) { return candidate.name == name; });
  if (row == rows.end()) return std::nullopt;
  return row->type;
}

const RebuildRow* find_rebuild(const PickleValue& function) {
  if (function.kind != PickleKind::kGlobal) return nullptr;
  const auto* row = std::find_if(kRebuilds.begin(), kRebuilds.end(), [&](const RebuildRow& each) {
    return each.module == function.module && each.function == function.text;
  });
  return row == kRebuilds.end() ? nullptr : row;
}

// a * b and a + b, or nothing when that is more than 63 bits.
std::optional<std::uint64_t> in_range(bool is_overflow, std::uint64_t value) {
  if (is_overflow || value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return value;
}
std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  const bool is_overflow = __builtin_mul_overflow(a, b, &result);
  return in_range(is_overflow, result);
}
std::optional<std::uint64_t> sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  const bool is_overflow = __builtin_add_overflow(a, b, &result);
  return in_range(is_overflow, result);
}

// The strides of a row-major tensor without gaps; dimensions of one element may have any.
bool is_contiguous(const std::vector<std::int64_t>& shape,
                   const std::vector<std::int64_t>& strides) {
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

}  // namespace

std::optional<std::string_view> find_storage_class(TensorType type) {
  const auto* row = std::find_if(kStorages.begin(), kStorages.end(),
                                 [&](const TypeRow& candidate) { return candidate.type == type; });
  if (row == kStorages.end()) return std::nullopt;
  return row->name;
}

struct TorchTensors::Call {
  const RebuildRow* function = nullptr;  // null: none that is known
  std::span<const PickleId> arguments;
};

Error TorchTensors::error_at(std::string_view name, ErrorCode code, std::string_view reason) const {
  return {code, fmt::format("{}: tensor '{}' {}", what_, shown_name(name), reason)};
}

bool TorchTensors::is_tensor(const PickleValue& value) const {
  return value.kind == PickleKind::kObject && find_rebuild(tree_.at(value.callable)) != nullptr;
}

// Looks through parameters and subclasses at the call that knows the storage.
TorchTensors::Call TorchTensors::innermost(const PickleValue& value) const {
  const auto call_of = [this](const PickleValue& object) -> Call {
    if (object.kind != PickleKind::kObject) return {};
    return {find_rebuild(tree_.at(object.callable)), tree_.at(object.arguments).items};
  };
  Call call = call_of(value);
  for (int i = 0; i < kMaxWrappers && call.function != nullptr; ++i) {
    if (call.function->rebuild == Rebuild::kParameter) {
      call = call.arguments.empty() ? Call() : call_of(tree_.at(call.arguments[0]));
    } else if (call.function->rebuild == Rebuild::kSubclass) {
      if (call.arguments.size() < 3) return {};
      call = {find_rebuild(tree_.at(call.arguments[0])), tree_.at(call.arguments[2]).items};
    } else {
      return call;
    }
  }
  return {};
}

Result<TensorEntry> TorchTensors::place(const PickleValue& value, std::string name) const {
  const auto malformed = [&] {
    return error_at(name, ErrorCode::kDataLoss, "is described as no tensor is");
  };
  const Call call = innermost(value);
  const bool is_typed = call.function != nullptr && call.function->rebuild == Rebuild::kTyped;
  if (call.function == nullptr || call.arguments.size() < (is_typed ? 7U : 4U)) return malformed();

  auto storage = find_storage(tree_.at(call.arguments[0]), name);
  if (!storage) return storage.error();
  TensorEntry tensor;
  std::optional<TensorType> type;
  std::string_view type_name = storage->type;
  if (is_typed) {
    const PickleValue& dtype = tree_.at(call.arguments[6]);
    if (dtype.kind != PickleKind::kGlobal || dtype.module != "torch") return malformed();
    type_name = dtype.text;
    type = find_type(kDtypes, type_name);
  } else {
    type = find_type(kStorages, type_name);
  }
  if (!type) {
    return error_at(name, ErrorCode::kUnimplemented,
                    fmt::format("is of type {}, which is not read", shown_name(type_name)));
  }
  tensor.type = *type;
  const PickleValue& first = tree_.at(call.arguments[1]);
  if (first.kind != PickleKind::kInteger || first.integer < 0 ||
      !read_sizes(call.arguments[2], tensor.shape) ||
      !read_sizes(call.arguments[3], tensor.strides) ||
      tensor.shape.size() != tensor.strides.size()) {
    return malformed();
  }
  tensor.name = std::move(name);
  if (auto placed = place_elements(tensor, *storage, first.integer); !placed) {
    return placed.error();
  }
  return tensor;
}

Result<TorchTensors::Storage> TorchTensors::find_storage(const PickleValue& value,
                                                         std::string_view name) const {
  const auto error = [&](std::string_view reason) {
    return error_at(name, ErrorCode::kDataLoss, reason);
  };
  if (value.kind != PickleKind::kPersistent) return error("has no storage");
  const PickleValue& id = tree_.at(value.arguments);
  if (id.kind != PickleKind::kTuple || id.items.size() < 5) return error("has no storage");
  const PickleValue& type = tree_.at(id.items[1]);
  const PickleValue& key = tree_.at(id.items[2]);
  const PickleValue& count = tree_.at(id.items[4]);
  if (type.kind != PickleKind::kGlobal || key.kind != PickleKind::kText ||
      count.kind != PickleKind::kInteger || count.integer < 0) {
    return error("has a storage that is described as none is");
  }
  const ZipMember* member = archive_.find(fmt::format("{}data/{}", folder_, key.text));
  if (member == nullptr) {
    return error(
        fmt::format("lies in storage '{}', which the archive lacks", shown_name(key.text)));
  }
  const auto bytes = archive_.stored(*member);
  if (!bytes) return bytes.error();

  const auto element = find_type(kStorages, type.text);
  const std::uint64_t element_bytes = element ? bytes_per_element(*element) : 1;
  const auto needed = product(static_cast<std::uint64_t>(count.integer), element_bytes);
  if (!needed || *needed > bytes->size()) {
    return error(fmt::format("lies in storage '{}' of {} elements, which has {} bytes",
                             shown_name(key.text), count.integer, bytes->size()));
  }
  return Storage{member->offset, *needed, type.text};
}

// Finds the bytes from the first to the last element and sees that the storage has them.
Result<void> TorchTensors::place_elements(TensorEntry& tensor, const Storage& storage,
                                          std::int64_t first_element) const {
  const std::uint64_t element_bytes = bytes_per_element(tensor.type);
  const auto too_large = [&] {
    return error_at(tensor.name, ErrorCode::kDataLoss,
                    fmt::format("of shape [{}] and strides [{}] from element {} needs more than "
                                "the {} bytes of its storage",
                                fmt::join(tensor.shape, ", "), fmt::join(tensor.strides, ", "),
                                first_element, storage.num_bytes));
  };
  bool is_empty = false;
  std::uint64_t num_elements = 1;
  std::uint64_t last = 0;  // element, from the first
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    // Empty dimensions count as one: what is made of the shape must not overflow either.
    const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(tensor.shape[i], 1));
    is_empty = is_empty || tensor.shape[i] == 0;
    const auto elements = product(num_elements, size);
    const auto reach = product(size - 1, static_cast<std::uint64_t>(tensor.strides[i]));
    const auto end = reach ? sum(last, *reach) : std::nullopt;
    if (!elements || !product(*elements, element_bytes) || !end) return too_large();
    num_elements = *elements;
    last = *end;
  }
  if (is_empty) {
    tensor.strides.clear();
    tensor.offset = storage.offset;
    return {};
  }
  const auto begin = product(static_cast<std::uint64_t>(first_element), element_bytes);
  const auto bytes = product(last + 1, element_bytes);
  const auto end = begin && bytes ? sum(*begin, *bytes) : std::nullopt;
  if (!end || *end > storage.num_bytes) return too_large();
  if (num_elements > last + 1 && num_elements * element_bytes > kMaxRepeatedBytes) {
    return error_at(tensor.name, ErrorCode::kResourceExhausted,
                    fmt::format("of shape [{}] and strides [{}] repeats its elements; more than {} "
                                "bytes are refused",
                                fmt::join(tensor.shape, ", "), fmt::join(tensor.strides, ", "),
                                kMaxRepeatedBytes));
  }
  if (is_contiguous(tensor.shape, tensor.strides)) tensor.strides.clear();
  tensor.offset = storage.offset + *begin;
  tensor.num_bytes = *bytes;
  return {};
}

// A tuple of sizes, or a torch.Size of one.
bool TorchTensors::read_sizes(PickleId id, std::vector<std::int64_t>& sizes) const {
  const PickleValue* value = &tree_.at(id);
  if (value->kind == PickleKind::kObject) {
    const PickleValue& callable = tree_.at(value->callable);
    const PickleValue& arguments = tree_.at(value->arguments);
    if (callable.kind != PickleKind::kGlobal || callable.text != "Size" ||
        arguments.items.size() != 1) {
      return false;
    }
    value = &tree_.at(arguments.items[0]);
  }
  if ((value->kind != PickleKind::kTuple && value->kind != PickleKind::kList) ||
      value->items.size() > kMaxDimensions) {
    return false;
  }
  for (const PickleId item : value->items) {
    const PickleValue& size = tree_.at(item);
    if (size.kind != PickleKind::kInteger || size.integer < 0) return false;
    sizes.push_back(size.integer);
  }
  return true;
}

}  // namespace contra4::io
