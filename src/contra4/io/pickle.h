// Python's pickles as data. A pickle is a program that builds values; this interpreter builds a
// tree of what it would build and calls nothing: a class or function that the pickle names is a
// name here, and what it would have been called with stands beside it.
// Source: CPython's Lib/pickletools.py; protocols 2 to 5 without buffers outside the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/base/error.h"

namespace contra4::io {

enum class PickleKind : std::uint8_t {
  kNone,
  kBool,        // integer: 0 or 1
  kInteger,     // integer
  kBigInteger,  // more than 64 bits; text: its bytes, little-endian two's complement
  kFloat,       // number
  kText,        // text: UTF-8 as it lies in the pickle, lone surrogates included; not checked
  kBytes,       // text
  kTuple,       // items
  kList,        // items
  kSet,         // items
  kDict,        // items: key, value, key, value, ...
  kGlobal,      // a class or function: module, text
  kObject,      // what a call of `callable` with `arguments` gives, and what was put into it
  kPersistent,  // a thing outside the pickle; arguments: its id
};

using PickleId = std::uint32_t;
inline constexpr PickleId kNoPickleValue = 0xFFFFFFFF;

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  // Of an object: whether `items` are pairs (a dictionary of some class) or the items of a list.
  bool has_pairs = true;
  PickleId callable = kNoPickleValue;
  PickleId arguments = kNoPickleValue;
  PickleId state = kNoPickleValue;  // what the object would be given by __setstate__
  union {
    std::int64_t integer = 0;
    double number;
  };
  std::string_view text;
  std::string_view module;
  std::vector<PickleId> items;
};

// Values may be reached by several ways, and may contain themselves: who walks them keeps count.
class PickleTree {
 public:
  const PickleValue& root() const { return values_[root_]; }
  PickleId root_id() const { return root_; }
  const PickleValue& at(PickleId id) const { return values_[id]; }
  std::size_t size() const { return values_.size(); }

 private:
  friend class PickleInterpreter;
  std::deque<PickleValue> values_;
  PickleId root_ = 0;
};

// `bytes` has to outlive the tree. kDataLoss with `what`, the place and the reason;
// kUnimplemented for opcodes of protocols 0 and 1 and other rare ones, kResourceExhausted above
// 2,000,000 opcodes (some 140,000 tensors): what bounds memory (some 230 MB) and time (0.4 s).
Result<PickleTree> parse_pickle(std::string_view bytes, std::string_view what);

}  // namespace contra4::io
