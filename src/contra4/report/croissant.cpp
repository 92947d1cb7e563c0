#include "contra4/report/croissant.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "contra4/io/json_writer.h"

namespace contra4::report {

namespace {

constexpr std::string_view kConformsTo = "http://mlcommons.org/croissant/1.0";

// As the standard wants it, to the letter.
// Source: https://docs.mlcommons.org/croissant/docs/croissant-spec.html, appendix "JSON-LD context"
constexpr std::string_view kContext = R"({
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform"
  })";

struct Field {
  std::string_view name;
  std::string_view description;
  std::string_view column;  // of the table
  std::string_view member;  // of the column's structs; empty: the column itself
};

constexpr std::array<Field, 6> kFields = {{
    {"id", "Names the question within the split.", "id", {}},
    {"question", "Asks which of the scenes fits.", "question", {}},
    {"gt_answer", "The right scene, as in 'Scene B'.", "gt_answer", {}},
    {"selection_type",
     "How the scenes were put together: random or similarity.",
     "selection_type",
     {}},
    {"q_type", "mc_2, mc_3 or mc_4: the number of scenes.", "q_type", {}},
    {"category", "What the question is about; may be empty.", "category", {}},
}};

constexpr std::array<Field, 4> kSceneFields = {{
    {"source", "The corpus of the medium.", "examples", "source"},
    {"id", "The medium within its corpus.", "examples", "id"},
    {"caption", "What the corpus says of the medium.", "examples", "caption"},
    {"modality", "audio, image, pc (a point cloud) or video.", "modalities", {}},
}};

std::string_view encoding_of(std::string_view file) {
  if (file.ends_with(".parquet")) return "application/x-parquet";
  if (file.ends_with(".jsonl")) return "application/jsonlines";
  return "application/json";
}

void write_file(io::JsonWriter& json, const DatasetFile& file, std::string_view split) {
  json.begin_object();
  json.member("@type", "cr:FileObject");
  json.member("@id", file.name);
  json.member("name", file.name);
  json.member("description", fmt::format("The questions of the split '{}'.", split));
  json.member("contentUrl", file.name);
  json.member("contentSize", fmt::format("{} B", file.bytes));
  json.member("encodingFormat", encoding_of(file.name));
  json.member("sha256", file.sha256);
  json.end_object();
}

// Leaves the object open.
void begin_field(io::JsonWriter& json, const std::string& id, std::string_view description) {
  json.begin_object();
  json.member("@type", "cr:Field");
  json.member("@id", id);
  json.member("name", id);
  json.member("description", description);
}

void write_field(io::JsonWriter& json, const std::string& parent, const Field& field,
                 const std::string& table) {
  begin_field(json, parent + "/" + std::string(field.name), field.description);
  json.member("dataType", "sc:Text");
  json.key("source").begin_object();
  json.key("fileObject").begin_object().member("@id", table).end_object();
  json.key("extract").begin_object().member("column", field.column).end_object();
  if (!field.member.empty()) {
    json.key("transform").begin_object().member("jsonPath", field.member).end_object();
  }
  json.end_object().end_object();
}

void write_record_set(io::JsonWriter& json, const SplitFacts& split) {
  const std::string& table = split.table().name;
  json.begin_object();
  json.member("@type", "cr:RecordSet");
  json.member("@id", split.name);
  json.member("name", split.name);
  json.member("description",
              fmt::format("{} questions; one record is one question.", split.summary.items));
  json.key("key").begin_object().member("@id", split.name + "/id").end_object();
  json.key("field").begin_array();
  for (const Field& field : kFields) write_field(json, split.name, field, table);
  const std::string scenes = split.name + "/examples";
  begin_field(json, scenes, "The scenes in their order: the first is Scene A.");
  json.member("repeated", true);
  json.key("subField").begin_array();
  for (const Field& field : kSceneFields) write_field(json, scenes, field, table);
  json.end_array().end_object();
  json.end_array().end_object();
}

void write_names(io::JsonWriter& json, std::string_view name,
                 const std::vector<std::string>& names) {
  json.key(name).begin_array();
  for (const std::string& entry : names) json.value(entry);
  json.end_array();
}

}  // namespace

std::string croissant_json(const DatasetFacts& facts) {
  const DatasetInfo& info = facts.info;
  io::JsonWriter json(2);
  json.begin_object();
  json.key("@context").raw(kContext);
  json.member("@type", "sc:Dataset");
  json.member("conformsTo", kConformsTo);
  json.member("name", info.name);
  if (!info.title.empty()) json.member("alternateName", info.title);
  json.member("description", plain_description(facts));
  json.member("version", info.data_version);
  if (!info.licence_url.empty()) {
    json.member("license", info.licence_url);
  } else {
    json.member("license", facts.licence.id == "other" ? facts.licence.name : facts.licence.id);
  }
  if (!info.homepage.empty()) json.member("url", info.homepage);
  if (!info.date_published.empty()) json.member("datePublished", info.date_published);
  if (!info.creators.empty()) {
    json.key("creator").begin_array();
    for (const std::string& creator : info.creators) {
      json.begin_object().member("@type", "sc:Person").member("name", creator).end_object();
    }
    json.end_array();
  }
  json.member("citeAs", info.citation.empty() ? method_citation() : info.citation);
  write_names(json, "inLanguage", info.languages);
  write_names(json, "keywords", tags_of(facts));
  json.member("isLiveDataset", false);
  if (!facts.notes.empty()) write_names(json, "rai:dataLimitations", facts.notes);
  json.key("distribution").begin_array();
  for (const SplitFacts& split : facts.splits) {
    for (const DatasetFile& file : split.files) write_file(json, file, split.name);
  }
  json.end_array();
  json.key("recordSet").begin_array();
  for (const SplitFacts& split : facts.splits) {
    if (split.table().name.ends_with(".parquet")) write_record_set(json, split);
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

}  // namespace contra4::report
