// A made-up data set as the pages about it see it: two strategies, three steps and one more.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "contra4/io/json.h"
#include "contra4/report/dataset_facts.h"

namespace contra4::report::testing {

inline pipeline::Manifest make_manifest(const std::string& stage, const std::string& settings,
                                        pipeline::Counts counts,
                                        std::vector<std::string> notes = {}) {
  pipeline::Manifest manifest;
  manifest.stage = stage;
  manifest.key = std::string(64, 'a');
  manifest.version = "0.1.0";
  manifest.settings = io::parse_json(settings, "settings").value();
  manifest.inputs = {{"tuples", "0123456789abcdef" + std::string(48, 'b')}};
  manifest.outputs = {{"random_test.json", 1234}};
  manifest.counts = std::move(counts);
  manifest.notes = std::move(notes);
  return manifest;
}

inline std::string sources_json() {
  return R"([{"name": "sounds", "modality": "audio", "licence": "CC0 1.0", "entries": 10,
              "file": "a.csv", "media_folder": "media/sounds"},
             {"name": "sounds", "modality": "audio", "licence": "CC0 1.0", "entries": 5,
              "file": "b.csv"},
             {"name": "my_pictures", "modality": "image", "licence": "CC BY 4.0", "entries": 7,
              "file": "c|d.json"}])";
}

inline StrategySteps make_steps(const std::string& strategy, std::int64_t kept) {
  return {
      strategy,
      {make_manifest(
           "sample",
           R"({"strategy": ")" + strategy + R"(", "seed": 123, "sources": )" + sources_json() + "}",
           {{"captions", 22}, {"tuples", 2000}}),
       make_manifest("generate", R"({"writer": {"family": "rules"}, "temperature": 1.05})",
                     {{"tuples", 2000}, {"malformed", 31}, {"questions", 1969}},
                     {"questions were written by rules; not for publication"}),
       make_manifest("verify", R"({"name": "llama"})", {{"questions", 1969}, {"consistent", kept}}),
       make_manifest("verify", R"({"name": "phi"})", {{"questions", 1969}, {"consistent", kept}})}};
}

inline DatasetFacts make_facts() {
  DatasetFacts facts;
  facts.info.name = "a-set";
  facts.steps = {make_steps("random", 500), make_steps("similarity", 250)};
  facts.steps[1].manifests.push_back(
      make_manifest("balance", R"({"by": "position"})", {{"questions", 250}, {"balanced", 240}}));
  facts.sources = sources_of(facts.steps);
  facts.notes = notes_of(facts.steps);
  facts.licence = licence_of(facts.info, facts.sources);
  SplitFacts split;
  split.name = "test";
  split.summary.items = 740;
  split.summary.scenes = 1500;
  split.summary.distinct_media = 20;
  split.summary.distinct_questions = 739;
  split.summary.cells = {{"mc_2/random", 500}, {"mc_2/similarity", 240}};
  split.summary.scenes_by_modality = {{"audio", 750}, {"image", 750}};
  split.summary.scenes_by_source = {{"sounds", 750}, {"my_pictures", 750}};
  split.summary.answer_positions = {{"A", 370}, {"B", 370}};
  split.summary.categories = {{"Emotions & <Sensory>", 10}, {"Other", 730}};
  split.summary.repeated_modality = 1;
  split.example = R"({"question": "Which ``` scene?"})";
  split.files = {{"test.parquet", 1000, std::string(64, 'c')},
                 {"test.jsonl", 2000, std::string(64, 'd')},
                 {"test.json", 2001, std::string(64, 'e')}};
  facts.splits = {split};
  return facts;
}

}  // namespace contra4::report::testing
