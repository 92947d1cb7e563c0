#include "contra4/text/bert_words.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <utf8proc.h>

namespace contra4::text {

namespace {

using CodePoint = utf8proc_int32_t;

constexpr CodePoint kReplacement = 0xFFFD;

struct Range {
  CodePoint first;
  CodePoint last;
};

// As published: the fourth extension block starts 256 code points late.
constexpr std::array kChinese = {Range{0x4E00, 0x9FFF},   Range{0x3400, 0x4DBF},
                                 Range{0x20000, 0x2A6DF}, Range{0x2A700, 0x2B73F},
                                 Range{0x2B740, 0x2B81F}, Range{0x2B920, 0x2CEAF},
                                 Range{0xF900, 0xFAFF},   Range{0x2F800, 0x2FA1F}};

bool is_chinese(CodePoint c) {
  return std::any_of(kChinese.begin(), kChinese.end(),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

bool is_removed(CodePoint c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c == kReplacement) return true;
  const utf8proc_category_t category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_CO || category == UTF8PROC_CATEGORY_CS;
}

// The property White_Space, less the controls that is_removed() takes away.
bool is_space(CodePoint c) {
  if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return true;
  const utf8proc_category_t category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

bool is_punctuation(CodePoint c) {
  // In ASCII also the symbols: $ + < = > ^ ` | ~.
  if (c < 0x80) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
  }
  const utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

class WordCutter {
 public:
  WordCutter(std::size_t max_word_chars, const BertWordSink& sink)
      : max_word_chars_(max_word_chars), sink_(sink) {}

  // False once the sink wants no more.
  bool add(CodePoint c) {
    if (c < 0x80) return add_ascii(c);
    if (is_removed(c)) return is_wanted_;
    if (is_space(c)) return end_word();
    if (!is_chinese(c)) return decompose(c);
    end_word();
    decompose(c);
    return end_word();
  }

  bool end_word() {
    release_marks();
    if (num_chars_ > 0 && is_wanted_) is_wanted_ = sink_({word_, num_chars_ > max_word_chars_});
    word_.clear();
    num_chars_ = 0;
    return is_wanted_;
  }

 private:
  bool add_ascii(CodePoint c) {
    if (is_space(c)) return end_word();
    if (c < 0x20 || c == 0x7F) return is_wanted_;
    release_marks();
    return append(c);
  }

  // Canonical decomposition, reordered as NFD wants it. Nonspacing marks are dropped before they
  // would be stored, which changes nothing in the order of the others; what is stored is the rare
  // combining mark of another class.
  bool decompose(CodePoint c) {
    std::array<CodePoint, 32> parts{};
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(c, parts.data(), parts.size(), UTF8PROC_DECOMPOSE, nullptr);
    const std::size_t num_parts =
        count < 0 ? 0 : std::min(static_cast<std::size_t>(count), parts.size());
    for (std::size_t i = 0; i < num_parts; ++i) {
      const utf8proc_property_t* property = utf8proc_get_property(parts[i]);
      if (property->combining_class == 0) release_marks();
      if (property->category == UTF8PROC_CATEGORY_MN) continue;
      if (property->combining_class == 0) {
        append(parts[i]);
      } else {
        marks_.push_back(parts[i]);
      }
    }
    return is_wanted_;
  }

  void release_marks() {
    if (marks_.empty()) return;
    std::vector<CodePoint> marks;
    marks.swap(marks_);
    std::stable_sort(marks.begin(), marks.end(), [](CodePoint a, CodePoint b) {
      return utf8proc_get_property(a)->combining_class < utf8proc_get_property(b)->combining_class;
    });
    for (const CodePoint mark : marks) append(mark);
  }

  // One code point of the normalised text. A decomposition may yet yield white space (U+2000 is
  // U+2002) or punctuation (U+037E is a semicolon).
  bool append(CodePoint c) {
    if (is_space(c)) return end_word();
    if (is_punctuation(c)) {
      end_word();
      store(c);
      return end_word();
    }
    store(utf8proc_tolower(c));
    return is_wanted_;
  }

  void store(CodePoint c) {
    if (++num_chars_ > max_word_chars_) return;
    std::array<utf8proc_uint8_t, 4> bytes{};
    const utf8proc_ssize_t count = utf8proc_encode_char(c, bytes.data());
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      word_ += static_cast<char>(bytes[static_cast<std::size_t>(i)]);
    }
  }

  std::size_t max_word_chars_;
  const BertWordSink& sink_;
  bool is_wanted_ = true;
  std::string word_;
  std::size_t num_chars_ = 0;
  std::vector<CodePoint> marks_;
};

}  // namespace

void for_each_bert_word(std::string_view text, std::size_t max_word_chars,
                        const BertWordSink& sink) {
  WordCutter cutter(max_word_chars, sink);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  std::size_t at = 0;
  while (at < text.size()) {
    CodePoint c = bytes[at];
    utf8proc_ssize_t length = 1;
    // Four bytes hold any code point; utf8proc takes the length as signed.
    const auto rest = static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4));
    if (c >= 0x80) length = utf8proc_iterate(bytes + at, rest, &c);
    if (length <= 0) {
      ++at;  // no UTF-8
      continue;
    }
    at += static_cast<std::size_t>(length);
    if (!cutter.add(c)) return;
  }
  cutter.end_word();
}

}  // namespace contra4::text
