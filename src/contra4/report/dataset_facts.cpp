#include "contra4/report/dataset_facts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/base/suggest.h"
#include "contra4/scoring/blind_rules.h"
#include "contra4/scoring/shared_media.h"

namespace contra4::report {

namespace {

constexpr std::size_t kMaxNameLength = 96;  // of a repository on the Hugging Face hub

// Of those that the hub knows, the ones that data are published under.
// Source: https://huggingface.co/docs/hub/repositories-licenses
constexpr std::array<std::string_view, 43> kHubLicences = {"apache-2.0",
                                                           "mit",
                                                           "cc",
                                                           "cc0-1.0",
                                                           "cc-by-2.0",
                                                           "cc-by-2.5",
                                                           "cc-by-3.0",
                                                           "cc-by-4.0",
                                                           "cc-by-sa-3.0",
                                                           "cc-by-sa-4.0",
                                                           "cc-by-nc-2.0",
                                                           "cc-by-nc-3.0",
                                                           "cc-by-nc-4.0",
                                                           "cc-by-nd-4.0",
                                                           "cc-by-nc-nd-3.0",
                                                           "cc-by-nc-nd-4.0",
                                                           "cc-by-nc-sa-2.0",
                                                           "cc-by-nc-sa-3.0",
                                                           "cc-by-nc-sa-4.0",
                                                           "cdla-sharing-1.0",
                                                           "cdla-permissive-1.0",
                                                           "cdla-permissive-2.0",
                                                           "c-uda",
                                                           "pddl",
                                                           "odc-by",
                                                           "odbl",
                                                           "openrail",
                                                           "bsd",
                                                           "bsd-2-clause",
                                                           "bsd-3-clause",
                                                           "gpl",
                                                           "gpl-2.0",
                                                           "gpl-3.0",
                                                           "lgpl",
                                                           "lgpl-2.1",
                                                           "lgpl-3.0",
                                                           "agpl-3.0",
                                                           "mpl-2.0",
                                                           "isc",
                                                           "unlicense",
                                                           "wtfpl",
                                                           "gfdl",
                                                           "etalab-2.0"};

// Free for any use: a set may hold it under any licence.
constexpr std::array<std::string_view, 4> kPublicDomain = {"cc0-1.0", "pddl", "unlicense", "wtfpl"};

constexpr std::string_view kMethodCitation = R"(@article{panagopoulou2025contra4,
  title   = {Contra4: Evaluating Contrastive Cross-Modal Reasoning in Audio, Video, Image, and 3D},
  author  = {Panagopoulou, Artemis and Xue, Le and Zhou, Honglu and Savarese, Silvio and Xu, Ran and
             Xiong, Caiming and Callison-Burch, Chris and Yatskar, Mark and Niebles, Juan Carlos},
  journal = {arXiv preprint arXiv:2506.01275},
  year    = {2025}
}
)";

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "CC BY 4.0 (captions)" as "cc-by-4.0-captions".
std::string slug_of(std::string_view text) {
  std::string slug;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '.') {
      slug += static_cast<char>(std::tolower(byte));
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  while (!slug.empty() && (slug.back() == '-' || slug.back() == '.')) slug.pop_back();
  return slug;
}

// The hub's word for a licence as people write it.
std::string hub_licence(std::string_view stated) {
  std::string slug = slug_of(stated);
  static const std::map<std::string, std::string, std::less<>> other_words = {
      {"cc0", "cc0-1.0"},           {"cc-0", "cc0-1.0"},
      {"cc-zero", "cc0-1.0"},       {"cc0-1.0-universal", "cc0-1.0"},
      {"public-domain", "cc0-1.0"}, {"apache-license-2.0", "apache-2.0"},
      {"mit-license", "mit"},       {"creative-commons-attribution-4.0", "cc-by-4.0"},
      {"odc-odbl", "odbl"}};
  if (const auto other = other_words.find(slug); other != other_words.end()) return other->second;
  return slug;
}

[[noreturn]] void refuse(std::string_view what, const std::string& reason) {
  throw Exception(ErrorCode::kInvalidArgument, fmt::format("{}: {}", what, reason));
}

std::string text_of(const io::JsonValue& value, std::string_view what, std::string_view name) {
  if (const std::string* const text = value.find_string()) return *text;
  refuse(what, fmt::format("'{}' has to be text", name));
}

