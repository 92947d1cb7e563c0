#include "contra4/io/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/base/suggest.h"
#include "contra4/io/small_floats.h"
#include "contra4/io/zip_archive.h"

namespace contra4::io {

namespace {

static_assert(std::endian::native == std::endian::little, "elements are used as they lie there");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kSuffix = ".npy";
constexpr std::uint64_t kMaxHeaderBytes = 1U << 16;
constexpr std::size_t kMaxDimensions = 64;
constexpr std::size_t kMaxShownText = 60;
constexpr std::size_t kMaxShownNames = 12;
constexpr std::size_t kAlignment = 64;  // of the data in files we write, as numpy has it

struct DescrRow {
  std::string_view descr;  // without the byte order
  TensorType type;
};

constexpr std::array kDescrs = {
    DescrRow{"b1", TensorType::kBool}, DescrRow{"u1", TensorType::kU8},
    DescrRow{"i1", TensorType::kI8},   DescrRow{"u2", TensorType::kU16},
    DescrRow{"i2", TensorType::kI16},  DescrRow{"u4", TensorType::kU32},
    DescrRow{"i4", TensorType::kI32},  DescrRow{"u8", TensorType::kU64},
    DescrRow{"i8", TensorType::kI64},  DescrRow{"f2", TensorType::kF16},
    DescrRow{"f4", TensorType::kF32},  DescrRow{"f8", TensorType::kF64},
};

std::string shown(std::string_view text) {
  return text.size() <= kMaxShownText ? std::string(text)
                                      : std::string(text.substr(0, kMaxShownText)) + "...";
}

struct Header {
  TensorType type = TensorType::kF32;
  bool is_big_endian = false;
  bool is_fortran = false;
  std::vector<std::int64_t> shape;
  std::uint64_t data_offset = 0;
  std::uint64_t data_bytes = 0;
};

// Reads the Python dictionary of a header: texts, True, False and tuples of whole numbers, which
// is all that an array of numbers has there.
class HeaderText {
 public:
  explicit HeaderText(std::string_view text) : rest_(text) {}

  // Whether `token` comes next; steps over it.
  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::optional<std::string_view> take_text() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest_.substr(1, end - 1);
    if (text.find('\\') != std::string_view::npos) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::optional<bool> take_bool() {
    if (take("True")) return true;
    if (take("False")) return false;
    return std::nullopt;
  }

  // "()", "(3,)", "(3, 4)"; Python 2 wrote "3L".
  std::optional<std::vector<std::int64_t>> take_shape() {
    if (!take("(")) return std::nullopt;
    std::vector<std::int64_t> shape;
    while (!take(")")) {
      const auto size = take_size();
      if (!size || shape.size() == kMaxDimensions) return std::nullopt;
      shape.push_back(*size);
      if (!take(",")) {
        // One number in brackets is no tuple.
        if (shape.size() == 1 || !take(")")) return std::nullopt;
        return shape;
      }
    }
    return shape;
  }

  bool is_at_end() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() {
    const std::size_t begin = rest_.find_first_not_of(" \n\t\r");
    rest_.remove_prefix(std::min(begin, rest_.size()));
  }

  std::optional<std::int64_t> take_size() {
    skip_blanks();
    std::int64_t size = 0;
    bool has_digit = false;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      const int digit = rest_.front() - '0';
      if (__builtin_mul_overflow(size, 10, &size) || __builtin_add_overflow(size, digit, &size)) {
        return std::nullopt;
      }
      has_digit = true;
      rest_.remove_prefix(1);
    }
    if (!has_digit) return std::nullopt;
    take("L");
    return size;
  }

  std::string_view rest_;
};

class HeaderParser {
 public:
  HeaderParser(std::string_view file, std::string_view what) : file_(file), what_(what) {}

