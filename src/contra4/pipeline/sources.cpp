#include "contra4/pipeline/sources.h"

#include <algorithm>
#include <memory>
#include <unordered_set>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/suggest.h"
#include "contra4/data/file_format.h"
#include "contra4/data/item_stream.h"
#include "contra4/data/json_scan.h"
#include "contra4/data/record_reader.h"
#include "contra4/data/table_reader.h"
#include "contra4/io/byte_source.h"
#include "contra4/io/json_writer.h"
#include "contra4/pipeline/member_reader.h"
#include "contra4/pipeline/source_columns.h"

namespace contra4::pipeline {

namespace {

constexpr std::uint64_t kRowsBetweenLooks = 1024;
constexpr std::size_t kNamedBadRows = 10;
constexpr std::size_t kMaxDigits = 18;  // of an integer id in a table of texts

// Rows of a source, whatever its shape.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // Errors carry file and row.
  virtual std::optional<Result<io::JsonValue>> next() = 0;
  virtual std::uint64_t row() const = 0;
  // Fields are texts although some of them are numbers.
  virtual bool is_text_only() const = 0;
};

// What an entry is made from.
struct Expressions {
  ColumnExpression id;
  std::vector<ColumnExpression> captions;
  std::optional<ColumnExpression> url, media, licence;
  std::vector<std::pair<std::string, ColumnExpression>> meta;
};

ColumnExpression parsed(const std::string& text) {
  return ColumnExpression::parse(text).value();
}

std::optional<ColumnExpression> parsed_if(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return parsed(text);
}

Expressions expressions_of(const SourceColumns& columns) {
  Expressions expressions{.id = parsed(columns.id),
                          .captions = {},
                          .url = parsed_if(columns.url),
                          .media = parsed_if(columns.media),
                          .licence = parsed_if(columns.licence),
                          .meta = {}};
  for (const std::string& caption : columns.captions) {
    expressions.captions.push_back(parsed(caption));
  }
  for (const auto& [name, column] : columns.meta) {
    expressions.meta.emplace_back(name, parsed(column));
  }
  return expressions;
}

std::vector<std::string> columns_of(const Expressions& expressions) {
  std::vector<std::string> names = expressions.id.columns();
  const auto add = [&](const ColumnExpression& expression) {
    for (std::string& name : expression.columns()) names.push_back(std::move(name));
  };
  for (const ColumnExpression& caption : expressions.captions) add(caption);
  for (const auto* expression : {&expressions.url, &expressions.media, &expressions.licence}) {
    if (*expression) add(**expression);
  }
  for (const auto& [name, expression] : expressions.meta) add(expression);
  return names;
}

// A column that is there under its name or that the path to nested cells begins with.
bool has_column(const std::vector<std::string>& columns, const std::string& name) {
  const auto is_there = [&](std::string_view wanted) {
    return std::find(columns.begin(), columns.end(), wanted) != columns.end();
  };
  return is_there(name) || is_there(std::string_view(name).substr(0, name.find('.')));
}

void require_columns(const SourceSpec& spec, const Expressions& expressions,
                     const std::vector<std::string>& columns) {
  for (const std::string& name : columns_of(expressions)) {
    if (has_column(columns, name)) continue;
    std::string list;
    for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + column;
    const auto nearest = find_nearest(name, columns);
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{}: no column '{}' for the source '{}'; there are {:.300}{}",
                                spec.file.string(), name, spec.name, list,
                                nearest ? fmt::format("; is '{}' meant?", *nearest) : ""));
  }
}

class TableRows final : public RowReader {
 public:
  TableRows(const SourceSpec& spec, const Expressions& expressions)
      : table_(data::open_table(spec.file)),
        is_csv_(data::find_file_format(spec.file) == data::FileFormat::kCsv) {
    if (!table_->columns().empty()) require_columns(spec, expressions, table_->columns());
  }
  std::optional<Result<io::JsonValue>> next() override { return table_->next(); }
  std::uint64_t row() const override { return table_->row(); }
  bool is_text_only() const override { return is_csv_; }

 private:
  std::unique_ptr<data::TableReader> table_;
  bool is_csv_;
};

std::string id_text(const io::JsonValue& id) {
  if (const std::string* const text = id.find_string()) return *text;
  const auto integer = id.find_integer();
  return integer ? std::to_string(*integer) : std::string();
}

