#include "contra4/apps/commands/dataset.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/arguments.h"
#include "contra4/apps/media_check.h"
#include "contra4/apps/output.h"
#include "contra4/base/error.h"
#include "contra4/data/dataset_check.h"
#include "contra4/data/dataset_summary.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/io/json_writer.h"
#include "contra4/report/table.h"

namespace contra4::apps {

namespace {

std::vector<std::string> schema_names() {
  std::vector<std::string> names;
  for (const auto schema : {data::Schema::kReadme, data::Schema::kReleasedTest,
                            data::Schema::kReleasedVal, data::Schema::kGenerated}) {
    names.emplace_back(to_string(schema));
  }
  return names;
}

void add_max_row_flag(CLI::App& app, std::uint64_t& mebibytes) {
  app.add_option("--max-row", mebibytes, "longest row that is read, in MiB")
      ->type_name("N")
      ->check(whole_number(1, 4096))
      ->capture_default_str();
}

data::ReadLimits limits_of(std::uint64_t max_row_mebibytes) {
  data::ReadLimits limits;
  limits.max_row_bytes = max_row_mebibytes << 20;
  return limits;
}

constexpr std::uint64_t kDefaultMaxRow = data::ReadLimits{}.max_row_bytes >> 20;

// ---- check

struct CheckFlags {
  std::vector<std::filesystem::path> files;
  bool needs_answers = false;
  bool needs_captions = false;
  std::uint64_t max_problems = 0;
  std::uint64_t max_row = kDefaultMaxRow;
  MediaCheckFlags media;
  bool json = false;
};

void write_problem(io::JsonWriter& writer, const data::RowProblem& problem) {
  writer.begin_object();
  if (problem.row > 0) writer.member("row", problem.row);
  if (!problem.id.empty()) writer.member("id", problem.id);
  writer.member("code", to_string(problem.code));
  writer.member("is_warning", problem.is_warning);
  writer.member("message", problem.message);
  writer.end_object();
}

// Members of the summary; the problems stand before.
void write_summary(io::JsonWriter& writer, const data::CheckSummary& summary) {
  writer.member("rows", summary.rows);
  writer.member("wrong_rows", summary.wrong_rows);
  writer.member("warnings", summary.warnings);
  writer.member("is_damaged", summary.is_damaged);
  writer.member("is_fine", summary.is_fine());
  writer.key("schemas").begin_object();
  for (std::size_t i = 0; i < summary.schema_rows.size(); ++i) {
    if (summary.schema_rows[i] == 0) continue;
    writer.member(to_string(static_cast<data::Schema>(i)), summary.schema_rows[i]);
  }
  writer.end_object();
}

std::string summary_line(const std::filesystem::path& file, const data::CheckSummary& summary) {
  std::string line =
      fmt::format("{}: {}", file.string(), counted(static_cast<std::int64_t>(summary.rows), "row"));
  line += summary.wrong_rows == 0
              ? ", none wrong"
              : fmt::format(", {} wrong", grouped(static_cast<std::int64_t>(summary.wrong_rows)));
  if (summary.warnings > 0) {
    line += ", " + counted(static_cast<std::int64_t>(summary.warnings), "warning");
  }
  if (summary.is_damaged) line += "; the file is damaged, not all of it was read";
  if (summary.was_interrupted) line += "; interrupted, not all of it was read";
  return line;
}

void tell_untold(Context& context, std::uint64_t told, std::uint64_t max_problems) {
  if (max_problems > 0 && told > max_problems) {
    context.out << fmt::format("... and {} more\n",
                               grouped(static_cast<std::int64_t>(told - max_problems)));
  }
  context.out << std::flush;
}

bool check_rows(Context& context, const CheckFlags& flags, const std::filesystem::path& file,
                io::JsonWriter& writer) {
  data::CheckOptions options;
  options.requirements = {.answer = flags.needs_answers, .captions = flags.needs_captions};
  options.limits = limits_of(flags.max_row);
  if (flags.json) {
    writer.begin_object().member("file", file.string());
    writer.key("problems").begin_array();
  }
  std::uint64_t told = 0;
  const auto report = [&](const data::RowProblem& problem) {
    if (flags.max_problems > 0 && ++told > flags.max_problems) return;
    if (flags.json) {
      write_problem(writer, problem);
      context.out << writer.take();
    } else {
      context.out << problem.message << (problem.is_warning ? " (warning)" : "") << '\n';
    }
  };
  const auto summary = data::check_dataset(file, options, report, context.stop);
  if (flags.json) {
    writer.end_array();
    write_summary(writer, summary);
  } else {
    tell_untold(context, told, flags.max_problems);
    if (!context.quiet) context.err << summary_line(file, summary) << std::endl;
  }
  return summary.is_fine();
}

void write_media_problem(io::JsonWriter& writer, const MediaProblem& problem) {
  writer.begin_object().member("source", problem.key.source);
  writer.member("id", problem.key.id.text).member("modality", to_string(problem.key.modality));
  writer.member("is_missing", problem.is_missing);
  writer.member("code", to_string(problem.error.code));
  writer.member("message", problem.error.message).end_object();
}

// The members "media" of the file's object, or lines and a summary.
bool check_media_of(Context& context, const CheckFlags& flags, const std::filesystem::path& file,
                    io::JsonWriter& writer) {
  if (flags.json) writer.key("media").begin_object().key("problems").begin_array();
  std::uint64_t told = 0;
  const auto report = [&](const MediaProblem& problem) {
    if (flags.max_problems > 0 && ++told > flags.max_problems) return;
    if (flags.json) {
      write_media_problem(writer, problem);
      context.out << writer.take();
    } else {
      context.out << (problem.is_missing ? "missing: " : "does not decode: ")
                  << problem.error.message << '\n';
    }
  };
  const auto summary = check_media(context, flags.media, file, limits_of(flags.max_row), report);
  if (flags.json) {
    writer.end_array().member("distinct", summary.media).member("missing", summary.missing);
    if (flags.media.decode) writer.member("broken", summary.broken);
    writer.member("is_fine", summary.is_fine()).end_object();
    return summary.is_fine();
  }
  tell_untold(context, told, flags.max_problems);
  if (!context.quiet) {
    const auto number = [](std::uint64_t count) {
      return grouped(static_cast<std::int64_t>(count));
    };
    context.err << fmt::format("{}: {} distinct media, {} without a file{}{}", file.string(),
                               number(summary.media), number(summary.missing),
                               flags.media.decode
                                   ? fmt::format(", {} that do not decode", number(summary.broken))
                                   : "",
                               summary.was_interrupted ? "; interrupted" : "")
                << std::endl;
  }
  return summary.is_fine();
}

// One file: its rows, then their media. Whether all is fine.
bool check_file(Context& context, const CheckFlags& flags, const std::filesystem::path& file,
                io::JsonWriter& writer) {
  bool is_fine = check_rows(context, flags, file, writer);
  if (flags.media.is_wanted() && !context.stop.stop_requested()) {
    is_fine = check_media_of(context, flags, file, writer) && is_fine;
  }
  if (flags.json) writer.end_object();
  return is_fine;
}

int run_check(const CheckFlags& flags, Context& context) {
  bool is_fine = true;
  io::JsonWriter writer(2);
  if (flags.json) writer.begin_array();
  for (const auto& file : flags.files) {
    is_fine = check_file(context, flags, file, writer) && is_fine;
    if (context.stop.stop_requested()) break;
  }
  if (flags.json) {
    writer.end_array();
    context.out << writer.take() << '\n' << std::flush;
  }
  return is_fine ? kExitDone : kExitFailed;
}

// ---- describe

struct DescribeFlags {
  std::filesystem::path file;
  std::optional<std::filesystem::path> against;
  std::uint64_t max_row = kDefaultMaxRow;
  bool json = false;
};

void add_counts(report::Table& table, std::string_view what, const data::Counts& counts,
                std::uint64_t total) {
  bool is_first = true;
  for (const auto& [name, count] : counts) {
    const double share =
        total == 0 ? 0 : 100.0 * static_cast<double>(count) / static_cast<double>(total);
    table.rows.push_back(
        {.cells = {is_first ? std::string(what) : "", name,
                   grouped(static_cast<std::int64_t>(count)), fmt::format("{:.1f}%", share)},
         .kind = report::RowKind::kPlain,
         .rule_before = is_first && !table.rows.empty()});
    is_first = false;
  }
}

std::string describe_text(const data::DatasetSummary& summary, bool use_color) {
  const auto number = [](std::uint64_t count) { return grouped(static_cast<std::int64_t>(count)); };
  std::string text =
      fmt::format("{}: {} items, {} scenes, {} distinct media, {} distinct questions\n",
                  summary.name, number(summary.items), number(summary.scenes),
                  number(summary.distinct_media), number(summary.distinct_questions));
  text += fmt::format("{} items repeat a modality, {} have no answer; {} scenes have no caption\n",
                      number(summary.repeated_modality), number(summary.without_answer),
                      number(summary.without_caption));
  if (summary.wrong_rows > 0) {
    text += fmt::format("{} malformed rows are in no count: contra4 dataset check names them\n",
                        number(summary.wrong_rows));
  }
  report::Table table;
  table.columns = {{"", report::Align::kLeft}, {"", report::Align::kLeft}, {"count"}, {"share"}};
  add_counts(table, "cell", summary.cells, summary.items);
  add_counts(table, "modalities", summary.combinations, summary.items);
  add_counts(table, "scene", summary.scenes_by_modality, summary.scenes);
  add_counts(table, "source", summary.scenes_by_source, summary.scenes);
  add_counts(table, "answer", summary.answer_positions, summary.items);
  add_counts(table, "correct modality", summary.correct_modalities, summary.items);
  add_counts(table, "category", summary.categories, summary.items);
  add_counts(table, "schema", summary.schemas, summary.items);
  text += '\n' + report::to_terminal(table, use_color);
  if (summary.overlap) {
    const auto& other = *summary.overlap;
    text += fmt::format(
        "\nwith {}: {} shared media (in {} items here), {} shared questions (in {} "
        "items here)\n",
        other.name, number(other.media), number(other.items_with_media), number(other.questions),
        number(other.items_with_question));
  }
  return text;
}

int run_describe(const DescribeFlags& flags, Context& context) {
  const auto summary =
      data::summarize_dataset(flags.file, flags.against, limits_of(flags.max_row), context.stop);
  if (summary.was_interrupted) {
    throw Exception(ErrorCode::kCancelled, "interrupted before the end of the file");
  }
  write_result(
      context, {},
      flags.json ? data::summary_to_json(summary) : describe_text(summary, context.colors_out()));
  return kExitDone;
}

// ---- convert

struct ConvertFlags {
  std::filesystem::path input;
  std::filesystem::path output;
  std::optional<std::string> schema;
  std::uint64_t max_row = kDefaultMaxRow;
  bool overwrite = false;
};

int run_convert(const ConvertFlags& flags, Context& context) {
  if (std::filesystem::exists(flags.output) && !flags.overwrite) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{} exists; --overwrite replaces it", flags.output.string()));
  }
  const auto items = data::open_items(flags.input, limits_of(flags.max_row));
  std::unique_ptr<data::ItemWriter> writer;
  std::uint64_t rows = 0;
  while (auto item = items->next()) {
    if (context.stop.stop_requested()) {
      throw Exception(ErrorCode::kCancelled, "interrupted; nothing was written");
    }
    if (!*item) {
      throw Exception(item->error().code, item->error().message + "; nothing was written");
    }
    if (!writer) {
      // Without --schema the rows keep the schema of the first.
      writer = data::create_items(
          flags.output, flags.schema ? *data::parse_schema(*flags.schema) : items->schema());
    }
    writer->write(**item);
    ++rows;
  }
  if (!writer) {
    throw Exception(ErrorCode::kInvalidArgument,
                    fmt::format("{} has no rows; nothing was written", flags.input.string()));
  }
  writer->commit();
  if (!context.quiet) {
    context.err << fmt::format("{}: {}", flags.output.string(),
                               counted(static_cast<std::int64_t>(rows), "row"))
                << std::endl;
  }
  return kExitDone;
}

}  // namespace

