// --sources FILE.yaml to the specifications of corpora.
#include <algorithm>
#include <cctype>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/suggest.h"
#include "contra4/data/file_format.h"
#include "contra4/io/yaml.h"
#include "contra4/pipeline/source_columns.h"
#include "contra4/pipeline/sources.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

// One entry of the list, with what is needed to say where something is wrong.
class Entry {
 public:
  Entry(std::string where, const io::JsonValue& value) : where_(std::move(where)), value_(value) {}

  [[noreturn]] void refuse(std::string_view reason) const {
    throw Exception(ErrorCode::kInvalidArgument, fmt::format("{}: {}", where_, reason));
  }

  void require_known(const std::vector<std::string>& names) const {
    if (!value_.is_object()) refuse("'name: value' pairs are wanted");
    for (const auto& [name, member] : *value_.find_object()) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      const auto nearest = find_nearest(name, names);
      refuse(fmt::format("no member '{}'{}", name,
                         nearest ? fmt::format("; is '{}' meant?", *nearest) : ""));
    }
  }

  // Empty when there is none.
  std::string text(std::string_view name) const {
    const io::JsonValue* const member = value_.find(name);
    if (member == nullptr || member->is_null()) return {};
    const std::string* const text = member->find_string();
    if (text == nullptr || text->empty()) refuse(fmt::format("'{}' is to be a text", name));
    return *text;
  }
  // Under either name.
  std::string text(std::string_view name, std::string_view other) const {
    std::string found = text(name);
    return found.empty() ? text(other) : found;
  }
  std::string required_text(std::string_view name) const {
    std::string found = text(name);
    if (found.empty()) refuse(fmt::format("there is no '{}'", name));
    return found;
  }
  // A text or a list of them.
  std::vector<std::string> texts(std::string_view name, const io::JsonValue& member) const {
    std::vector<std::string> found;
    if (const std::string* const text = member.find_string()) found.push_back(*text);
    if (const io::JsonValue::Array* const list = member.find_array()) {
      for (const io::JsonValue& element : *list) {
        const std::string* const text = element.find_string();
        if (text == nullptr) refuse(fmt::format("'{}' is to be a text or a list of texts", name));
        found.push_back(*text);
      }
    }
    if (found.empty() || std::find(found.begin(), found.end(), "") != found.end()) {
      refuse(fmt::format("'{}' is to be a text or a list of texts", name));
    }
    return found;
  }
  const io::JsonValue* find(std::string_view name) const { return value_.find(name); }
  const std::string& where() const { return where_; }

 private:
  std::string where_;
  const io::JsonValue& value_;
};

std::string column_of(const Entry& entry, std::string text) {
  const auto expression = ColumnExpression::parse(text);
  if (!expression) entry.refuse(expression.error().message);
  return text;
}

void read_meta(const Entry& columns, SourceColumns& out) {
  const io::JsonValue* const meta = columns.find("meta");
  if (meta == nullptr || meta->is_null()) return;
  if (const io::JsonValue::Object* const members = meta->find_object()) {
    for (const auto& [name, column] : *members) {
      const std::string* const text = column.find_string();
      if (text == nullptr) columns.refuse("'meta' is to map members to columns");
      out.meta.emplace_back(name, column_of(columns, *text));
    }
    return;
  }
  for (const std::string& name : columns.texts("meta", *meta)) out.meta.emplace_back(name, name);
}

SourceColumns columns_of(const Entry& entry, SourceShape shape) {
  SourceColumns out;
  if (shape == SourceShape::kCoco) {
    out.id = "image_id";
    out.url = "coco_url";
  }
  const io::JsonValue* const value = entry.find("columns");
  if (value == nullptr || value->is_null()) return out;
  const Entry columns(entry.where() + ": columns", *value);
  columns.require_known(
      {"id", "caption", "captions", "url", "media", "licence", "license", "meta"});
  if (const std::string id = columns.text("id"); !id.empty()) out.id = column_of(columns, id);
  const io::JsonValue* captions = columns.find("caption");
  if (captions != nullptr && columns.find("captions") != nullptr) {
    columns.refuse("'caption' and 'captions' are the same: give one");
  }
  if (captions == nullptr) captions = columns.find("captions");
  if (captions != nullptr) {
    out.captions = columns.texts("caption", *captions);
    for (const std::string& caption : out.captions) column_of(columns, caption);
  }
  if (const std::string url = columns.text("url"); !url.empty()) out.url = column_of(columns, url);
  out.media = column_of(columns, columns.text("media"));
  out.licence = column_of(columns, columns.text("licence", "license"));
  read_meta(columns, out);
  return out;
}

