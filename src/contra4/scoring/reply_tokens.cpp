#include "contra4/scoring/reply_tokens.h"

#include <algorithm>
#include <array>

#include "contra4/scoring/reply_vocabulary.h"

namespace contra4::scoring {

namespace {

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}
char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

struct CodePoint {
  char32_t value = 0;    // 0 for a byte that begins no valid sequence
  std::size_t size = 1;  // in bytes
};

CodePoint decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t offset) -> unsigned {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0U;
  };
  const auto is_tail = [&](std::size_t offset) { return (byte(offset) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xC2 && lead < 0xE0 && is_tail(1)) {
    return {(lead & 0x1FU) << 6 | (byte(1) & 0x3FU), 2};
  }
  if (lead >= 0xE0 && lead < 0xF0 && is_tail(1) && is_tail(2)) {
    return {(lead & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU), 3};
  }
  if (lead >= 0xF0 && lead < 0xF5 && is_tail(1) && is_tail(2) && is_tail(3)) {
    return {
        (lead & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3FU),
        4};
  }
  return {};
}

// Blocks of capital and of small letters in other dress.
struct LetterBlock {
  char32_t first;
  char letter;
};
constexpr std::array kLetterBlocks = {
    LetterBlock{0xFF21, 'A'},  LetterBlock{0xFF41, 'a'},   // full-width
    LetterBlock{0x24B6, 'A'},  LetterBlock{0x24D0, 'a'},   // circled
    LetterBlock{0x249C, 'a'},  LetterBlock{0x1F110, 'A'},  // parenthesised
    LetterBlock{0x1F130, 'A'}, LetterBlock{0x1F150, 'A'},  // squared, circled on black
    LetterBlock{0x1F170, 'A'}, LetterBlock{0x1F1E6, 'A'},  // squared on black, regional
};

struct Replacement {
  char32_t from;
  char to;
};
constexpr char kDropped = '\0';
constexpr std::array kReplacements = {
    Replacement{0x00A0, ' '},      Replacement{0x202F, ' '},      Replacement{0x3000, ' '},
    Replacement{0x2018, '\''},     Replacement{0x2019, '\''},     Replacement{0x02BC, '\''},
    Replacement{0x201C, '"'},      Replacement{0x201D, '"'},      Replacement{0x201E, '"'},
    Replacement{0x00AB, '"'},      Replacement{0x00BB, '"'},      Replacement{0x2013, '-'},
    Replacement{0x2014, '-'},      Replacement{0x2212, '-'},      Replacement{0x2192, '>'},
    Replacement{0x21D2, '>'},      Replacement{0x3002, '.'},      Replacement{0x3001, ','},
    Replacement{0x300C, '['},      Replacement{0x300D, ']'},      Replacement{0x300E, '['},
    Replacement{0x300F, ']'},      Replacement{0x3010, '['},      Replacement{0x3011, ']'},
    Replacement{0x2028, '\n'},     Replacement{0x2029, '\n'},     Replacement{0x0085, '\n'},
    Replacement{0x200B, kDropped}, Replacement{0x200C, kDropped}, Replacement{0x200D, kDropped},
    Replacement{0x2060, kDropped}, Replacement{0xFEFF, kDropped}, Replacement{0xFE0E, kDropped},
    Replacement{0xFE0F, kDropped}, Replacement{0x20E3, kDropped}, Replacement{0x00AD, kDropped},
};

// Appends what a code point above ASCII stands for.
void append_folded(std::string& out, CodePoint code, std::string_view bytes) {
  const char32_t value = code.value;
  for (const Replacement& replacement : kReplacements) {
    if (replacement.from != value) continue;
    if (replacement.to != kDropped) out.push_back(replacement.to);
    return;
  }
  for (const LetterBlock& block : kLetterBlocks) {
    if (value >= block.first && value < block.first + 26) {
      out.push_back(static_cast<char>(block.letter + static_cast<char>(value - block.first)));
      return;
    }
  }
  if (value >= 0x1D400 && value < 0x1D6A4) {  // mathematical alphabets, 26 capitals and 26 small
    const auto place = static_cast<char>((value - 0x1D400) % 52);
    out.push_back(place < 26 ? static_cast<char>('A' + place)
                             : static_cast<char>('a' + place - 26));
    return;
  }
  if (value >= 0x1D7CE && value < 0x1D800) {  // mathematical digits
    out.push_back(static_cast<char>('0' + (value - 0x1D7CE) % 10));
    return;
  }
  if (value >= 0xFF01 && value <= 0xFF5E) {  // full-width marks and digits
    out.push_back(static_cast<char>(value - 0xFF01 + '!'));
    return;
  }
  const bool is_alphabetic = value >= 0xC0 && value < 0x2000;
  const bool is_ideographic = (value >= 0x3040 && value < 0xA000) ||
                              (value >= 0xAC00 && value < 0xD7B0) ||
                              (value >= 0xF900 && value < 0xFB00);
  if (is_alphabetic || is_ideographic) {
    out.append(bytes);
  } else {
    out.push_back(' ');
  }
}

