#include "contra4/data/json_scan.h"

#include <bit>
#include <utility>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace contra4::data {

namespace {

constexpr std::size_t kBlock = 64;

#ifdef __SSE2__
// Bit i is set where byte i equals `wanted`.
std::uint64_t equal_mask(const char* block, char wanted) {
  const __m128i pattern = _mm_set1_epi8(wanted);
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + i * 16));
    const auto part = static_cast<std::uint16_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, pattern)));
    mask |= static_cast<std::uint64_t>(part) << (i * 16);
  }
  return mask;
}
#else
std::uint64_t equal_mask(const char* block, char wanted) {
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < kBlock; ++i) {
    mask |= static_cast<std::uint64_t>(block[i] == wanted) << i;
  }
  return mask;
}
#endif

// Bit i of the result: the parity of the bits up to and including i.
std::uint64_t prefix_parity(std::uint64_t bits) {
  for (unsigned shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

// Which bytes follow a backslash that is not itself escaped; `carry` goes from block to block.
std::uint64_t escaped_mask(std::uint64_t backslashes, bool& carry) {
  std::uint64_t escaped = carry ? 1 : 0;
  carry = false;
  backslashes &= ~escaped;
  while (backslashes != 0) {
    const int i = std::countr_zero(backslashes);
    if (i == 63) {
      carry = true;
      break;
    }
    const std::uint64_t next = std::uint64_t{1} << (i + 1);
    escaped |= next;
    backslashes &= ~(next | next >> 1);
  }
  return escaped;
}

bool ends_word(char c) {
  return is_json_space(c) || c == ',' || c == ']' || c == '}';
}

}  // namespace

JsonValueScanner::JsonValueScanner(char first) {
  if (first == '{' || first == '[') {
    kind_ = Kind::kContainer;
    open_ = first;
    close_ = first == '{' ? '}' : ']';
  } else {
    kind_ = first == '"' ? Kind::kString : Kind::kWord;
  }
}

std::size_t JsonValueScanner::scan(std::string_view bytes) {
  switch (kind_) {
    case Kind::kContainer:
      return scan_container(bytes);
    case Kind::kString:
      return scan_string(bytes);
    case Kind::kWord:
      return scan_word(bytes);
  }
  return bytes.size();
}

unsigned JsonValueScanner::scan_block(const char* block) {
  const std::uint64_t escaped = escaped_mask(equal_mask(block, '\\'), is_escaped_);
  const std::uint64_t quotes = equal_mask(block, '"') & ~escaped;
  const std::uint64_t carried = in_string_ ? ~std::uint64_t{0} : 0;
  const std::uint64_t strings = prefix_parity(quotes) ^ carried;
  in_string_ = (strings >> 63) != 0;
  std::uint64_t opens = equal_mask(block, open_) & ~strings;
  std::uint64_t closes = equal_mask(block, close_) & ~strings;
  const auto num_closes = static_cast<std::uint64_t>(std::popcount(closes));
  if (depth_ > num_closes) {  // cannot end here, whatever the order
    depth_ += static_cast<std::uint64_t>(std::popcount(opens)) - num_closes;
    return 0;
  }
  for (std::uint64_t brackets = opens | closes; brackets != 0; brackets &= brackets - 1) {
    const int i = std::countr_zero(brackets);
    if ((opens >> i & 1) != 0) {
      ++depth_;
    } else if (--depth_ == 0) {
      return static_cast<unsigned>(i) + 1;
    }
  }
  return 0;
}

std::size_t JsonValueScanner::scan_container(std::string_view bytes) {
  std::size_t i = 0;
  for (; i + kBlock <= bytes.size(); i += kBlock) {
    if (const unsigned end = scan_block(bytes.data() + i); end != 0) {
      is_done_ = true;
      return i + end;
    }
  }
  for (; i < bytes.size(); ++i) {
    // As scan_block: an escape matters to quotes only.
    const char c = bytes[i];
    const bool is_escaped = std::exchange(is_escaped_, c == '\\' && !is_escaped_);
    if (c == '"' && !is_escaped) {
      in_string_ = !in_string_;
    } else if (!in_string_ && c == open_) {
      ++depth_;
    } else if (!in_string_ && c == close_ && --depth_ == 0) {
      is_done_ = true;
      return i + 1;
    }
  }
  return i;
}

std::size_t JsonValueScanner::scan_string(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (is_escaped_) {
      is_escaped_ = false;
    } else if (c == '\\') {
      is_escaped_ = true;
    } else if (c == '"') {
      if (in_string_) {
        is_done_ = true;
        return i + 1;
      }
      in_string_ = true;
    }
  }
  return bytes.size();
}

std::size_t JsonValueScanner::scan_word(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (ends_word(bytes[i])) {
      is_done_ = true;
      return i;
    }
  }
  return bytes.size();
}

JsonSlices::JsonSlices(std::string_view container)
    : rest_(container), is_object_(container.starts_with('{')) {
  rest_.remove_prefix(1);
}

void JsonSlices::skip_space() {
  const std::size_t start = rest_.find_first_not_of(kJsonSpace);
  rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
}

std::string_view JsonSlices::take_value() {
  if (rest_.empty()) return {};
  JsonValueScanner scanner(rest_.front());
  const std::string_view value = rest_.substr(0, scanner.scan(rest_));
  rest_.remove_prefix(value.size());
  return value;
}

std::string_view JsonSlices::next() {
  skip_space();
  if (rest_.starts_with(',')) {
    rest_.remove_prefix(1);
    skip_space();
  }
  if (is_object_) {
    take_value();  // the name
    skip_space();
    if (rest_.starts_with(':')) rest_.remove_prefix(1);
    skip_space();
  }
  return take_value();
}

}  // namespace contra4::data