RunCommand add_dataset_check_command(CLI::App& app) {
  auto flags = std::make_shared<CheckFlags>();
  app.description(
      "Reads data files as they stream by and names every row that is wrong, with file, row, id "
      "and "
      "reason. Warnings are odd but usable rows. With --media also every medium without a file. "
      "Exit "
      "1 if any row is wrong or any medium is missing.");
  app.add_option("files", flags->files, ".json, .jsonl (both also .gz) or .parquet")
      ->type_name("FILE...")
      ->required();
  app.add_flag("--need-answers", flags->needs_answers, "a row without an answer is wrong");
  app.add_flag("--need-captions", flags->needs_captions, "a scene without a caption is wrong");
  app.add_option("--max-problems", flags->max_problems, "name at most so many per file; 0: all")
      ->type_name("N")
      ->check(whole_number(0))
      ->capture_default_str();
  add_max_row_flag(app, flags->max_row);
  app.add_flag("--json", flags->json, "a list with an object per file");
  add_media_check_flags(app, flags->media);
  app.footer(
      "Examples:\n  contra4 dataset check test.json\n"
      "  contra4 dataset check --need-answers --need-captions train.json.gz val.json\n"
      "  contra4 dataset check --media-root media --decode test.json");
  return [flags](Context& context) { return run_check(*flags, context); };
}

