// Embeds the lines of a file once after a short warm-up and prints what it took: one side of
// bench/embed.py, which runs it in turn with sentence-transformers.
//
//   embed_bench MODEL_FOLDER TEXTS THREADS
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include "contra4/inference/torch_loader.h"

namespace {

constexpr std::size_t kWarmUpTexts = 256;

std::vector<std::string> read_lines(const char* path) {
  std::vector<std::string> lines;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: embed_bench MODEL_FOLDER TEXTS THREADS\n");
    return 2;
  }
  try {
    const std::vector<std::string> texts = read_lines(argv[2]);
    const auto embedder = contra4::open_torch_module().make_minilm(
        {.folder = argv[1], .num_threads = std::atoi(argv[3])});
    embedder->embed(std::span(texts).first(std::min(kWarmUpTexts, texts.size())));
    const auto start = std::chrono::steady_clock::now();
    const double processor_start = processor_seconds();
    const auto embeddings = embedder->embed(texts);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    fmt::print("{{\"texts\": {}, \"wall_s\": {:.3f}, \"cpu_s\": {:.3f}}}\n", embeddings.size(),
               wall.count(), processor_seconds() - processor_start);
  } catch (const std::exception& error) {
    fmt::print(stderr, "embed_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