std::vector<std::string> texts_of(const io::JsonValue& value, std::string_view what,
                                  std::string_view name) {
  if (const std::string* const text = value.find_string()) return {*text};
  const io::JsonValue::Array* const list = value.find_array();
  if (list == nullptr) refuse(what, fmt::format("'{}' has to be a text or a list of texts", name));
  std::vector<std::string> texts;
  for (const io::JsonValue& entry : *list) texts.push_back(text_of(entry, what, name));
  return texts;
}

struct InfoMember {
  std::string_view name;
  std::string DatasetInfo::*text = nullptr;
  std::vector<std::string> DatasetInfo::*texts = nullptr;
};

constexpr std::array<InfoMember, 15> kInfoMembers = {{
    {"name", &DatasetInfo::name},
    {"title", &DatasetInfo::title},
    {"description", &DatasetInfo::description},
    {"languages", nullptr, &DatasetInfo::languages},
    {"language", nullptr, &DatasetInfo::languages},
    {"licence", &DatasetInfo::licence},
    {"license", &DatasetInfo::licence},
    {"licence_url", &DatasetInfo::licence_url},
    {"license_url", &DatasetInfo::licence_url},
    {"citation", &DatasetInfo::citation},
    {"homepage", &DatasetInfo::homepage},
    {"creators", nullptr, &DatasetInfo::creators},
    {"data_version", &DatasetInfo::data_version},
    {"version", &DatasetInfo::data_version},
    {"date_published", &DatasetInfo::date_published},
}};

bool is_version(std::string_view text) {
  int numbers = 1;
  bool has_digit = false;
  for (const char c : text) {
    if (c == '.') {
      if (!has_digit) return false;
      has_digit = false;
      ++numbers;
    } else if (c >= '0' && c <= '9') {
      has_digit = true;
    } else {
      return false;
    }
  }
  return has_digit && numbers == 3;
}

std::string member_text(const io::JsonValue& object, std::string_view name) {
  const io::JsonValue* const member = object.find(name);
  const std::string* const text = member == nullptr ? nullptr : member->find_string();
  return text == nullptr ? std::string() : *text;
}

// Leaves what it does not understand empty: manifests are read for what they say.
DatasetSource source_of(const io::JsonValue& entry) {
  DatasetSource source;
  source.name = member_text(entry, "name");
  source.modality = member_text(entry, "modality");
  source.licence = member_text(entry, "licence");
  if (source.licence.empty()) source.licence = member_text(entry, "license");
  if (const io::JsonValue* const entries = entry.find("entries")) {
    source.entries = entries->find_integer().value_or(0);
  }
  source.media = member_text(entry, "media_folder");
  if (const std::string file = member_text(entry, "file"); !file.empty()) {
    source.files.push_back(file);
  }
  return source;
}

void add_source(std::vector<DatasetSource>& sources, const DatasetSource& source) {
  const auto known = std::find_if(sources.begin(), sources.end(), [&](const DatasetSource& other) {
    return other.name == source.name && other.modality == source.modality;
  });
  if (known == sources.end()) {
    sources.push_back(source);
    return;
  }
  known->entries += source.entries;
  for (const std::string& file : source.files) {
    if (std::find(known->files.begin(), known->files.end(), file) == known->files.end()) {
      known->files.push_back(file);
    }
  }
  if (known->media.empty()) known->media = source.media;
  if (known->licence.empty()) {
    known->licence = source.licence;
  } else if (!source.licence.empty() && known->licence != source.licence) {
    known->licence += "; " + source.licence;
  }
}

std::string name_with_model(const pipeline::Manifest& manifest) {
  for (const std::string_view name : {"name", "model_name", "model"}) {
    const std::string text = member_text(manifest.settings, name);
    if (!text.empty()) return fmt::format("{} {}", manifest.stage, text);
  }
  return manifest.stage;
}

// "generate: answered".
std::string name_with_result(const pipeline::Manifest& manifest) {
  if (manifest.counts.empty()) return manifest.stage;
  return fmt::format("{}: {}", manifest.stage, manifest.counts.back().first);
}

bool has_modality(const DatasetFacts& facts, Modality modality) {
  const std::string name(to_string(modality));
  return std::any_of(facts.splits.begin(), facts.splits.end(), [&](const SplitFacts& split) {
    return split.summary.scenes_by_modality.contains(name);
  });
}

