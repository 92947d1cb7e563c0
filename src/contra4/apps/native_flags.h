// The flags of native models: how their weights are run and what they are asked.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "contra4/apps/command.h"
#include "contra4/inference/native_model.h"

namespace contra4::apps {

struct NativeFlags {
  bool compat = false;
  std::optional<std::string> prompt_template;  // a file or the text itself
  std::optional<int> text_budget;
  std::optional<std::string> dtype;
  std::optional<std::string> device;
  std::optional<int> threads;
  std::optional<int> decoders;
  std::optional<int> batch_size;
  std::optional<std::filesystem::path> feature_store;
  bool no_feature_store = false;
  std::optional<std::filesystem::path> llama_config;
  std::optional<std::filesystem::path> tokenizer;
  std::optional<std::filesystem::path> pretrained_path;  // the published name of the checkpoint

  // The first one that was given, for a model that has no use for it; empty: none was.
  std::string first_given() const;
};

void add_native_flags(CLI::App& app, NativeFlags& flags);

// "auto": none; "cpu"; "cuda"; "cuda:0,1": two. Throws UsageError.
std::vector<std::string> parse_devices(const std::string& text);

// The text, or what the file of that name holds, less the newline at its end. Throws UsageError for
// one without {question}.
std::string read_prompt_template(const std::string& given);

// That compute on a CPU: the cores of a machine are shared by its processes of a job. 0: all.
int default_threads(const std::optional<Worker>& worker);

// Everything but checkpoint, answer mode and numbers of tokens. Reads the template's file. What is
// told goes to context.err, unless quiet. Throws UsageError for flags that contradict each other.
NativeModelOptions native_options(const NativeFlags& flags, const Context& context);

}  // namespace contra4::apps
