#include "contra4/io/pickle.h"

#include <bit>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace contra4::io {

namespace {

constexpr std::size_t kMaxOpcodes = 2'000'000;
constexpr std::uint64_t kMaxProtocol = 5;
constexpr std::size_t kMaxGlobalBytes = 512;

// Opcodes by the names that pickletools gives them.
enum Opcode : unsigned char {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNoneOpcode = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobalOpcode = 'c',
  kDictOpcode = 'd',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kListOpcode = 'l',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTupleOpcode = 't',
  kSetItems = 'u',
  kEmptyTuple = ')',
  kEmptyList = ']',
  kEmptyDict = '}',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
};

}  // namespace

class PickleInterpreter {
 public:
  PickleInterpreter(std::string_view bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  Result<PickleTree> run() {
    for (std::size_t count = 0;; ++count) {
      opcode_at_ = position_;
      if (count == kMaxOpcodes) {
        return Error{ErrorCode::kResourceExhausted,
                     fmt::format("{}: the pickle has more than {} opcodes", what_, kMaxOpcodes)};
      }
      if (position_ == bytes_.size()) return error("the pickle ends before its STOP; cut?").error();
      const auto opcode = static_cast<unsigned char>(bytes_[position_++]);
      if (opcode == kStop) break;
      if (auto done = step(opcode); !done) return done.error();
    }
    if (stack_.size() != 1 || !marks_.empty()) return error("leaves no single value").error();
    tree_.root_ = stack_.back();
    return std::move(tree_);
  }

 private:
  using Done = Result<void>;

  Done error(std::string_view reason) const {
    return Error{ErrorCode::kDataLoss,
                 fmt::format("{}: the pickle at byte {}: {}", what_, opcode_at_, reason)};
  }
  Done cut() const { return error("cut in the middle of an opcode"); }
  Done underflow() const { return error("takes a value that is not there"); }

  // The little-endian number of the next bytes, if they are there.
  std::optional<std::uint64_t> take_number(std::size_t count) {
    if (count > bytes_.size() - position_) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(bytes_[position_ + i]);
    }
    position_ += count;
    return value;
  }

  // The bytes behind a length of `length_bytes`.
  std::optional<std::string_view> take_counted(std::size_t length_bytes) {
    const auto length = take_number(length_bytes);
    if (!length || *length > bytes_.size() - position_) return std::nullopt;
    const std::string_view text = bytes_.substr(position_, *length);
    position_ += *length;
    return text;
  }

  std::optional<std::string_view> take_line() {
    const std::size_t end = bytes_.substr(position_, kMaxGlobalBytes).find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = bytes_.substr(position_, end);
    position_ += end + 1;
    return line;
  }

  PickleValue& value(PickleId id) { return tree_.values_[id]; }

  PickleValue& push(PickleKind kind) {
    stack_.push_back(static_cast<PickleId>(tree_.values_.size()));
    PickleValue& added = tree_.values_.emplace_back();
    added.kind = kind;
    return added;
  }

  // How many values lie above the last mark: no opcode reaches below it.
  std::size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  PickleId pop() {
    const PickleId id = stack_.back();
    stack_.pop_back();
    return id;
  }