// As people call them.
std::vector<std::string> modalities_of(const DatasetFacts& facts) {
  constexpr std::array<std::string_view, kModalities.size()> kWords = {"sounds", "3D objects",
                                                                       "pictures", "videos"};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kModalities.size(); ++i) {
    if (has_modality(facts, kModalities[i])) names.emplace_back(kWords[i]);
  }
  return names;
}

}  // namespace

DatasetInfo parse_dataset_info(const io::JsonValue& section, std::string_view what) {
  const io::JsonValue::Object* const members = section.find_object();
  if (members == nullptr) refuse(what, "the section has to be a mapping of names to texts");
  DatasetInfo info;
  for (const auto& [name, value] : *members) {
    const auto member = std::find_if(kInfoMembers.begin(), kInfoMembers.end(),
                                     [&](const InfoMember& known) { return known.name == name; });
    if (member == kInfoMembers.end()) {
      std::vector<std::string> names;
      for (const InfoMember& known : kInfoMembers) names.emplace_back(known.name);
      const auto nearest = find_nearest(name, names);
      refuse(what, fmt::format("there is no '{}'{}", name,
                               nearest ? fmt::format("; did you mean '{}'?", *nearest)
                                       : fmt::format("; there are {}", fmt::join(names, ", "))));
    }
    if (member->text != nullptr) {
      info.*member->text = text_of(value, what, name);
    } else {
      info.*member->texts = texts_of(value, what, name);
    }
  }
  check_dataset_info(info);
  return info;
}

void check_dataset_info(const DatasetInfo& info) {
  const bool is_fine =
      !info.name.empty() && info.name.size() <= kMaxNameLength && info.name.front() != '.' &&
      info.name.front() != '-' && info.name.back() != '.' && info.name.back() != '-' &&
      std::all_of(info.name.begin(), info.name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
      });
  if (!is_fine) {
    refuse("[dataset]", fmt::format("the name '{}' has to be letters, digits, '.', '-' and '_', at "
                                    "most {} of them, with neither '.' nor '-' at its ends; "
                                    "`title` may be anything",
                                    info.name, kMaxNameLength));
  }
  if (!is_version(info.data_version)) {
    refuse("[dataset]", fmt::format("data_version '{}' has to be like 1.0.0 (in quotes in YAML)",
                                    info.data_version));
  }
}

std::vector<std::string> step_labels(const StrategySteps& steps) {
  std::vector<std::string> labels;
  for (const pipeline::Manifest& manifest : steps.manifests) {
    const auto count_like = [&](std::string (*name_of)(const pipeline::Manifest&)) {
      return std::count_if(
          steps.manifests.begin(), steps.manifests.end(),
          [&](const pipeline::Manifest& other) { return name_of(other) == name_of(manifest); });
    };
    std::string name = manifest.stage;
    if (count_like([](const pipeline::Manifest& other) { return other.stage; }) > 1) {
      name = name_with_model(manifest);
      if (count_like(name_with_model) > 1) name = name_with_result(manifest);
    }
    std::string label = name;
    for (int number = 2; std::find(labels.begin(), labels.end(), label) != labels.end(); ++number) {
      label = fmt::format("{} ({})", name, number);
    }
    labels.push_back(std::move(label));
  }
  return labels;
}

std::vector<DatasetSource> sources_of(std::span<const StrategySteps> steps) {
  std::vector<DatasetSource> stated;  // as in the manifests: strategies repeat each other
  for (const StrategySteps& strategy : steps) {
    for (const pipeline::Manifest& manifest : strategy.manifests) {
      const io::JsonValue* const list = manifest.settings.find("sources");
      if (list == nullptr || !list->is_array()) continue;
      for (const io::JsonValue& entry : *list->find_array()) {
        DatasetSource source = source_of(entry);
        if (source.name.empty()) continue;
        const auto same =
            std::find_if(stated.begin(), stated.end(), [&](const DatasetSource& other) {
              return other.name == source.name && other.modality == source.modality &&
                     other.licence == source.licence && other.files == source.files;
            });
        if (same == stated.end()) {
          stated.push_back(std::move(source));
        } else {
          same->entries = std::max(same->entries, source.entries);
        }
      }
    }
  }
  std::vector<DatasetSource> sources;
  for (const DatasetSource& source : stated) add_source(sources, source);
  return sources;
}

std::vector<std::string> notes_of(std::span<const StrategySteps> steps) {
  std::vector<std::string> notes;
  for (const StrategySteps& strategy : steps) {
    for (const pipeline::Manifest& manifest : strategy.manifests) {
      for (const std::string& note : manifest.notes) {
        if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
      }
    }
  }
  return notes;
}