  Result<Header> parse(std::uint64_t max_bytes) {
    auto text = header_text();
    if (!text) return text.error();
    if (auto read = read_fields(HeaderText(*text), *text); !read) return read.error();

    // Empty dimensions count as one: strides must not overflow either.
    std::uint64_t bytes = bytes_per_element(header_.type);
    bool is_empty = false;
    for (const std::int64_t size : header_.shape) {
      is_empty = is_empty || size == 0;
      const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1));
      if (__builtin_mul_overflow(bytes, factor, &bytes) ||
          bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return error(
            fmt::format("the shape ({}) is larger than any file", fmt::join(header_.shape, ", ")));
      }
    }
    header_.data_bytes = is_empty ? 0 : bytes;
    const std::uint64_t found = file_.size() - header_.data_offset;
    if (header_.data_bytes > found) {
      return error(fmt::format("the shape ({}) needs {} bytes, {} follow; truncated?",
                               fmt::join(header_.shape, ", "), header_.data_bytes, found));
    }
    if (header_.data_bytes < found) {
      return error(fmt::format("{} bytes behind the array", found - header_.data_bytes));
    }
    if (header_.data_bytes > max_bytes) {
      return Error{ErrorCode::kResourceExhausted,
                   fmt::format("{}: an array of {} bytes, {} are allowed", what_,
                               header_.data_bytes, max_bytes)};
    }
    return header_;
  }

 private:
  Error error(std::string_view reason) const {
    return {ErrorCode::kDataLoss, fmt::format("{}: {}", what_, reason)};
  }

  Result<std::string_view> header_text() {
    const auto byte = [&](std::size_t at) -> std::uint64_t {
      return static_cast<unsigned char>(file_[at]);
    };
    if (!file_.starts_with(kMagic)) return error("no .npy file: it does not begin with \\x93NUMPY");
    constexpr std::size_t kVersionAt = 6;
    constexpr std::size_t kLengthAt = 8;
    if (file_.size() <= kLengthAt + 1) return error("the header is cut; truncated?");
    const std::uint64_t version = byte(kVersionAt);
    if (version < 1 || version > 3) {
      return Error{ErrorCode::kUnimplemented,
                   fmt::format("{}: .npy version {}, 1 to 3 are known", what_, version)};
    }
    const std::size_t length_bytes = version == 1 ? 2 : 4;
    if (file_.size() < kLengthAt + length_bytes) return error("the header is cut; truncated?");
    std::uint64_t length = 0;
    for (std::size_t i = length_bytes; i-- > 0;) length = length << 8 | byte(kLengthAt + i);
    const std::uint64_t begin = kLengthAt + length_bytes;
    if (length > kMaxHeaderBytes) {
      return error(fmt::format("a header of {} bytes, {} are allowed", length, kMaxHeaderBytes));
    }
    if (length > file_.size() - begin) {
      return error(fmt::format("the header needs {} bytes, {} follow; truncated?", length,
                               file_.size() - begin));
    }
    header_.data_offset = begin + length;
    return file_.substr(begin, length);
  }

  Result<void> read_fields(HeaderText text, std::string_view shown_text) {
    bool has_descr = false;
    bool has_order = false;
    bool has_shape = false;
    const Error malformed = error(fmt::format("a malformed header: {}", shown(shown_text)));
    if (!text.take("{")) return malformed;
    while (!text.take("}")) {
      const auto key = text.take_text();
      if (!key || !text.take(":")) return malformed;
      if (*key == "descr" && !has_descr) {
        has_descr = true;
        if (text.take("[")) return unsupported("structures");
        const auto descr = text.take_text();
        if (!descr) return malformed;
        if (auto read = read_descr(*descr); !read) return read.error();
      } else if (*key == "fortran_order" && !has_order) {
        has_order = true;
        const auto value = text.take_bool();
        if (!value) return malformed;
        header_.is_fortran = *value;
      } else if (*key == "shape" && !has_shape) {
        has_shape = true;
        auto shape = text.take_shape();
        if (!shape) return malformed;
        header_.shape = std::move(*shape);
      } else {
        return malformed;
      }
      if (!text.take(",")) {
        if (!text.take("}")) return malformed;
        break;
      }
    }
    if (!text.is_at_end() || !has_descr || !has_order || !has_shape) return malformed;
    return {};
  }

  Result<void> read_descr(std::string_view descr) {
    const std::string_view orders = "<>=|";
    if (descr.empty()) return error("an empty type");
    std::string_view kind = descr;
    if (orders.find(descr.front()) != std::string_view::npos) kind.remove_prefix(1);
    const auto row = std::find_if(kDescrs.begin(), kDescrs.end(), [&](const DescrRow& candidate) {
      return candidate.descr == kind;
    });
    if (row == kDescrs.end()) {
      if (kind.starts_with('O')) return unsupported("Python objects, which are never unpickled");
      return unsupported(fmt::format("type '{}'", shown(descr)));
    }
    header_.type = row->type;
    header_.is_big_endian = descr.front() == '>' && bytes_per_element(row->type) > 1;
    return {};
  }

  Error unsupported(std::string_view content) const {
    return {ErrorCode::kUnimplemented,
            fmt::format("{}: an array of {}; bool, whole numbers and floating-point numbers of 2, "
                        "4 and 8 bytes are read",
                        what_, content)};
  }

  std::string_view file_;
  std::string_view what_;
  Header header_;
};