// The files of the split as stated; empty when it has none.
std::vector<std::string> files_of(const Entry& entry, std::string_view split) {
  const io::JsonValue* file = entry.find("file");
  if (file == nullptr || file->is_null()) entry.refuse("there is no 'file'");
  if (const io::JsonValue::Object* const by_split = file->find_object()) {
    if (by_split->empty()) entry.refuse("'file' names no split");
    file = file->find(split);
    if (file == nullptr || file->is_null()) return {};
  }
  std::vector<std::string> files = entry.texts("file", *file);
  constexpr std::string_view kPlace = "{split}";
  for (std::string& name : files) {
    if (const auto place = name.find(kPlace); place != std::string::npos) {
      name.replace(place, kPlace.size(), split);
    }
  }
  return files;
}

SourceShape shape_of(const Entry& entry, const std::string& format,
                     const std::vector<std::string>& files) {
  if (format.empty()) return SourceShape::kTable;
  if (format == "coco") return SourceShape::kCoco;
  constexpr std::pair<std::string_view, data::FileFormat> kFormats[] = {
      {"csv", data::FileFormat::kCsv},
      {"json", data::FileFormat::kJson},
      {"jsonl", data::FileFormat::kJsonLines},
      {"parquet", data::FileFormat::kParquet}};
  for (const auto& [name, wanted] : kFormats) {
    if (format != name) continue;
    for (const std::string& file : files) {
      if (data::find_file_format(file) != wanted) {
        entry.refuse(fmt::format("format '{}' goes with a name in .{} (or .{}.gz), not '{}'",
                                 format, format, format, file));
      }
    }
    return SourceShape::kTable;
  }
  entry.refuse(fmt::format("no format '{}'; csv, json, jsonl, parquet and coco are known", format));
}

void read_entry(const Entry& entry, const fs::path& folder, std::string_view split,
                FoundSources& sources) {
  entry.require_known(
      {"modality", "name", "file", "format", "columns", "media", "licence", "license", "limit"});
  SourceSpec spec;
  const std::string word = entry.required_text("modality");
  const auto modality = parse_modality(word);
  if (!modality) {
    entry.refuse(fmt::format("no modality '{}'; audio, pc, image and video are known", word));
  }
  spec.modality = *modality;
  spec.name = entry.required_text("name");
  const std::vector<std::string> files = files_of(entry, split);
  spec.shape = shape_of(entry, entry.text("format"), files);
  spec.columns = columns_of(entry, spec.shape);
  spec.media_folder = entry.text("media");
  spec.licence = entry.text("licence", "license");
  if (const io::JsonValue* const limit = entry.find("limit")) {
    spec.limit = limit->find_integer().value_or(-1);
    if (spec.limit < 0) entry.refuse("'limit' is a number of entries, 0 for all");
  }
  if (files.empty()) {
    sources.missing.push_back(fmt::format("{}: a file for the split '{}'", entry.where(), split));
  }
  for (const std::string& file : files) {
    spec.file = fs::path(file).is_absolute() ? fs::path(file) : folder / file;
    spec.shown_file = fs::path(file).is_absolute() ? fs::path(file).filename().string() : file;
    std::error_code error;
    if (!fs::exists(spec.file, error)) {
      throw Exception(ErrorCode::kNotFound,
                      fmt::format("{}: no file {}", entry.where(), spec.file.string()));
    }
    sources.specs.push_back(spec);
  }
}

}  // namespace

FoundSources read_sources_file(const fs::path& path, std::string_view split) {
  const io::JsonValue document = io::read_yaml_file(path);
  const io::JsonValue* list = &document;
  if (document.is_object()) {
    Entry(path.string(), document).require_known({"sources"});
    list = document.find("sources");
  }
  if (list == nullptr || !list->is_array() || list->find_array()->empty()) {
    throw Exception(
        ErrorCode::kInvalidArgument,
        fmt::format("{}: a list 'sources' is wanted, an entry per corpus with modality, name and "
                    "file",
                    path.string()));
  }
  FoundSources sources;
  int number = 0;
  for (const io::JsonValue& value : *list->find_array()) {
    ++number;
    const io::JsonValue* const name = value.find("name");
    const std::string* const text = name == nullptr ? nullptr : name->find_string();
    const std::string where = fmt::format("{}: source {}{}", path.string(), number,
                                          text == nullptr ? "" : fmt::format(" ({})", *text));
    read_entry(Entry(where, value), path.parent_path(), split, sources);
  }
  return sources;
}

}  // namespace contra4::pipeline