  // Takes the values above the last mark and the mark.
  std::optional<std::vector<PickleId>> pop_to_mark() {
    if (marks_.empty()) return std::nullopt;
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleId> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  Done step(unsigned char opcode) {
    switch (opcode) {
      case kProto: {
        const auto protocol = take_number(1);
        if (!protocol) return cut();
        if (*protocol > kMaxProtocol) {
          return Error{ErrorCode::kUnimplemented,
                       fmt::format("{}: pickle protocol {}, 2 to {} are read", what_, *protocol,
                                   kMaxProtocol)};
        }
        return {};
      }
      case kFrame:
        return take_number(8) ? Done() : cut();
      case kMark:
        marks_.push_back(stack_.size());
        return {};
      case kPop:
        if (available() == 0) {
          if (marks_.empty()) return underflow();
          marks_.pop_back();
          return {};
        }
        pop();
        return {};
      case kPopMark:
        return pop_to_mark() ? Done() : error("no mark");
      case kDup:
        if (available() == 0) return underflow();
        stack_.push_back(stack_.back());
        return {};
      case kBinGet:
      case kLongBinGet:
        return get(opcode == kBinGet ? 1 : 4);
      case kBinPut:
      case kLongBinPut: {
        const auto place = take_number(opcode == kBinPut ? 1 : 4);
        return place ? put(*place) : cut();
      }
      case kMemoize:
        return put(num_memos_);
      default:
        return step_scalar(opcode);
    }
  }

  Done get(std::size_t place_bytes) {
    const auto place = take_number(place_bytes);
    if (!place) return cut();
    if (*place >= memo_.size() || memo_[*place] == kNoPickleValue) {
      return error(fmt::format("nothing was remembered as {}", *place));
    }
    stack_.push_back(memo_[*place]);
    return {};
  }

  Done put(std::uint64_t place) {
    if (available() == 0) return underflow();
    if (place >= kMaxOpcodes) return error(fmt::format("remembers as {}", place));
    if (place >= memo_.size()) memo_.resize(place + 1, kNoPickleValue);
    if (memo_[place] == kNoPickleValue) ++num_memos_;
    memo_[place] = stack_.back();
    return {};
  }

  Done step_scalar(unsigned char opcode) {
    switch (opcode) {
      case kNoneOpcode:
        push(PickleKind::kNone);
        return {};
      case kNewTrue:
      case kNewFalse:
        push(PickleKind::kBool).integer = opcode == kNewTrue ? 1 : 0;
        return {};
      case kBinInt1:
        return push_integer(1);
      case kBinInt2:
        return push_integer(2);
      case kBinInt:
        return push_integer(4);
      case kLong1:
        return push_long(1);
      case kLong4:
        return push_long(4);
      case kBinFloat: {
        const auto bits = take_number(8);
        if (!bits) return cut();
        push(PickleKind::kFloat).number = std::bit_cast<double>(__builtin_bswap64(*bits));
        return {};
      }
      case kShortBinUnicode:
        return push_text(PickleKind::kText, 1);
      case kBinUnicode:
      case kBinString:  // of Python 2: texts, in practice
        return push_text(PickleKind::kText, 4);
      case kShortBinString:
        return push_text(PickleKind::kText, 1);
      case kBinUnicode8:
        return push_text(PickleKind::kText, 8);
      case kShortBinBytes:
        return push_text(PickleKind::kBytes, 1);
      case kBinBytes:
        return push_text(PickleKind::kBytes, 4);
      case kBinBytes8:
      case kByteArray8:
        return push_text(PickleKind::kBytes, 8);
      default:
        return step_container(opcode);
    }
  }

  Done push_integer(std::size_t num_bytes) {
    const auto bits = take_number(num_bytes);
    if (!bits) return cut();
    // Only the one of four bytes has a sign.
    push(PickleKind::kInteger).integer =
        num_bytes == 4 ? static_cast<std::int32_t>(static_cast<std::uint32_t>(*bits))
                       : static_cast<std::int64_t>(*bits);
    return {};
  }

  Done push_long(std::size_t length_bytes) {
    const auto digits = take_counted(length_bytes);
    if (!digits) return cut();
    if (digits->size() > 8) {
      push(PickleKind::kBigInteger).text = *digits;
      return {};
    }
    const bool is_negative = !digits->empty() && (digits->back() & 0x80) != 0;
    std::uint64_t bits = is_negative ? ~std::uint64_t{0} : 0;
    std::memcpy(&bits, digits->data(), digits->size());
    push(PickleKind::kInteger).integer = static_cast<std::int64_t>(bits);
    return {};
  }

  Done push_text(PickleKind kind, std::size_t length_bytes) {
    const auto text = take_counted(length_bytes);
    if (!text) return cut();
    push(kind).text = *text;
    return {};
  }

  Done step_container(unsigned char opcode) {
    switch (opcode) {
      case kEmptyTuple:
        push(PickleKind::kTuple);
        return {};
      case kEmptyList:
        push(PickleKind::kList);
        return {};
      case kEmptyDict:
        push(PickleKind::kDict);
        return {};
      case kEmptySet:
        push(PickleKind::kSet);
        return {};
      case kTuple1:
        return push_tuple(1);
      case kTuple2:
        return push_tuple(2);
      case kTuple3:
        return push_tuple(3);
      case kTupleOpcode:
        return push_marked(PickleKind::kTuple);
      case kListOpcode:
        return push_marked(PickleKind::kList);
      case kDictOpcode:
        return push_marked(PickleKind::kDict);
      case kFrozenSet:
        return push_marked(PickleKind::kSet);
      case kAppend:
      case kSetItem: {
        const std::size_t count = opcode == kAppend ? 1 : 2;
        if (available() < count + 1) return underflow();
        const std::vector<PickleId> items(stack_.end() - static_cast<std::ptrdiff_t>(count),
                                          stack_.end());
        stack_.resize(stack_.size() - count);
        return add_items(items, opcode == kSetItem);
      }
      case kAppends:
      case kAddItems:
      case kSetItems: {
        const auto items = pop_to_mark();
        if (!items) return error("no mark");
        if (available() == 0) return underflow();
        return add_items(*items, opcode == kSetItems);
      }
      default:
        return step_object(opcode);
    }
  }

  Done push_tuple(std::size_t count) {
    if (available() < count) return underflow();
    std::vector<PickleId> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    push(PickleKind::kTuple).items = std::move(items);
    return {};
  }

  Done push_marked(PickleKind kind) {
    auto items = pop_to_mark();
    if (!items) return error("no mark");
    if (kind == PickleKind::kDict && items->size() % 2 != 0) return error("a key without a value");
    push(kind).items = std::move(*items);
    return {};
  }

  // Into the container at the top of the stack.
  Done add_items(const std::vector<PickleId>& items, bool are_pairs) {
    PickleValue& container = value(stack_.back());
    if (are_pairs && items.size() % 2 != 0) return error("a key without a value");
    if (container.kind == PickleKind::kObject) {
      if (container.items.empty()) container.has_pairs = are_pairs;
      if (container.has_pairs != are_pairs) return error("an object that is a list and a dict");
    } else if (are_pairs
                   ? container.kind != PickleKind::kDict
                   : container.kind != PickleKind::kList && container.kind != PickleKind::kSet) {
      return error("items for a value that holds none");
    }
    container.items.insert(container.items.end(), items.begin(), items.end());
    return {};
  }

  Done step_object(unsigned char opcode) {
    switch (opcode) {
      case kGlobalOpcode: {
        const auto module = take_line();
        const auto name = module ? take_line() : std::nullopt;
        if (!name) return error("a name without an end");
        PickleValue& added = push(PickleKind::kGlobal);
        added.module = *module;
        added.text = *name;
        return {};
      }
      case kStackGlobal: {
        if (available() < 2) return underflow();
        const PickleId name = pop();
        const PickleId module = pop();
        if (value(name).kind != PickleKind::kText || value(module).kind != PickleKind::kText) {
          return error("a class whose name is no text");
        }
        PickleValue& added = push(PickleKind::kGlobal);
        added.module = value(module).text;
        added.text = value(name).text;
        return {};
      }
      case kReduce:
      case kNewObj:
      case kNewObjEx: {
        // Named arguments lie on top; they would be needed by none of those that are read.
        const std::size_t count = opcode == kNewObjEx ? 3 : 2;
        if (available() < count) return underflow();
        if (opcode == kNewObjEx) pop();
        const PickleId arguments = pop();
        const PickleId callable = pop();
        if (value(arguments).kind != PickleKind::kTuple)
          return error("arguments that are no tuple");
        PickleValue& added = push(PickleKind::kObject);
        added.callable = callable;
        added.arguments = arguments;
        return {};
      }
      case kBuild: {
        if (available() < 2) return underflow();
        const PickleId state = pop();
        value(stack_.back()).state = state;
        return {};
      }
      case kBinPersId: {
        if (available() == 0) return underflow();
        const PickleId id = pop();
        push(PickleKind::kPersistent).arguments = id;
        return {};
      }
      default:
        return Error{ErrorCode::kUnimplemented,
                     fmt::format("{}: the pickle at byte {}: opcode 0x{:02x} is not read; save the "
                                 "file anew with protocol 2 or later",
                                 what_, opcode_at_, opcode)};
    }
  }

  std::string_view bytes_;
  std::string_view what_;
  std::size_t position_ = 0;
  std::size_t opcode_at_ = 0;
  PickleTree tree_;
  std::vector<PickleId> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::vector<PickleId> memo_;
  std::size_t num_memos_ = 0;
};

Result<PickleTree> parse_pickle(std::string_view bytes, std::string_view what) {
  return PickleInterpreter(bytes, what).run();
}

}  // namespace contra4::io
