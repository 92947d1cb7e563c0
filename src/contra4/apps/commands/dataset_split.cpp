#include "contra4/apps/commands/dataset_split.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/output.h"
#include "contra4/base/error.h"
#include "contra4/data/file_format.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/data/split.h"
#include "contra4/io/json_writer.h"
#include "contra4/report/table.h"

namespace contra4::apps {

namespace {

namespace fs = std::filesystem;

// Points by which a share may be missed before that is said.
constexpr double kSaidDeviation = 0.01;

struct SplitFlags {
  std::vector<fs::path> files;
  std::string parts = "train=0.8,val=0.1,test=0.1";
  std::string method = "components";
  std::uint64_t seed = 42;
  bool keep_question_together = false;
  fs::path output_dir;
  std::string format;
  bool overwrite = false;
  bool dry_run = false;
  bool json = false;
};

// Everything that the report needs.
struct Outcome {
  std::vector<data::SplitPart> parts;
  std::vector<fs::path> files;  // of the parts
  data::SplitRows rows;
  data::SplitPlan plan;

  std::size_t num_kept() const { return rows.size() - plan.num_dropped(); }
  double share(std::size_t part) const {
    return num_kept() == 0
               ? 0
               : static_cast<double>(plan.rows_of_part[part]) / static_cast<double>(num_kept());
  }
};

// Calls for every row of the files in order; a wrong one ends it.
data::Schema for_each_item(const std::vector<fs::path>& files, const Context& context,
                           const std::function<void(const Item&, data::Schema)>& action) {
  std::optional<data::Schema> schema;
  for (const fs::path& file : files) {
    const auto reader = data::open_items(file);
    while (const auto item = reader->next()) {
      if (context.stop.stop_requested()) {
        throw Exception(ErrorCode::kCancelled, "interrupted; nothing was written");
      }
      if (!*item) {
        throw Exception(item->error().code, item->error().message + "; nothing was written");
      }
      // All parts are written in the schema of the first row.
      if (!schema) schema = reader->schema();
      action(**item, *schema);
    }
  }
  if (!schema) throw Exception(ErrorCode::kInvalidArgument, "there are no rows to split");
  return *schema;
}

std::string suffix_of(const fs::path& file) {
  return file.filename().string().substr(data::dataset_name(file).size());
}

void write_parts(const SplitFlags& flags, const Outcome& outcome, const Context& context) {
  std::vector<std::unique_ptr<data::ItemWriter>> writers(outcome.parts.size());
  const auto open_writers = [&](data::Schema schema) {
    for (std::size_t part = 0; part < writers.size(); ++part) {
      if (!writers[part]) writers[part] = data::create_items(outcome.files[part], schema);
    }
  };
  std::size_t row = 0;
  for_each_item(flags.files, context, [&](const Item& item, data::Schema schema) {
    open_writers(schema);
    if (row >= outcome.rows.size()) {
      throw Exception(ErrorCode::kDataLoss,
                      "a file changed while it was read; nothing was written");
    }
    const int part = outcome.plan.part_of_row[row++];
    if (part != data::kDroppedRow) writers[static_cast<std::size_t>(part)]->write(item);
  });
  for (const auto& writer : writers) writer->commit();
}

// Rows of each cell: all, of each part, dropped.
std::vector<std::vector<std::size_t>> counts_by_cell(const Outcome& outcome) {
  const std::size_t num_parts = outcome.parts.size();
  std::vector<std::vector<std::size_t>> counts(outcome.rows.cell_names().size(),
                                               std::vector<std::size_t>(num_parts + 2, 0));
  for (std::size_t row = 0; row < outcome.rows.size(); ++row) {
    auto& of_cell = counts[outcome.rows.cell(row)];
    const int part = outcome.plan.part_of_row[row];
    ++of_cell[0];
    ++of_cell[part == data::kDroppedRow ? num_parts + 1 : static_cast<std::size_t>(part) + 1];
  }
  return counts;
}

std::string as_table(const Outcome& outcome, bool use_color) {
  report::Table table;
  table.columns = {{"cell", report::Align::kLeft}, {"rows"}};
  for (const data::SplitPart& part : outcome.parts) table.columns.push_back({part.name});
  table.columns.push_back({"dropped"});
  std::vector<std::size_t> total(outcome.parts.size() + 2, 0);
  const auto add_row = [&](const std::string& name, const std::vector<std::size_t>& counts,
                           bool rule_before) {
    report::Row row{.cells = {name}, .kind = report::RowKind::kPlain, .rule_before = rule_before};
    for (const std::size_t count : counts) {
      row.cells.push_back(grouped(static_cast<std::int64_t>(count)));
    }
    table.rows.push_back(std::move(row));
  };
  const auto counts = counts_by_cell(outcome);
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    add_row(outcome.rows.cell_names()[cell], counts[cell], false);
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += counts[cell][i];
  }
  add_row("all", total, true);
  report::Row shares{.cells = {"share", ""}, .kind = report::RowKind::kPlain};
  for (std::size_t part = 0; part < outcome.parts.size(); ++part) {
    shares.cells.push_back(fmt::format("{:.1f}%", 100 * outcome.share(part)));
  }
  shares.cells.emplace_back(
      fmt::format("{:.1f}%", 100.0 * static_cast<double>(outcome.plan.num_dropped()) /
                                 static_cast<double>(outcome.rows.size())));
  table.rows.push_back(std::move(shares));
  return report::to_terminal(table, use_color);
}

std::string as_json(const SplitFlags& flags, const Outcome& outcome) {
  io::JsonWriter json(2);
  json.begin_object();
  json.member("rows", outcome.rows.size()).member("method", flags.method);
  json.member("seed", flags.seed).member("dropped", outcome.plan.num_dropped());
  json.member("components", outcome.plan.num_components);
  json.member("largest_component", outcome.plan.largest_component);
  json.key("parts").begin_array();
  for (std::size_t part = 0; part < outcome.parts.size(); ++part) {
    json.begin_object().member("name", outcome.parts[part].name);
    json.member("file", outcome.files[part].string());
    json.member("rows", outcome.plan.rows_of_part[part]);
    json.member("wanted_share", outcome.parts[part].share).member("share", outcome.share(part));
    json.end_object();
  }
  json.end_array().key("cells").begin_object();
  const auto counts = counts_by_cell(outcome);
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    json.key(outcome.rows.cell_names()[cell]).begin_object().member("rows", counts[cell][0]);
    json.key("parts").begin_object();
    for (std::size_t part = 0; part < outcome.parts.size(); ++part) {
      json.member(outcome.parts[part].name, counts[cell][part + 1]);
    }
    json.end_object().member("dropped", counts[cell].back()).end_object();
  }
  json.end_object().end_object();
  return json.take() + "\n";
}