// The file is gone through twice: for the images, of which only what is wanted is kept, and for the
// annotations.
class CocoRows final : public RowReader {
 public:
  CocoRows(const SourceSpec& spec, const Expressions& expressions, std::stop_token stop)
      : what_(spec.file.string()) {
    const std::vector<std::string> wanted = columns_of(expressions);
    MemberReader images(io::open_bytes(spec.file), what_);
    bool has_annotations = false;
    while (const auto piece = images.next()) {
      has_annotations = has_annotations || piece->member == "annotations";
      if (stop.stop_requested()) break;
      if (piece->member == "images" && piece->is_element) add_image(piece->text, wanted);
    }
    if (!has_annotations && !stop.stop_requested()) {
      throw Exception(ErrorCode::kInvalidArgument,
                      fmt::format("{}: no 'annotations'; one object with the lists 'images' and "
                                  "'annotations' is wanted, as COCO has it",
                                  what_));
    }
    annotations_ = std::make_unique<MemberReader>(io::open_bytes(spec.file), what_);
  }

  std::optional<Result<io::JsonValue>> next() override {
    while (const auto piece = annotations_->next()) {
      if (piece->member != "annotations" || !piece->is_element) continue;
      ++row_;
      auto value = io::parse_json(piece->text, fmt::format("{}: annotation {}", what_, row_));
      if (!value) return value;
      const io::JsonValue::Object* const members = value->find_object();
      if (members == nullptr) {
        return Result<io::JsonValue>(
            Error{ErrorCode::kInvalidArgument,
                  fmt::format("{}: annotation {}: not an object", what_, row_)});
      }
      return Result<io::JsonValue>(with_image(*members));
    }
    return std::nullopt;
  }
  std::uint64_t row() const override { return row_; }
  bool is_text_only() const override { return false; }

 private:
  void add_image(std::string_view text, const std::vector<std::string>& wanted) {
    const auto image = io::parse_json(text, what_ + ": an image");
    if (!image) throw Exception(image.error());
    const io::JsonValue* const id = image->find("id");
    if (id == nullptr) return;
    io::JsonValue::Object members;
    for (const std::string& name : wanted) {
      const io::JsonValue* const member = image->find(name);
      if (member != nullptr && name != "id") members.emplace_back(name, *member);
    }
    if (!members.empty()) images_.emplace(id_text(*id), std::move(members));
  }

  io::JsonValue with_image(io::JsonValue::Object annotation) const {
    io::JsonValue row(std::move(annotation));
    const io::JsonValue* const id = row.find("image_id");
    const auto image = id == nullptr ? images_.end() : images_.find(id_text(*id));
    if (image == images_.end()) return row;
    io::JsonValue::Object both = *row.find_object();
    for (const auto& [name, member] : image->second) {
      if (row.find(name) == nullptr) both.emplace_back(name, member);
    }
    return io::JsonValue(std::move(both));
  }

  std::string what_;
  std::unordered_map<std::string, io::JsonValue::Object> images_;
  std::unique_ptr<MemberReader> annotations_;
  std::uint64_t row_ = 0;
};

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// What is wrong with one row; the message has no file and row yet.
struct BadRow {
  std::string reason;
};

std::string sound_text(std::string text, std::string_view column) {
  if (text.find('\0') != std::string::npos) {
    throw BadRow{fmt::format("'{}' holds a NUL character", column)};
  }
  return text;
}

// Ids in tables of texts are integers when they look like one that is written no other way.
bool is_plain_integer(const std::string& text) {
  return !text.empty() && text.size() <= kMaxDigits &&
         text.find_first_not_of("0123456789") == std::string::npos &&
         (text[0] != '0' || text.size() == 1);
}

class EntryMaker {
 public:
  EntryMaker(const SourceSpec& spec, const Expressions& expressions, bool is_text_only)
      : spec_(spec), expressions_(expressions), is_text_only_(is_text_only) {}

  // Throws BadRow.
  Scene make(const io::JsonValue& row) const {
    Scene scene;
    scene.modality = spec_.modality;
    scene.source = spec_.name;
    scene.id = id_of(row);
    scene.captions_were_list = true;
    for (const ColumnExpression& caption : expressions_.captions) add_captions(caption, row, scene);
    scene.extra.emplace_back("url", url_of(row));
    scene.extra.emplace_back("meta", meta_of(row));
    if (expressions_.media) {
      if (const std::string file = text_in(*expressions_.media, row); !file.empty()) {
        scene.extra.emplace_back("media",
                                 io::json_quote((spec_.media_folder / file).generic_string()));
      }
    }
    if (expressions_.licence) {
      if (const std::string licence = text_in(*expressions_.licence, row); !licence.empty()) {
        scene.extra.emplace_back("licence", io::json_quote(licence));
      }
    }
    return scene;
  }

 private:
  static io::JsonValue value_in(const ColumnExpression& expression, const io::JsonValue& row) {
    auto value = expression.value_in(row);
    if (!value) throw BadRow{value.error().message};
    return std::move(*value);
  }

