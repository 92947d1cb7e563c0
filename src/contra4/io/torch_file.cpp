#include "contra4/io/torch_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contra4/io/pickle.h"
#include "contra4/io/shown_name.h"
#include "contra4/io/torch_tensors.h"
#include "contra4/io/zip_archive.h"

namespace contra4::io {

namespace {

constexpr std::string_view kPickleName = "data.pkl";
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNameBytes = 1000;
constexpr std::size_t kMaxAllNameBytes = 64U << 20;
constexpr std::size_t kMaxTensors = 262'144;
constexpr std::size_t kMaxVisits = 2'000'000;
constexpr std::size_t kMaxOther = 4096;
constexpr std::size_t kMaxShownClasses = 8;

// Modules, and names of the built-in one, that weights have no use for and attacks have.
constexpr std::array<std::string_view, 10> kCommandModules = {
    "os", "posix", "nt", "subprocess", "sys", "shutil", "pty", "socket", "runpy", "importlib"};
constexpr std::array<std::string_view, 8> kCommandBuiltins = {
    "eval", "exec", "compile", "__import__", "open", "execfile", "input", "breakpoint"};

template <class Names>
bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool runs_commands(const PickleValue& global) {
  if (global.module == "builtins" || global.module == "__builtin__") {
    return has(kCommandBuiltins, global.text);
  }
  return has(kCommandModules, global.module.substr(0, global.module.find('.')));
}

std::string class_name(const PickleValue& value) {
  return value.kind == PickleKind::kGlobal
             ? shown_name(fmt::format("{}.{}", value.module, value.text))
             : "something that is no class";
}

bool is_global(const PickleValue& value, std::string_view module, std::string_view name) {
  return value.kind == PickleKind::kGlobal && value.module == module && value.text == name;
}

// Walks what the pickle would build and lists its tensors and the rest.
class Listing {
 public:
  Listing(const PickleTree& tree, const TorchTensors& tensors, std::string_view what)
      : tree_(tree), tensors_(tensors), what_(what), is_seen_(tree.size(), false) {}

