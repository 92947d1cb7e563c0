#include "contra4/apps/environment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "contra4/apps/command.h"
#include "contra4/base/error.h"

namespace contra4::apps {

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value =
        std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets any
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  };
}

std::filesystem::path cache_folder(const Environment& environment) {
  if (const auto folder = environment("CONTRA4_CACHE")) return *folder;
  if (const auto folder = environment("XDG_CACHE_HOME")) {
    return std::filesystem::path(*folder) / "contra4";
  }
  if (const auto home = environment("HOME")) {
    return std::filesystem::path(*home) / ".cache" / "contra4";
  }
  return ".contra4-cache";
}

std::filesystem::path minilm_folder(const Environment& environment) {
  if (const auto folder = environment("CONTRA4_MINILM")) {
    if (std::filesystem::exists(std::filesystem::path(*folder) / "model.safetensors"))
      return *folder;
    throw Exception(ErrorCode::kNotFound,
                    fmt::format("CONTRA4_MINILM={}: no model.safetensors in it", *folder));
  }
  const std::vector<std::filesystem::path> candidates = {CONTRA4_DEFAULT_MINILM,
                                                         cache_folder(environment) / "minilm"};
  for (const auto& folder : candidates) {
    if (std::filesystem::exists(folder / "model.safetensors")) return folder;
  }
  throw Exception(ErrorCode::kNotFound,
                  "the weights of all-MiniLM-L6-v2 are not here: run `make setup`, or set "
                  "CONTRA4_MINILM to a folder with model.safetensors, vocab.txt and config.json");
}

namespace {

// The variables of a launcher.
struct LauncherVariables {
  Launcher launcher;
  const char* rank;
  const char* count;
  const char* local_rank;
  const char* local_size;
};
constexpr std::array kLaunchers = {
    LauncherVariables{Launcher::kTorchrun, "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
    LauncherVariables{Launcher::kMpirun, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                      "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"},
    LauncherVariables{Launcher::kSrun, "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID",
                      "SLURM_STEP_TASKS_PER_NODE"},
};
constexpr int kMaxWorkers = 1'000'000;

int number_of(const char* name, const std::string& text, int least, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    throw UsageError(fmt::format("{}={}: expected a number from {} to {}", name, text.substr(0, 40),
                                 least, most));
  }
  return number;
}

// Slurm sets its variables in a batch script as well, which is one process whatever they say.
bool is_outside_srun(const Environment& environment, const LauncherVariables& launcher) {
  return std::string_view(launcher.rank) == "SLURM_PROCID" && environment("SLURM_JOB_ID") &&
         !environment("SLURM_STEP_ID");
}

// "4(x2)" is Slurm's for two machines with four each: the first number is near enough.
int local_size_of(const std::optional<std::string>& text) {
  int number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return std::max(1, number);
}

}  // namespace

std::optional<Worker> find_worker(const Environment& environment) {
  for (const LauncherVariables& launcher : kLaunchers) {
    const auto rank = environment(launcher.rank);
    const auto count = environment(launcher.count);
    if (!rank || !count || is_outside_srun(environment, launcher)) continue;
    Worker worker;
    worker.launcher = launcher.launcher;
    worker.count = number_of(launcher.count, *count, 1, kMaxWorkers);
    worker.rank = number_of(launcher.rank, *rank, 0, worker.count - 1);
    if (const auto local = environment(launcher.local_rank)) {
      worker.local_rank = number_of(launcher.local_rank, *local, 0, kMaxWorkers);
    }
    worker.local_size = local_size_of(environment(launcher.local_size));
    if (worker.count == 1) return std::nullopt;
    return worker;
  }
  return std::nullopt;
}

}  // namespace contra4::apps