  RecordId id_of(const io::JsonValue& row) const {
    const io::JsonValue value = value_in(expressions_.id, row);
    const std::string& column = expressions_.id.text();
    if (value.is_null()) throw BadRow{fmt::format("there is no '{}'", column)};
    if (const auto integer = value.find_integer()) return {std::to_string(*integer), true};
    const std::string* const text = value.find_string();
    if (text == nullptr) throw BadRow{fmt::format("'{}' is no text and no integer", column)};
    return {sound_text(*text, column), is_text_only_ && is_plain_integer(*text)};
  }

  static std::string text_in(const ColumnExpression& expression, const io::JsonValue& row) {
    const io::JsonValue value = value_in(expression, row);
    if (value.is_null()) return {};
    const std::string* const text = value.find_string();
    if (text != nullptr) return sound_text(*text, expression.text());
    const auto integer = value.find_integer();
    if (!integer) throw BadRow{fmt::format("'{}' is no text", expression.text())};
    return std::to_string(*integer);
  }

  void add_captions(const ColumnExpression& expression, const io::JsonValue& row,
                    Scene& scene) const {
    const io::JsonValue value = value_in(expression, row);
    const auto add = [&](const io::JsonValue& element) {
      if (element.is_null()) return;
      const std::string* const text = element.find_string();
      if (text == nullptr) {
        throw BadRow{fmt::format("'{}' is no text and no list of texts", expression.text())};
      }
      if (!is_blank(*text)) scene.captions.push_back(sound_text(*text, expression.text()));
    };
    if (const io::JsonValue::Array* const list = value.find_array()) {
      for (const io::JsonValue& element : *list) add(element);
    } else {
      add(value);
    }
  }

  std::string url_of(const io::JsonValue& row) const {
    if (!expressions_.url) return "null";
    const std::string url = text_in(*expressions_.url, row);
    return url.empty() ? "null" : io::json_quote(url);
  }

  std::string meta_of(const io::JsonValue& row) const {
    io::JsonWriter json;
    json.begin_object();
    for (const auto& [name, expression] : expressions_.meta) {
      const io::JsonValue value = value_in(expression, row);
      json.key(name);
      const std::string* const text = value.find_string();
      const auto number = text != nullptr && is_text_only_ ? number_in(*text) : std::nullopt;
      json.value(number ? *number : value);
    }
    json.end_object();
    return json.take();
  }

  const SourceSpec& spec_;
  const Expressions& expressions_;
  bool is_text_only_;
};

// Fills in the URLs that a file of its own holds.
void look_up_urls(const SourceSpec& spec, std::vector<Scene>& entries, const LoadOptions& options) {
  if (spec.url_file.empty()) return;
  std::unordered_map<std::string_view, std::vector<std::size_t>> wanted;
  for (std::size_t i = 0; i < entries.size(); ++i) wanted[entries[i].id.text].push_back(i);
  const std::string what = spec.url_file.string();
  MemberReader reader(io::open_bytes(spec.url_file), what);
  while (const auto piece = reader.next()) {
    if (options.stop.stop_requested()) throw Exception(ErrorCode::kCancelled, "interrupted");
    const auto found = wanted.find(piece->member);
    if (found == wanted.end()) continue;
    const auto value = io::parse_json(piece->text, what);
    if (!value) throw Exception(value.error());
    const io::JsonValue* const url = value->find(spec.url_member);
    const std::string* const text = url == nullptr ? nullptr : url->find_string();
    if (text == nullptr) continue;
    for (const std::size_t index : found->second) {
      for (auto& [name, json] : entries[index].extra) {
        if (name == "url") json = io::json_quote(*text);
      }
    }
  }
}

// The first bad rows by name, the rest by number.
class BadRows {
 public:
  void add(std::string message) {
    if (count_++ < kNamedBadRows) named_.push_back(std::move(message));
  }
  std::int64_t count() const { return static_cast<std::int64_t>(count_); }
  void require_none(const SourceSpec& spec) const {
    if (count_ == 0) return;
    std::string text =
        fmt::format("{}: {} wrong row{} of the source '{}' (--skip-bad-rows leaves them out):",
                    spec.file.string(), count_, count_ == 1 ? "" : "s", spec.name);
    for (const std::string& message : named_) text += "\n  " + message;
    if (count_ > named_.size()) text += fmt::format("\n  and {} more", count_ - named_.size());
    throw Exception(ErrorCode::kInvalidArgument, text);
  }

 private:
  std::vector<std::string> named_;
  std::size_t count_ = 0;
};

void report(const LoadOptions& options, const SourceSpec& spec, std::uint64_t rows) {
  if (!options.progress) return;
  StepProgress progress;
  progress.done = static_cast<std::int64_t>(rows);
  progress.total = progress.done;
  progress.note = fmt::format("reading {}", spec.name);
  options.progress(progress);
}