DatasetLicence licence_of(const DatasetInfo& info, std::span<const DatasetSource> sources) {
  std::vector<std::string> stated;  // of the sources, each once
  bool all_stated = true;
  for (const DatasetSource& source : sources) {
    all_stated = all_stated && !source.licence.empty();
    if (source.licence.empty()) continue;
    std::string id = hub_licence(source.licence);
    if (std::find(stated.begin(), stated.end(), id) == stated.end())
      stated.push_back(std::move(id));
  }
  std::string wanted = hub_licence(info.licence);
  if (wanted.empty() && all_stated && stated.size() == 1) wanted = stated.front();
  if (wanted.empty() && stated.empty()) {
    return {.id = "unknown",
            .name = {},
            .sentence = "No licence is stated, neither for the questions nor by a source."};
  }
  const bool holds = !wanted.empty() && all_stated &&
                     std::all_of(stated.begin(), stated.end(), [&](const std::string& id) {
                       return id == wanted || contains(kPublicDomain, id);
                     });
  if (!holds) {
    return {.id = "other",
            .name = wanted.empty() ? "as-the-sources" : wanted + "-and-as-the-sources",
            .sentence = info.licence.empty()
                            ? "The sources do not agree on a licence: each caption and medium has "
                              "that of its source."
                            : fmt::format("The questions are under {}; each caption and medium has "
                                          "the licence of its source.",
                                          info.licence)};
  }
  DatasetLicence licence;
  const std::string shown = info.licence.empty() ? sources.front().licence : info.licence;
  licence.id = contains(kHubLicences, wanted) ? wanted : "other";
  if (licence.id == "other") licence.name = wanted;
  if (info.licence.empty()) {
    licence.sentence = fmt::format("All sources are under {}; so is this set.", shown);
  } else if (sources.empty()) {
    licence.sentence = fmt::format("The set is under {}.", shown);
  } else {
    licence.sentence = fmt::format(
        "The set is under {}; each source is under the same licence or in the public domain.",
        shown);
  }
  return licence;
}

DatasetFile describe_file(const std::filesystem::path& path) {
  return {.name = path.filename().string(),
          .bytes = std::filesystem::file_size(path),
          .sha256 = sha256_hex_of_file(path)};
}

std::vector<BlindFigure> blind_figures(std::span<const Item> items,
                                       std::span<const Item> fit_items) {
  const scoring::SharedMedia media(items);
  std::vector<BlindFigure> figures;
  for (scoring::BlindRow& row : scoring::blind_rows(items, fit_items)) {
    BlindFigure figure{.rule = row.name, .note = row.note, .cells = {}};
    if (row.is_available && !row.observations.empty()) {
      figure.cells = scoring::cell_accuracies(items, row.observations, media);
    }
    figures.push_back(std::move(figure));
  }
  return figures;
}

std::uint64_t DatasetFacts::num_items() const {
  std::uint64_t items = 0;
  for (const SplitFacts& split : splits) items += split.summary.items;
  return items;
}

std::uint64_t DatasetFacts::scenes_of(const std::string& source) const {
  std::uint64_t scenes = 0;
  for (const SplitFacts& split : splits) {
    const auto found = split.summary.scenes_by_source.find(source);
    if (found != split.summary.scenes_by_source.end()) scenes += found->second;
  }
  return scenes;
}

std::string plain_description(const DatasetFacts& facts) {
  if (!facts.info.description.empty()) return facts.info.description;
  std::string kinds;
  const std::vector<std::string> names = modalities_of(facts);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) kinds += i + 1 == names.size() ? " and " : ", ";
    kinds += names[i];
  }
  return fmt::format(
      "Questions that compare scenes ({}): each asks which of two to four scenes fits, and exactly "
      "one does.",
      kinds.empty() ? "of several modalities" : kinds);
}

std::string_view method_citation() {
  return kMethodCitation;
}

std::vector<std::string> tags_of(const DatasetFacts& facts) {
  std::vector<std::string> tags = {"contrastive-reasoning", "cross-modal", "multimodal"};
  for (const Modality modality : kModalities) {
    if (has_modality(facts, modality)) {
      tags.emplace_back(modality == Modality::kPointCloud ? "3d" : to_string(modality));
    }
  }
  return tags;
}

}  // namespace contra4::report