// What the user has to know about shares that were not met; empty when they were.
std::string words_on_shares(const SplitFlags& flags, const Outcome& outcome) {
  std::string missed;
  for (std::size_t part = 0; part < outcome.parts.size(); ++part) {
    const double wanted = outcome.parts[part].share;
    if (std::abs(outcome.share(part) - wanted) <= kSaidDeviation) continue;
    missed += fmt::format("{}{} has {:.1f}% of the rows, not {:.1f}%", missed.empty() ? "" : ", ",
                          outcome.parts[part].name, 100 * outcome.share(part), 100 * wanted);
  }
  if (missed.empty() || flags.method != "components") return missed;
  return fmt::format(
      "{}: {} of {} rows hang together by shared media and must stay in one part; --method drop "
      "comes nearer to the shares at the cost of rows",
      missed, grouped(static_cast<std::int64_t>(outcome.plan.largest_component)),
      grouped(static_cast<std::int64_t>(outcome.rows.size())));
}

int run_split(const SplitFlags& flags, Context& context) {
  const auto parts = data::parse_split_parts(flags.parts);
  if (!parts) throw UsageError("--parts " + parts.error().message);
  Outcome outcome{.parts = *parts,
                  .files = {},
                  .rows = data::SplitRows(flags.keep_question_together),
                  .plan = {}};
  const fs::path& first = flags.files.front();
  const fs::path folder = flags.output_dir.empty()
                              ? first.parent_path() / (data::dataset_name(first) + "_split")
                              : flags.output_dir;
  const std::string suffix = flags.format.empty() ? suffix_of(first) : "." + flags.format;
  for (const data::SplitPart& part : outcome.parts) {
    outcome.files.push_back(folder / (part.name + suffix));
    if (flags.overwrite || flags.dry_run || !fs::exists(outcome.files.back())) continue;
    throw Exception(ErrorCode::kInvalidArgument, fmt::format("{} exists; --overwrite replaces it",
                                                             outcome.files.back().string()));
  }
  for_each_item(flags.files, context,
                [&](const Item& item, data::Schema) { outcome.rows.add(item); });
  outcome.plan = flags.method == "drop"
                     ? data::split_by_dropping(outcome.rows, outcome.parts, flags.seed)
                     : data::split_by_components(outcome.rows, outcome.parts, flags.seed);
  if (!flags.dry_run) write_parts(flags, outcome, context);

  write_result(context, {},
               flags.json ? as_json(flags, outcome) : as_table(outcome, context.colors_out()));
  if (!context.quiet) {
    if (const std::string words = words_on_shares(flags, outcome); !words.empty()) {
      context.err << words << '\n';
    }
    for (const fs::path& file : outcome.files) {
      if (!flags.dry_run) context.err << file.string() << '\n';
    }
    context.err << std::flush;
  }
  return kExitDone;
}

}  // namespace