struct Markup {
  std::string_view text;  // lower case
  std::string_view replacement;
};
constexpr std::array kMarkup = {
    Markup{"<answer>", "\nfinal answer: "},
    Markup{"</answer>", " .\n"},
    Markup{"<final_answer>", "\nfinal answer: "},
    Markup{"</final_answer>", " .\n"},
    Markup{"<b>", ""},
    Markup{"</b>", ""},
    Markup{"<i>", ""},
    Markup{"</i>", ""},
    Markup{"<em>", ""},
    Markup{"</em>", ""},
    Markup{"<strong>", ""},
    Markup{"</strong>", ""},
    Markup{"<u>", ""},
    Markup{"</u>", ""},
    Markup{"<code>", ""},
    Markup{"</code>", ""},
    Markup{"<br>", "\n"},
    Markup{"<br/>", "\n"},
    Markup{"<br />", "\n"},
    Markup{"<p>", "\n"},
    Markup{"</p>", "\n"},
    Markup{"<s>", " "},
    Markup{"<bos>", " "},
    Markup{"\\boxed", " boxed "},
    Markup{"\\textbf", " "},
    Markup{"\\text", " "},
    Markup{"\\mathbf", " "},
    Markup{"\\mathrm", " "},
    Markup{"\\n", "\n"},
};
// Whatever follows these is the model talking on. "<|name|>" is one too.
constexpr std::array<std::string_view, 5> kEndOfText = {"</s>", "<end_of_turn>", "<eos>", "<eot>",
                                                        "[/inst]"};

bool starts_with_at(std::string_view text, std::size_t at, std::string_view lower_prefix) {
  if (text.size() - at < lower_prefix.size()) return false;
  for (std::size_t i = 0; i < lower_prefix.size(); ++i) {
    if (to_lower(text[at + i]) != lower_prefix[i]) return false;
  }
  return true;
}

// Size of an end-of-text token at `at`, 0 for none.
std::size_t end_of_text_size(std::string_view text, std::size_t at) {
  for (const std::string_view token : kEndOfText) {
    if (starts_with_at(text, at, token)) return token.size();
  }
  constexpr std::size_t kLongestToken = 40;
  if (!starts_with_at(text, at, "<|")) return 0;
  const std::size_t end = text.substr(at, kLongestToken).find("|>", 2);
  return end == std::string_view::npos ? 0 : end + 2;
}

const Markup* find_markup(std::string_view text, std::size_t at, bool has_closing_bold) {
  for (const Markup& markup : kMarkup) {
    if (!starts_with_at(text, at, markup.text)) continue;
    // "<B>" may be a letter in brackets.
    if (markup.text == "<b>" && (!has_closing_bold || text[at + 1] == 'B')) continue;
    return &markup;
  }
  return nullptr;
}

}  // namespace

std::string normalise_reply(std::string_view reply) {
  std::string out;
  out.reserve(reply.size());
  bool is_blank = true;
  const bool has_closing_bold = reply.find("</b>") != std::string_view::npos;
  for (std::size_t at = 0; at < reply.size();) {
    const char c = reply[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const CodePoint code = decode(reply, at);
      if (code.value == 0) {
        out.push_back(' ');
      } else {
        append_folded(out, code, reply.substr(at, code.size));
        is_blank = false;
      }
      at += code.size;
      continue;
    }
    if (c == '<' || c == '\\' || c == '[') {
      if (const std::size_t size = end_of_text_size(reply, at); size > 0) {
        if (!is_blank) break;
        at += size;
        continue;
      }
      if (const Markup* markup = find_markup(reply, at, has_closing_bold)) {
        out += markup->replacement;
        at += markup->text.size();
        continue;
      }
    }
    if (c == '\n') {
      out.push_back('\n');
    } else if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F || c == '_' || c == '$') {
      out.push_back(' ');
    } else if (c != '*' && c != '`' && c != '~') {
      out.push_back(c);
      is_blank = false;
    }
    ++at;
  }
  return out;
}

ReplyTokens::ReplyTokens(std::string_view normalised) : lower_(normalised) {
  std::transform(lower_.begin(), lower_.end(), lower_.begin(), to_lower);
  end_.kind = Token::Kind::kNewline;
  const std::string_view text = lower_;
  const auto is_ideographic = [&](std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    return lead >= 0xE3;
  };
  const auto is_alphanumeric = [&](std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    return is_ascii_letter(text[at]) || is_ascii_digit(text[at]) || (lead >= 0xC2 && lead < 0xE3);
  };
  const auto is_continuation = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };

  bool touches = false;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      touches = false;
      ++at;
      continue;
    }
    Token token;
    token.touches_previous = touches;
    std::size_t end = at + 1;
    if (text[at] == '\n') {
      token.kind = Token::Kind::kNewline;
    } else if (is_ideographic(at)) {
      while (end < text.size() && (is_continuation(end) || is_ideographic(end))) ++end;
      token.kind = Token::Kind::kWord;
      token.classes = ideograph_classes(text.substr(at, end - at));
    } else if (is_alphanumeric(at)) {
      while (end < text.size() &&
             (is_alphanumeric(end) || is_continuation(end) ||
              (text[end] == '\'' && end + 1 < text.size() && is_alphanumeric(end + 1)))) {
        ++end;
      }
      const std::string_view word = text.substr(at, end - at);
      token.kind = Token::Kind::kWord;
      if (const WordEntry* entry = find_word(word)) {
        token.classes = entry->classes;
        token.number = entry->number;
      } else if (is_ascii_digit(word[0]) && word.size() <= 2 && is_ascii_digit(word.back())) {
        token.classes = kNumber;
        token.number = word.size() == 1 ? word[0] - '0' : (word[0] - '0') * 10 + (word[1] - '0');
      }
      if (is_ascii_letter(word[0]) && (word.size() == 1 || word.substr(1) == "'s")) {
        token.letter = word[0] - 'a';
        token.is_upper = normalised[at] != word[0];
      }
    }
    token.text = text.substr(at, end - at);
    tokens_.push_back(token);
    touches = token.kind != Token::Kind::kNewline;
    at = end;
  }
}

}  // namespace contra4::scoring
