// Native models: those whose weights contra4 loads and runs itself.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/inference/answerer.h"
#include "contra4/media/decoder.h"

namespace contra4 {

struct NativeModelInfo {
  std::string_view name;     // "onellm"
  std::string_view summary;  // one line
};

// In the order of native_models.inc.
std::span<const NativeModelInfo> native_models();

enum class AnswerMode {
  kText,      // free greedy decoding; the choice is read from the text
  kLogprobs,  // the scene whose name is most likely as the answer
};

enum class ComputeType { kAuto, kFloat32, kBFloat16, kFloat16 };

struct NativeModelOptions {
  std::filesystem::path checkpoint;  // a folder or a file: what stands after "onellm/"
  std::filesystem::path config;     // sizes of the language model; empty: params.json beside, or 7B
  std::filesystem::path tokenizer;  // tokenizer.model; empty: beside the checkpoint
  bool is_compat = false;           // as published, defects included
  AnswerMode answer = AnswerMode::kLogprobs;  // kText under is_compat
  int max_new_tokens = 0;                     // 0: the model's own (OneLLM: 5)
  std::string prompt_template;                // with {question} and {choices}; empty: the model's
  int max_text_tokens = 0;                    // of a prompt without scenes; 0: no bound
  ComputeType compute_type = ComputeType::kAuto;
  std::vector<std::string> devices;  // "cpu", "cuda:0"; empty: cuda where there is one
  int preferred_gpu = 0;  // which one is taken where `devices` is empty, modulo their number
  int num_threads = 0;    // 0: all cores
  int num_decoders = 0;   // threads that decode media; 0: half of the cores, at least 1
  int batch_size = 0;     // questions at once; 0: as many as sensible on the device
  std::filesystem::path feature_store;  // folder of encoded media; empty: none is kept on disk
  // Outlives the model.
  const media::MediaDecoder* decoder = nullptr;
  // Words for the user: what is loaded, the memory it takes. May be empty.
  std::function<void(const std::string&)> tell;
};

}  // namespace contra4