RunCommand add_dataset_split_command(CLI::App& app) {
  auto flags = std::make_shared<SplitFlags>();
  app.description(
      "Divides the rows of data files among parts that share no medium (source and id), one file "
      "each, in the schema of the first row. Prints the rows of each cell before and after.");
  app.add_option("files", flags->files, ".json, .jsonl (both also .gz) or .parquet")
      ->type_name("FILE...")
      ->required();
  app.add_option("--parts", flags->parts, "names of the parts and their shares of the rows")
      ->type_name("NAME=SHARE,...")
      ->capture_default_str();
  app.add_option("--method", flags->method,
                 "components keeps every row and what hangs together by media in one part; drop "
                 "leaves out rows, few but not the fewest, to come near to the shares")
      ->type_name("NAME")
      ->transform(one_of({"components", "drop"}))
      ->capture_default_str();
  app.add_flag("--keep-question-together", flags->keep_question_together,
               "rows of the same question go into one part too");
  app.add_option("--seed", flags->seed, "decides between rows that are alike to the method")
      ->type_name("N")
      ->check(whole_number(0))
      ->capture_default_str();
  app.add_option("--output-dir", flags->output_dir,
                 "folder of the parts; without it NAME_split beside the first file")
      ->type_name("DIR");
  app.add_option("--format", flags->format, "of the parts; without it that of the first file")
      ->type_name("NAME")
      ->transform(one_of({"json", "json.gz", "jsonl", "jsonl.gz", "parquet"}));
  app.add_flag("--overwrite", flags->overwrite, "replace files that exist");
  app.add_flag("--dry-run", flags->dry_run, "count, write nothing");
  app.add_flag("--json", flags->json, "one JSON object instead of a table");
  app.footer(
      "Examples:\n  contra4 dataset split all.json --output-dir splits\n"
      "  contra4 dataset split random.json similarity.json --parts train=0.9,test=0.1 --method "
      "drop");
  return [flags](Context& context) { return run_split(*flags, context); };
}

}  // namespace contra4::apps
