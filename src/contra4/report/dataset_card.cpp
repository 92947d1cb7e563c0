#include "contra4/report/dataset_card.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/version.h"
#include "contra4/io/json_writer.h"
#include "contra4/report/escape.h"
#include "contra4/report/figures.h"
#include "contra4/report/funnel.h"

namespace contra4::report {

namespace {

constexpr std::string_view kNothing = "\u2013";
constexpr std::size_t kMaxValueLength =
    160;                                  // of a setting in the page; manifest.json has it whole
constexpr std::size_t kShownDigits = 12;  // of a SHA-256

// What each step does, for readers who did not run it.
constexpr std::pair<std::string_view, std::string_view> kStepSentences[] = {
    {"sample",
     "Puts captioned media together: two to four scenes a question, drawn at random or by the "
     "likeness of their captions."},
    {"generate",
     "Writes a question for the scenes from their captions, then the answer; malformed questions "
     "are asked for again and dropped in the end."},
    {"verify",
     "Asks models the question, with captions for scenes, in several orders of the scenes: an "
     "answer that moves with the order does not count."},
    {"filter",
     "Keeps what the models agree on, and drops questions that name a modality or ask about "
     "captions."},
    {"balance", "Moves scenes so that each position is the right one equally often."},
    {"categorize", "Says what each question is about."},
    {"split", "Parts the questions so that no medium is in two parts."},
    {"merge", "Puts the shards of a step together."}};

// Cells are Markdown already.
struct MarkdownTable {
  std::vector<std::string> header;
  std::size_t num_left = 1;  // columns of words; numbers after them
  bool ends_in_words = false;
  std::vector<std::vector<std::string>> rows;