void swap_bytes(std::string& bytes, std::size_t size) {
  for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
  }
}

// Elements in Fortran order (the first index runs fastest) as row-major ones.
std::string transposed(const std::string& bytes, std::size_t size,
                       const std::vector<std::int64_t>& shape) {
  std::vector<std::uint64_t> strides(shape.size());  // in bytes, of the source
  std::uint64_t stride = size;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    strides[i] = stride;
    stride *= static_cast<std::uint64_t>(shape[i]);
  }
  std::string result(bytes.size(), '\0');
  std::vector<std::int64_t> index(shape.size(), 0);
  std::uint64_t from = 0;
  for (std::size_t to = 0; to < result.size(); to += size) {
    std::memcpy(result.data() + to, bytes.data() + from, size);
    for (std::size_t i = shape.size(); i-- > 0;) {
      from += strides[i];
      if (++index[i] < shape[i]) break;
      from -= strides[i] * static_cast<std::uint64_t>(shape[i]);
      index[i] = 0;
    }
  }
  return result;
}

// `data` are the bytes behind the header.
NpyArray finish(Header header, std::string data) {
  const std::uint64_t size = bytes_per_element(header.type);
  if (header.is_big_endian) swap_bytes(data, size);
  if (header.is_fortran && header.shape.size() > 1) data = transposed(data, size, header.shape);
  return {.type = header.type, .shape = std::move(header.shape), .bytes = std::move(data)};
}

template <class Stored, class Wanted, class Convert>
std::vector<Wanted> converted(const std::string& bytes, Convert convert) {
  std::vector<Wanted> values(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored{};
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = convert(stored);
  }
  return values;
}

template <class Wanted>
std::vector<Wanted> values_of(const NpyArray& array) {
  const auto cast = [](auto value) { return static_cast<Wanted>(value); };
  switch (array.type) {
    case TensorType::kBool:
      return converted<std::uint8_t, Wanted>(array.bytes,
                                             [](std::uint8_t value) { return Wanted(value != 0); });
    case TensorType::kU8:
      return converted<std::uint8_t, Wanted>(array.bytes, cast);
    case TensorType::kI8:
      return converted<std::int8_t, Wanted>(array.bytes, cast);
    case TensorType::kU16:
      return converted<std::uint16_t, Wanted>(array.bytes, cast);
    case TensorType::kI16:
      return converted<std::int16_t, Wanted>(array.bytes, cast);
    case TensorType::kU32:
      return converted<std::uint32_t, Wanted>(array.bytes, cast);
    case TensorType::kI32:
      return converted<std::int32_t, Wanted>(array.bytes, cast);
    case TensorType::kU64:
      return converted<std::uint64_t, Wanted>(array.bytes, cast);
    case TensorType::kI64:
      return converted<std::int64_t, Wanted>(array.bytes, cast);
    case TensorType::kF16:
      return converted<std::uint16_t, Wanted>(array.bytes, half_to_float);
    case TensorType::kBF16:
      return converted<std::uint16_t, Wanted>(array.bytes, bfloat16_to_float);
    case TensorType::kF32:
      return converted<float, Wanted>(array.bytes, cast);
    case TensorType::kF64:
      return converted<double, Wanted>(array.bytes, cast);
    case TensorType::kF8E4M3:
    case TensorType::kF8E5M2:
    case TensorType::kC64:
      break;
  }
  throw Exception(
      ErrorCode::kUnimplemented,
      fmt::format("an array of type {} as floating-point numbers", to_string(array.type)));
}

}  // namespace