RunCommand add_dataset_describe_command(CLI::App& app) {
  auto flags = std::make_shared<DescribeFlags>();
  app.description(
      "Counts items per cell, set of modalities, answer position, source and category, and with "
      "--against what a file shares with another one.");
  app.add_option("file", flags->file, ".json, .jsonl (both also .gz) or .parquet")
      ->type_name("FILE")
      ->required();
  app.add_option("--against", flags->against, "count media and questions shared with this file")
      ->type_name("FILE");
  add_max_row_flag(app, flags->max_row);
  app.add_flag("--json", flags->json, "one JSON object instead of a table");
  app.footer("Examples:\n  contra4 dataset describe test.json --against val.json");
  return [flags](Context& context) { return run_describe(*flags, context); };
}

RunCommand add_dataset_convert_command(CLI::App& app) {
  auto flags = std::make_shared<ConvertFlags>();
  app.description(
      "Writes the rows of IN to OUT; both formats go by suffix. What a schema has no place for "
      "travels along. A wrong row ends the conversion and nothing is written.");
  app.add_option("in", flags->input, ".json, .jsonl (both also .gz) or .parquet")
      ->type_name("IN")
      ->required();
  app.add_option("out", flags->output, "the same")->type_name("OUT")->required();
  app.add_option("--schema", flags->schema,
                 "readme, released-test, released-val or generated; without it that of the first "
                 "row is kept")
      ->type_name("NAME")
      ->transform(one_of(schema_names()));
  add_max_row_flag(app, flags->max_row);
  app.add_flag("--overwrite", flags->overwrite, "replace OUT if it exists");
  app.footer(
      "Examples:\n  contra4 dataset convert test.json test.parquet\n"
      "  contra4 dataset convert val.json val.jsonl.gz --schema readme");
  return [flags](Context& context) { return run_convert(*flags, context); };
}

}  // namespace contra4::apps