  Result<TorchFileContent> run() {
    if (auto checked = check_globals(); !checked) return checked.error();
    if (auto done = visit(tree_.root_id(), 0, false); !done) return done.error();
    if (content_.tensors.empty()) return nothing_found();
    std::sort(content_.tensors.begin(), content_.tensors.end(),
              [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(
        content_.tensors.begin(), content_.tensors.end(),
        [](const TensorEntry& a, const TensorEntry& b) { return a.name == b.name; });
    if (twice != content_.tensors.end()) {
      return error(fmt::format("two tensors have the path '{}'", shown_name(twice->name)));
    }
    return std::move(content_);
  }

 private:
  Error error(std::string_view reason, ErrorCode code = ErrorCode::kDataLoss) const {
    return {code, fmt::format("{}: {}", what_, reason)};
  }

  Result<void> check_globals() const {
    for (PickleId id = 0; id < tree_.size(); ++id) {
      const PickleValue& value = tree_.at(id);
      if (value.kind == PickleKind::kGlobal && runs_commands(value)) {
        return error(
            fmt::format("names {}, which no weights need; it was made to run commands on "
                        "the machine of who unpickles it",
                        class_name(value)));
      }
    }
    return {};
  }

  Error nothing_found() const {
    if (unread_) return *unread_;
    return error(fmt::format("no tensor in it{}{}; a checkpoint is saved with "
                             "torch.save(model.state_dict(), PATH)",
                             classes_.empty() ? "" : ", but ", fmt::join(classes_, ", ")),
                 ErrorCode::kUnimplemented);
  }

  // `is_inside_object`: below the attributes of a class that has no meaning here. There each value
  // is visited once, whatever refers to it, and depth ends the visit, not the reading.
  Result<void> visit(PickleId id, std::size_t depth, bool is_inside_object) {
    if (++num_visits_ > kMaxVisits) {
      return error(fmt::format("more than {} values", kMaxVisits), ErrorCode::kResourceExhausted);
    }
    const PickleValue& value = tree_.at(id);
    if (tensors_.is_tensor(value)) return add_tensor(value);
    if (value.kind != PickleKind::kObject && value.items.empty()) {
      add_other(text_of(value));
      return {};
    }
    if (is_on_path(id)) return {};
    if (is_inside_object) {
      if (is_seen_[id]) return {};
      is_seen_[id] = true;
    }
    if (depth == kMaxDepth) {
      if (is_inside_object) return {};
      return error(fmt::format("values nested more than {} deep", kMaxDepth));
    }
    path_ids_.push_back(id);
    auto done = visit_members(value, depth, is_inside_object);
    path_ids_.pop_back();
    return done;
  }

  Result<void> visit_members(const PickleValue& value, std::size_t depth, bool is_inside_object) {
    if (value.kind != PickleKind::kObject) {
      return visit_items(value, value.kind == PickleKind::kDict, depth, is_inside_object);
    }
    const PickleValue& callable = tree_.at(value.callable);
    // The attribute of a state dict, _metadata, tells versions of modules: of no use here.
    if (is_global(callable, "collections", "OrderedDict")) {
      return visit_items(value, true, depth, is_inside_object);
    }
    add_class(class_name(callable));
    if (auto done = visit_items(value, value.has_pairs, depth, true); !done) return done;
    if (value.state == kNoPickleValue) return {};
    return visit(value.state, depth + 1, true);
  }

  Result<void> visit_items(const PickleValue& value, bool are_pairs, std::size_t depth,
                           bool is_inside_object) {
    const std::size_t step = are_pairs ? 2 : 1;
    for (std::size_t i = 0; i + step <= value.items.size(); i += step) {
      const std::size_t name_bytes = name_.size();
      if (!name_.empty()) name_ += '.';
      name_ += are_pairs ? text_of(tree_.at(value.items[i])) : std::to_string(i);
      if (name_.size() > kMaxNameBytes) {
        return error(
            fmt::format("a path of more than {} bytes: {}", kMaxNameBytes, shown_name(name_)));
      }
      auto done = visit(value.items[i + step - 1], depth + 1, is_inside_object);
      if (!done) return done;
      name_.resize(name_bytes);
    }
    return {};
  }

  Result<void> add_tensor(const PickleValue& value) {
    all_name_bytes_ += name_.size();
    if (all_name_bytes_ > kMaxAllNameBytes || content_.tensors.size() == kMaxTensors) {
      return error(fmt::format("more than {} tensors, or names of more than {} bytes together",
                               kMaxTensors, kMaxAllNameBytes),
                   ErrorCode::kResourceExhausted);
    }
    auto tensor = tensors_.place(value, name_.empty() ? "tensor" : name_);
    if (tensor) {
      content_.tensors.push_back(std::move(*tensor));
    } else if (tensor.error().code == ErrorCode::kUnimplemented) {
      // One of a type that no model here knows does not keep the others away.
      add_other(tensor.error().message);
      if (!unread_) unread_ = tensor.error();
    } else {
      return tensor.error();
    }
    return {};
  }

  void add_class(std::string name) {
    if (classes_.size() < kMaxShownClasses && !has(classes_, name)) classes_.push_back(name);
    add_other(std::move(name));
  }

  void add_other(std::string text) {
    if (content_.other.size() < kMaxOther) content_.other.emplace_back(name_, std::move(text));
  }

  bool is_on_path(PickleId id) const {
    return std::find(path_ids_.begin(), path_ids_.end(), id) != path_ids_.end();
  }

  static std::string text_of(const PickleValue& value) {
    switch (value.kind) {
      case PickleKind::kNone:
        return "None";
      case PickleKind::kBool:
        return value.integer != 0 ? "True" : "False";
      case PickleKind::kInteger:
        return std::to_string(value.integer);
      case PickleKind::kFloat:
        return fmt::format("{}", value.number);
      case PickleKind::kText:
        // One byte more than may be shown, so that a name too long is seen as such.
        return std::string(value.text.substr(0, kMaxNameBytes + 1));
      case PickleKind::kBytes:
        return fmt::format("{} bytes", value.text.size());
      case PickleKind::kBigInteger:
        return "a number of more than 64 bits";
      case PickleKind::kTuple:
        return "()";
      case PickleKind::kList:
        return "[]";
      case PickleKind::kSet:
        return "set()";
      case PickleKind::kDict:
        return "{}";
      case PickleKind::kGlobal:
        return class_name(value);
      case PickleKind::kObject:
        return "an object";
      case PickleKind::kPersistent:
        return "a storage";
    }
    CONTRA4_CHECK(false, "a kind of value without a text");
  }

  const PickleTree& tree_;
  const TorchTensors& tensors_;
  std::string_view what_;
  std::vector<bool> is_seen_;
  std::vector<PickleId> path_ids_;
  std::string name_;
  std::size_t num_visits_ = 0;
  std::size_t all_name_bytes_ = 0;
  std::optional<Error> unread_;       // the first tensor of a type that is not read
  std::vector<std::string> classes_;  // the first few that have no meaning here
  TorchFileContent content_;
};

// The pickle of the archive: FOLDER/data.pkl, FOLDER being the name under which it was saved.
Result<const ZipMember*> find_pickle(const ZipArchive& archive, std::string_view what) {
  const ZipMember* found = nullptr;
  for (const ZipMember& member : archive.members()) {
    const std::string_view name = member.name;
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos || name.substr(slash + 1) != kPickleName) continue;
    if (found != nullptr) {
      return Error{ErrorCode::kDataLoss, fmt::format("{}: both '{}' and '{}' are in it", what,
                                                     shown_name(found->name), shown_name(name))};
    }
    found = &member;
  }
  if (found == nullptr) {
    return Error{ErrorCode::kDataLoss,
                 fmt::format("{}: a zip, but none of PyTorch's: no NAME/data.pkl in it", what)};
  }
  return found;
}

// PyTorch before 1.6 wrote pickles one behind the other.
bool looks_like_pickle(std::string_view file) {
  return file.size() > 1 && file[0] == '\x80' && file[1] >= '\x02' && file[1] <= '\x05';
}

}  // namespace

const std::string* TorchFileContent::find_other(std::string_view path) const {
  const auto found = std::find_if(other.begin(), other.end(),
                                  [&](const auto& entry) { return entry.first == path; });
  return found == other.end() ? nullptr : &found->second;
}

Result<TorchFileContent> parse_torch_file(std::string_view file, std::string_view what) {
  if (looks_like_pickle(file)) {
    return Error{ErrorCode::kUnimplemented,
                 fmt::format("{}: PyTorch's format before 1.6. Save it anew: python -c \"import "
                             "torch; torch.save(torch.load('OLD', map_location='cpu'), 'NEW')\"",
                             what)};
  }
  const auto archive = ZipArchive::parse(file, what);
  if (!archive) return archive.error();
  const auto member = find_pickle(*archive, what);
  if (!member) return member.error();
  const std::string_view name = (*member)->name;
  const std::string_view folder = name.substr(0, name.size() - kPickleName.size());
  if (const ZipMember* order = archive->find(fmt::format("{}byteorder", folder))) {
    const auto text = archive->stored(*order);
    if (!text) return text.error();
    if (*text != "little") {
      return Error{ErrorCode::kUnimplemented,
                   fmt::format("{}: its numbers are in byte order '{}', 'little' is read", what,
                               shown_name(*text))};
    }
  }
  const auto bytes = archive->stored(**member);
  if (!bytes) return bytes.error();
  const auto tree = parse_pickle(*bytes, what);
  if (!tree) return tree.error();
  return Listing(*tree, TorchTensors(*tree, *archive, folder, what), what).run();
}

TorchFile::TorchFile(const std::filesystem::path& path)
    : path_(path), file_(path), content_(parse_torch_file(file_.bytes(), path_.string()).value()) {}

}  // namespace contra4::io