std::unique_ptr<RowReader> open_rows(const SourceSpec& spec, const Expressions& expressions,
                                     std::stop_token stop) {
  if (spec.shape == SourceShape::kCoco) return std::make_unique<CocoRows>(spec, expressions, stop);
  return std::make_unique<TableRows>(spec, expressions);
}

// Keeps the wanted ones of those that were read, in the wanted order.
void draw(const SourceSpec& spec, const LoadOptions& options, std::vector<Scene>& entries,
          LoadedSource& loaded) {
  const auto limit = static_cast<std::uint64_t>(spec.limit);
  if (limit == 0 || entries.size() < limit) return;
  CONTRA4_CHECK(options.choose != nullptr, "a source with a limit needs a way to choose");
  std::vector<Scene> chosen;
  chosen.reserve(limit);
  for (const std::uint64_t index : options.choose(spec, entries.size(), limit)) {
    chosen.push_back(std::move(entries[index]));
  }
  loaded.not_drawn = static_cast<std::int64_t>(entries.size() - chosen.size());
  entries = std::move(chosen);
}

}  // namespace

LoadedSource load_source(const SourceSpec& spec, const LoadOptions& options, Corpus& corpus) {
  LoadedSource loaded{.spec = spec};
  const Expressions expressions = expressions_of(spec.columns);
  const auto rows = open_rows(spec, expressions, options.stop);
  const EntryMaker maker(spec, expressions, rows->is_text_only());
  std::vector<Scene> entries;
  BadRows bad_rows;
  std::optional<Error> damage;  // when it is the last thing that was read
  while (const auto row = rows->next()) {
    if (++loaded.rows % kRowsBetweenLooks == 0) {
      if (options.stop.stop_requested()) break;
      report(options, spec, static_cast<std::uint64_t>(loaded.rows));
    }
    damage.reset();
    if (!*row) {
      if (row->error().code == ErrorCode::kDataLoss) damage = row->error();
      bad_rows.add(row->error().message);
      continue;
    }
    try {
      Scene scene = maker.make(**row);
      if (scene.captions.empty()) {
        ++loaded.without_caption;
        if (!options.keep_without_caption) continue;
        scene.captions.emplace_back();
      }
      if (options.excluded != nullptr && options.excluded->contains(scene.source, scene.id.text)) {
        ++loaded.excluded;
        continue;
      }
      entries.push_back(std::move(scene));
    } catch (const BadRow& bad) {
      bad_rows.add(data::describe_row(spec.file.string(), rows->row(), {}, bad.reason));
    }
  }
  if (options.stop.stop_requested()) throw Exception(ErrorCode::kCancelled, "interrupted");
  if (damage) throw Exception(*damage);
  loaded.bad_rows = bad_rows.count();
  if (!options.skip_bad_rows) bad_rows.require_none(spec);
  draw(spec, options, entries, loaded);
  look_up_urls(spec, entries, options);
  loaded.entries = static_cast<std::int64_t>(entries.size());
  for (Scene& entry : entries) corpus.add(std::move(entry));
  report(options, spec, static_cast<std::uint64_t>(loaded.rows));
  return loaded;
}

std::uint64_t count_records(const std::filesystem::path& path, std::stop_token stop) {
  const auto format = data::find_file_format(path);
  std::uint64_t count = 0;
  if (format == data::FileFormat::kJson || format == data::FileFormat::kJsonLines) {
    const auto records = data::read_records(
        io::open_bytes(path),
        format == data::FileFormat::kJson ? data::RecordFormat::kList : data::RecordFormat::kLines,
        data::ReadLimits{}.max_row_bytes);
    while (const auto record = records->next()) {
      if (stop.stop_requested()) throw Exception(ErrorCode::kCancelled, "interrupted");
      if (!*record) {
        throw Exception(record->error().code, data::describe_row(path.string(), records->row(), {},
                                                                 record->error().message));
      }
      ++count;
    }
    return count;
  }
  const auto table = data::open_table(path);
  while (const auto row = table->next()) {
    if (stop.stop_requested()) throw Exception(ErrorCode::kCancelled, "interrupted");
    if (!*row) throw Exception(row->error());
    ++count;
  }
  return count;
}

std::string sources_json(std::span<const LoadedSource> sources) {
  io::JsonWriter json;
  json.begin_array();
  for (const LoadedSource& source : sources) {
    json.begin_object();
    json.member("name", source.spec.name);
    json.member("modality", to_string(source.spec.modality));
    json.member("licence", source.spec.licence);
    json.member("file", source.spec.shown_file);
    json.member("entries", source.entries);
    if (!source.spec.media_folder.empty()) {
      json.member("media_folder", source.spec.media_folder.generic_string());
    }
    json.end_object();
  }
  json.end_array();
  return json.take();
}

}  // namespace contra4::pipeline