std::int64_t NpyArray::num_elements() const {
  return static_cast<std::int64_t>(bytes.size() / bytes_per_element(type));
}

std::vector<float> NpyArray::to_float32() const {
  return values_of<float>(*this);
}

std::vector<double> NpyArray::to_float64() const {
  return values_of<double>(*this);
}

Result<NpyArray> parse_npy(std::string_view file, std::string_view what, std::uint64_t max_bytes) {
  auto header = HeaderParser(file, what).parse(max_bytes);
  if (!header) return header.error();
  std::string data(file.substr(header->data_offset));
  return finish(std::move(*header), std::move(data));
}

Result<std::vector<std::string>> npz_names(std::string_view file, std::string_view what) {
  const auto archive = ZipArchive::parse(file, what);
  if (!archive) return archive.error();
  std::vector<std::string> names;
  for (const ZipMember& member : archive->members()) {
    if (!member.name.ends_with(kSuffix)) continue;
    names.push_back(member.name.substr(0, member.name.size() - kSuffix.size()));
  }
  return names;
}

Result<NpyArray> read_npz(std::string_view file, std::string_view member, std::string_view what,
                          std::uint64_t max_bytes) {
  const auto archive = ZipArchive::parse(file, what);
  if (!archive) return archive.error();
  const ZipMember* found = archive->find(fmt::format("{}{}", member, kSuffix));
  if (found == nullptr) {
    const auto names = npz_names(file, what);
    if (!names) return names.error();
    const auto nearest = find_nearest(member, *names);
    const std::span some(names->data(), std::min(names->size(), kMaxShownNames));
    return Error{ErrorCode::kNotFound,
                 fmt::format("{}: no array '{}'; {}", what, member,
                             nearest ? fmt::format("the nearest is '{}'", *nearest)
                                     : fmt::format("there are {}: {}{}", names->size(),
                                                   fmt::join(some, ", "),
                                                   names->size() > some.size() ? ", ..." : ""))};
  }
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() - kMaxHeaderBytes;
  auto bytes = archive->read(*found, std::min(max_bytes, most) + kMaxHeaderBytes);
  if (!bytes) return bytes.error();
  auto header = HeaderParser(*bytes, fmt::format("{}: {}", what, member)).parse(max_bytes);
  if (!header) return header.error();
  bytes->erase(0, header->data_offset);
  return finish(std::move(*header), std::move(*bytes));
}

std::string write_npy(const NpyArray& array) {
  const auto row = std::find_if(kDescrs.begin(), kDescrs.end(), [&](const DescrRow& candidate) {
    return candidate.type == array.type;
  });
  if (row == kDescrs.end()) {
    throw Exception(ErrorCode::kUnimplemented,
                    fmt::format("numpy has no type for {}", to_string(array.type)));
  }
  const std::uint64_t size = bytes_per_element(array.type);
  std::uint64_t expected = size;
  for (const std::int64_t extent : array.shape) expected *= static_cast<std::uint64_t>(extent);
  CONTRA4_CHECK(expected == array.bytes.size(), "an array whose bytes and shape differ");

  std::string header = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                   size == 1 ? '|' : '<', row->descr, fmt::join(array.shape, ", "),
                                   array.shape.size() == 1 ? "," : "");
  constexpr std::size_t kPrefixBytes = 10;
  const std::size_t used = kPrefixBytes + header.size() + 1;
  header.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  header += '\n';
  std::string file(kMagic);
  file += '\x01';
  file += '\0';
  file += static_cast<char>(header.size() & 0xFFU);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  file += array.bytes;
  return file;
}

}  // namespace contra4::io