  std::string text() const {
    std::string out = "|";
    for (const std::string& cell : header) out += " " + cell + " |";
    out += "\n|";
    for (std::size_t i = 0; i < header.size(); ++i) {
      const bool is_left = i < num_left || (ends_in_words && i + 1 == header.size());
      out += is_left ? "---|" : "---:|";
    }
    out += "\n";
    for (const auto& row : rows) {
      out += "|";
      for (const std::string& cell : row) out += " " + cell + " |";
      out += "\n";
    }
    return out;
  }
};

std::string count_with_share(std::uint64_t count, std::uint64_t total) {
  std::string number = with_thousands(static_cast<std::int64_t>(count));
  if (total == 0) return number;
  return fmt::format("{} ({}%)", number,
                     percent(static_cast<double>(count) / static_cast<double>(total)));
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", with_thousands(static_cast<std::int64_t>(count)),
                     count == 1 ? one : many);
}

std::string_view size_category(std::uint64_t items) {
  constexpr std::pair<std::uint64_t, std::string_view> kSizes[] = {{1'000, "n<1K"},
                                                                   {10'000, "1K<n<10K"},
                                                                   {100'000, "10K<n<100K"},
                                                                   {1'000'000, "100K<n<1M"},
                                                                   {10'000'000, "1M<n<10M"}};
  for (const auto& [below, name] : kSizes) {
    if (items < below) return name;
  }
  return "10M<n<100M";
}

void append_list(std::string& yaml, std::string_view name, std::span<const std::string> values) {
  if (values.empty()) return;
  yaml += fmt::format("{}:\n", name);
  for (const std::string& value : values) yaml += fmt::format("- {}\n", yaml_text(value));
}

std::string header(const DatasetFacts& facts) {
  std::string yaml = "---\n";
  yaml += fmt::format("pretty_name: {}\n", yaml_text(facts.title()));
  append_list(yaml, "language", facts.info.languages);
  yaml += fmt::format("license: {}\n", facts.licence.id);
  if (facts.licence.id == "other") {
    yaml += fmt::format("license_name: {}\n", yaml_text(facts.licence.name));
    if (!facts.info.licence_url.empty()) {
      yaml += fmt::format("license_link: {}\n", yaml_text(facts.info.licence_url));
    }
  }
  yaml += "annotations_creators:\n- machine-generated\n";
  yaml +=
      "task_categories:\n- multiple-choice\n- question-answering\n- visual-question-answering\n";
  yaml += fmt::format("size_categories:\n- {}\n", size_category(facts.num_items()));
  append_list(yaml, "tags", tags_of(facts));
  yaml += "configs:\n- config_name: default\n  data_files:\n";
  for (const SplitFacts& split : facts.splits) {
    yaml += fmt::format("  - split: {}\n    path: {}\n", yaml_text(split.name),
                        yaml_text(split.table().name));
  }
  return yaml + "---\n";
}

std::string section(std::string_view title, const std::string& body) {
  return fmt::format("\n## {}\n\n{}", title, body);
}

std::string as_sentence(const std::string& note) {
  if (note.empty()) return note;
  std::string text = note;
  if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  if (text.find_last_of(".!?") != text.size() - 1) text += '.';
  return text;
}

std::string warnings(const DatasetFacts& facts) {
  std::string text;
  for (const std::string& note : facts.notes) {
    text += fmt::format("> **{}**\n>\n", markdown_text(as_sentence(note)));
  }
  if (text.empty()) return text;
  text.resize(text.size() - 2);  // no empty line at the end of the quotation
  return text + "\n";
}

std::string what_it_is(const DatasetFacts& facts) {
  std::string text =
      "Each row is a question about two to four scenes; exactly one of them is the answer. A scene "
      "is a medium of one of the sources, named by `source` and `id`; the media themselves are not "
      "part of the set.\n\n";
  MarkdownTable files;
  files.header = {"split", "file", "questions", "bytes", "SHA-256"};
  files.num_left = 2;
  files.ends_in_words = true;
  for (const SplitFacts& split : facts.splits) {
    for (const DatasetFile& file : split.files) {
      files.rows.push_back({markdown_code(split.name), fmt::format("[{0}]({0})", file.name),
                            with_thousands(static_cast<std::int64_t>(split.summary.items)),
                            with_thousands(static_cast<std::int64_t>(file.bytes)),
                            markdown_code(file.sha256.substr(0, kShownDigits))});
    }
  }
  text += files.text();
  text +=
      "\nThe files of a split hold the same rows.\n\n"
      "| field | what |\n|---|---|\n"
      "| `id` | names the question |\n"
      "| `question` | asks which of the scenes fits |\n"
      "| `gt_answer` | the right scene: `Scene A` is the first of `examples` |\n"
      "| `examples` | the scenes in order: `source`, `id`, `caption` |\n"
      "| `modalities` | one per scene: `audio`, `image`, `pc` (a point cloud), `video` |\n"
      "| `selection_type`, `q_type` | how the scenes were put together, and how many: `mc_2` to "
      "`mc_4` |\n"
      "| `category` | what the question is about, where that was asked |\n";
  for (const SplitFacts& split : facts.splits) {
    if (split.example.empty()) continue;
    text += "\nThe first one:\n\n" + markdown_block("json", split.example);
    break;
  }
  return section("What it is", text);
}

std::string shown_value(const std::string& value) {
  if (value.size() <= kMaxValueLength) return markdown_code(value);
  std::size_t length = kMaxValueLength;
  while (length > 0 && (static_cast<unsigned char>(value[length]) & 0xC0U) == 0x80U) --length;
  return markdown_code(value.substr(0, length) + "\u2026");
}

using Leaves = std::vector<std::pair<std::string, std::string>>;

Leaves leaves_of(const pipeline::Manifest& manifest) {
  Leaves leaves;
  io::each_leaf(manifest.settings, {}, [&](const std::string& name, const io::JsonValue& leaf) {
    const std::string* const text = leaf.find_string();
    leaves.emplace_back(name, text == nullptr ? io::compact_json(leaf) : *text);
  });
  // Sources have their own table, and the strategy is the column.
  std::erase_if(leaves, [](const auto& leaf) {
    return leaf.first == "sources" || leaf.first == "strategy" || leaf.first.empty();
  });
  for (const auto& [name, sha256] : manifest.inputs) {
    leaves.emplace_back("input: " + name, "SHA-256 " + sha256.substr(0, kShownDigits));
  }
  return leaves;
}

// Of one step in every strategy that has it.
struct StepColumn {
  std::string strategy;
  Leaves leaves;
};

std::string settings_cell(const std::string& name, std::span<const StepColumn> columns) {
  std::vector<std::pair<std::string, std::string>> values;  // value, strategies
  for (const StepColumn& column : columns) {
    const auto leaf = std::find_if(column.leaves.begin(), column.leaves.end(),
                                   [&](const auto& pair) { return pair.first == name; });
    if (leaf == column.leaves.end()) continue;
    const auto known = std::find_if(values.begin(), values.end(),
                                    [&](const auto& pair) { return pair.first == leaf->second; });
    if (known == values.end()) {
      values.emplace_back(leaf->second, column.strategy);
    } else {
      known->second += ", " + column.strategy;
    }
  }
  if (values.size() == 1) return shown_value(values.front().first);
  std::string cell;
  for (const auto& [value, strategies] : values) {
    if (!cell.empty()) cell += "; ";
    cell += fmt::format("{} ({})", shown_value(value), markdown_text(strategies));
  }
  return cell;
}

std::string settings_table(std::span<const StepColumn> columns) {
  std::vector<std::string> names;
  for (const StepColumn& column : columns) {
    for (const auto& [name, value] : column.leaves) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  if (names.empty()) return {};
  MarkdownTable table;
  table.header = {"setting", "value"};
  table.num_left = 2;
  for (const std::string& name : names) {
    table.rows.push_back({markdown_text(name), settings_cell(name, columns)});
  }
  return table.text();
}

std::vector<Funnel> funnels_of(const DatasetFacts& facts) {
  std::vector<Funnel> funnels;
  for (const StrategySteps& steps : facts.steps) funnels.push_back(funnel_of(steps));
  return funnels;
}

// The labels of all steps, each once, in an order that keeps that of every strategy.
std::vector<std::string> all_labels(const DatasetFacts& facts) {
  std::vector<Funnel> named;
  for (const StrategySteps& steps : facts.steps) {
    Funnel& funnel = named.emplace_back();
    for (std::string& label : step_labels(steps)) funnel.steps.push_back({std::move(label), 0});
  }
  return step_names(named);
}

const pipeline::Manifest* find_step(const StrategySteps& steps, std::string_view label) {
  const std::vector<std::string> labels = step_labels(steps);
  const auto found = std::find(labels.begin(), labels.end(), label);
  return found == labels.end() ? nullptr
                               : &steps.manifests[static_cast<std::size_t>(found - labels.begin())];
}

std::string how_it_was_made(const DatasetFacts& facts) {
  if (facts.steps.empty()) return {};
  std::string text = fmt::format(
      "By `contra4 pipeline`, version {}, in these steps; [manifest.json](manifest.json) has all "
      "of "
      "it with every hash.\n",
      version());
  std::string described;  // stages whose sentence was given
  for (const std::string& label : all_labels(facts)) {
    std::vector<StepColumn> columns;
    std::string stage;
    for (const StrategySteps& steps : facts.steps) {
      const pipeline::Manifest* const manifest = find_step(steps, label);
      if (manifest == nullptr) continue;
      stage = manifest->stage;
      columns.push_back({steps.strategy, leaves_of(*manifest)});
    }
    text += fmt::format("\n### {}\n", markdown_text(label));
    const auto sentence = std::find_if(std::begin(kStepSentences), std::end(kStepSentences),
                                       [&](const auto& pair) { return pair.first == stage; });
    if (sentence != std::end(kStepSentences) && described.find(stage + "\n") == std::string::npos) {
      text += fmt::format("\n{}\n", sentence->second);
      described += stage + "\n";
    }
    const std::string table = settings_table(columns);
    if (!table.empty()) text += "\n" + table;
  }
  return section("How it was made", text);
}

std::string counts_section(const DatasetFacts& facts) {
  if (facts.steps.empty()) return {};
  const std::vector<Funnel> funnels = funnels_of(facts);
  MarkdownTable table;
  table.header = {"step", "count of"};
  table.num_left = 2;
  for (const Funnel& funnel : funnels) table.header.push_back(markdown_text(funnel.strategy));
  for (const std::string& label : all_labels(facts)) {
    std::vector<std::string> names;
    std::vector<const pipeline::Manifest*> manifests;
    for (const StrategySteps& steps : facts.steps) {
      manifests.push_back(find_step(steps, label));
      if (manifests.back() == nullptr) continue;
      for (const auto& [name, count] : manifests.back()->counts) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    for (const std::string& name : names) {
      std::vector<std::string> row = {&name == &names.front() ? markdown_text(label) : "",
                                      markdown_text(name)};
      for (std::size_t i = 0; i < manifests.size(); ++i) {
        std::string cell(kNothing);
        if (manifests[i] != nullptr) {
          const pipeline::Counts& counts = manifests[i]->counts;
          for (std::size_t at = 0; at < counts.size(); ++at) {
            if (counts[at].first != name) continue;
            cell = at + 1 == counts.size()
                       ? fmt::format("**{}**", count_and_share(funnels[i], counts[at].second))
                       : with_thousands(counts[at].second);
          }
        }
        row.push_back(std::move(cell));
      }
      table.rows.push_back(std::move(row));
    }
  }
  return section("Counts",
                 "![Questions left after each step](funnel.svg)\n\n" + table.text() +
                     "\nThe last count of a step, in bold, is what it passed on, with its share of "
                     "what the first step gave.\n");
}

// One kind of counts of every split.
std::string composition_table(const DatasetFacts& facts, std::string_view what,
                              data::Counts data::DatasetSummary::*counts, bool largest_first,
                              bool of_scenes = false) {
  std::map<std::string, std::uint64_t> sums;
  for (const SplitFacts& split : facts.splits) {
    for (const auto& [name, count] : split.summary.*counts) sums[name] += count;
  }
  if (sums.empty()) return {};
  std::vector<std::pair<std::string, std::uint64_t>> order(sums.begin(), sums.end());
  if (largest_first) {
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
  }
  MarkdownTable table;
  table.header = {std::string(what)};
  for (const SplitFacts& split : facts.splits) {
    table.header.push_back(
        fmt::format("{}{}", facts.splits.size() > 1 ? markdown_text(split.name) + ", " : "",
                    of_scenes ? "scenes" : "questions"));
  }
  for (const auto& [name, sum] : order) {
    std::vector<std::string> row = {markdown_text(name)};
    for (const SplitFacts& split : facts.splits) {
      const data::Counts& own = split.summary.*counts;
      const auto found = own.find(name);
      row.push_back(count_with_share(found == own.end() ? 0 : found->second,
                                     of_scenes ? split.summary.scenes : split.summary.items));
    }
    table.rows.push_back(std::move(row));
  }
  return table.text() + "\n";
}

std::string composition(const DatasetFacts& facts) {
  using data::DatasetSummary;
  std::string text;
  for (const SplitFacts& split : facts.splits) {
    text += fmt::format("{}: {} over {} of {}; {} of the questions {} distinct.\n\n",
                        markdown_code(split.name),
                        counted(split.summary.items, "question", "questions"),
                        counted(split.summary.scenes, "scene", "scenes"),
                        counted(split.summary.distinct_media, "medium", "media"),
                        with_thousands(static_cast<std::int64_t>(split.summary.distinct_questions)),
                        split.summary.distinct_questions == 1 ? "is" : "are");
  }
  text += composition_table(facts, "cell", &DatasetSummary::cells, false);
  text +=
      composition_table(facts, "position of the answer", &DatasetSummary::answer_positions, false);
  text +=
      composition_table(facts, "modality of the answer", &DatasetSummary::correct_modalities, true);
  text += composition_table(facts, "modality", &DatasetSummary::scenes_by_modality, true, true);
  text += composition_table(facts, "modalities together", &DatasetSummary::combinations, true);
  text += composition_table(facts, "category", &DatasetSummary::categories, true);
  text.pop_back();
  return section("Composition", text);
}

const scoring::Accuracy* find_cell(const BlindFigure& figure, std::string_view cell) {
  for (const scoring::NamedAccuracy& named : figure.cells) {
    if (named.name == cell) return &named.accuracy;
  }
  return nullptr;
}

std::string blind_section(const DatasetFacts& facts) {
  constexpr std::string_view kShown[] = {"random", "similarity", "mc_2", "mc_3", "mc_4"};
  std::string text =
      "What these rules get right, a model gets for free: they know the kinds of the scenes, their "
      "order, or the length of a caption, and nothing of the question. Per cent right.\n";
  bool has_any = false;
  for (const SplitFacts& split : facts.splits) {
    if (split.blind.empty()) continue;
    has_any = true;
    MarkdownTable table;
    table.header = {"rule", "all", "95% interval"};
    for (const std::string_view cell : kShown) table.header.emplace_back(cell);
    table.header.emplace_back("what was fitted");
    table.ends_in_words = true;
    for (const BlindFigure& figure : split.blind) {
      std::vector<std::string> row = {markdown_code(figure.rule)};
      const scoring::Accuracy* const all = find_cell(figure, "all");
      row.emplace_back(all == nullptr ? kNothing : accuracy_text(*all));
      row.emplace_back(all == nullptr || figure.rule == "chance" ? kNothing : interval(*all));
      for (const std::string_view cell : kShown) {
        const scoring::Accuracy* const accuracy = find_cell(figure, cell);
        row.emplace_back(accuracy == nullptr ? kNothing : accuracy_text(*accuracy));
      }
      row.push_back(markdown_text(figure.note));
      table.rows.push_back(std::move(row));
    }
    text += "\n";
    if (facts.splits.size() > 1) text += fmt::format("On {}:\n\n", markdown_code(split.name));
    text += table.text();
    text +=
        split.is_fitted_on_itself
            ? "\nThe two priors are fitted on the very questions that they are scored on, for "
              "want of others: they look better here than on questions that they have not "
              "seen.\n"
            : fmt::format("\nThe two priors are fitted on {}.\n", markdown_code(split.fitted_on));
  }
  return has_any ? section("Rules that see nothing", text) : std::string();
}

std::string sources_section(const DatasetFacts& facts) {
  MarkdownTable table;
  const bool tells_media =
      std::any_of(facts.sources.begin(), facts.sources.end(),
                  [](const DatasetSource& source) { return !source.media.empty(); });
  table.header = {"source", "modality", "licence", "captions"};
  if (tells_media) table.header.emplace_back("media");
  table.num_left = table.header.size();
  table.header.insert(table.header.end(), {"captioned media", "scenes here"});
  for (const DatasetSource& source : facts.sources) {
    std::string files;
    for (const std::string& file : source.files) {
      files += (files.empty() ? "" : ", ") + markdown_text(file);
    }
    std::vector<std::string> row = {
        markdown_text(source.name), markdown_text(source.modality),
        source.licence.empty() ? "not stated" : markdown_text(source.licence), std::move(files)};
    if (tells_media) row.push_back(markdown_text(source.media));
    row.push_back(source.entries > 0 ? with_thousands(source.entries) : std::string(kNothing));
    row.push_back(with_thousands(static_cast<std::int64_t>(facts.scenes_of(source.name))));
    table.rows.push_back(std::move(row));
  }
  return section("Sources and licences",
                 markdown_text(facts.licence.sentence) + "\n\n" + table.text());
}

// The rule that gets most, chance apart.
const BlindFigure* best_rule(const SplitFacts& split) {
  const BlindFigure* best = nullptr;
  double most = 0;
  for (const BlindFigure& figure : split.blind) {
    const scoring::Accuracy* const all = find_cell(figure, "all");
    if (all == nullptr || figure.rule == "chance" || all->accuracy <= most) continue;
    most = all->accuracy;
    best = &figure;
  }
  return best;
}

std::string limitations(const DatasetFacts& facts) {
  std::string text;
  const auto add = [&](const std::string& line) { text += "- " + line + "\n"; };
  for (const std::string& note : facts.notes) add(markdown_text(as_sentence(note)));
  add("Questions and answers were made from captions. No step saw or heard a medium: what a "
      "caption leaves out or gets wrong, the questions do too.");
  for (const SplitFacts& split : facts.splits) {
    const std::string where =
        facts.splits.size() > 1 ? fmt::format(" of {}", markdown_code(split.name)) : std::string();
    const BlindFigure* const best = best_rule(split);
    const auto chance =
        std::find_if(split.blind.begin(), split.blind.end(),
                     [](const BlindFigure& figure) { return figure.rule == "chance"; });
    if (best != nullptr && chance != split.blind.end() && !chance->cells.empty()) {
      add(
          fmt::format("The rule {} gets {}% of the questions{} right without seeing anything; "
                      "guessing gets {}%. A model that does not beat the rule has shown little.",
                      markdown_code(best->rule), accuracy_text(*find_cell(*best, "all")), where,
                      accuracy_text(*find_cell(*chance, "all"))));
    }
    if (split.summary.repeated_modality > 0) {
      add(fmt::format("{}{} a modality twice.",
                      counted(split.summary.repeated_modality, "question", "questions"),
                      where + (split.summary.repeated_modality == 1 ? " shows" : " show")));
    }
    if (split.summary.without_answer > 0) {
      add(fmt::format("{}{} no answer.",
                      counted(split.summary.without_answer, "question", "questions"),
                      where + (split.summary.without_answer == 1 ? " has" : " have")));
    }
  }
  for (const DatasetSource& source : facts.sources) {
    if (source.licence.empty() && facts.scenes_of(source.name) > 0) {
      add(
          fmt::format("The licence of the source {} is not stated: ask its owners before you "
                      "publish its captions or media.",
                      markdown_code(source.name)));
    }
  }
  return section("Limitations", text);
}

std::string how_to_load(const DatasetFacts& facts) {
  const SplitFacts& split = facts.splits.front();
  const std::string& table = split.table().name;
  std::string text = "In this folder, or with the name of its repository instead of the dot:\n\n";
  text += markdown_block("python",
                         fmt::format("import datasets\nquestions = datasets.load_dataset(\".\", "
                                     "split=\"{}\")",
                                     split.name));
  text += "\n";
  text += markdown_block(
      "python",
      table.ends_with(".parquet")
          ? fmt::format("import pandas\nquestions = pandas.read_parquet(\"{}\")", table)
          : fmt::format("import pandas\nquestions = pandas.read_json(\"{}\", lines=True)", table));
  text += "\n";
  text += markdown_block(
      "sh", fmt::format("contra4 dataset check {0}.json\ncontra4 evaluate --dataset {0}.json "
                        "--model embed/minilm --input oracle-captions",
                        split.name));
  text +=
      "\n`contra4 evaluate --input media --media-root DIR` looks for the medium of a scene at "
      "`DIR/<source>/<id>`. [croissant.json](croissant.json) describes the files to programs.\n";
  return section("How to load it", text);
}

std::string citation(const DatasetFacts& facts) {
  std::string text;
  const std::string& own = facts.info.citation;
  if (!own.empty()) {
    text += own.find('@') == 0 ? markdown_block("bibtex", own) : markdown_text(own) + "\n";
    text += "\n";
  }
  text += "The way it was made follows\n\n" + markdown_block("bibtex", method_citation());
  return section("Citation", text);
}

}  // namespace

std::string dataset_card(const DatasetFacts& facts) {
  std::string page = header(facts);
  page += fmt::format("\n# {}\n\n", markdown_text(facts.title()));
  page += warnings(facts);
  page += facts.info.description.empty() ? markdown_text(plain_description(facts))
                                         : facts.info.description;
  page += "\n";
  if (!facts.info.homepage.empty()) page += fmt::format("\n<{}>\n", xml_text(facts.info.homepage));
  page += what_it_is(facts);
  page += how_it_was_made(facts);
  page += counts_section(facts);
  page += composition(facts);
  page += blind_section(facts);
  page += sources_section(facts);
  page += limitations(facts);
  page += how_to_load(facts);
  return page + citation(facts);
}

}  // namespace contra4::report
