// The process environment, read in one place. Secrets come only from here and are never printed.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace contra4::apps {

// A variable's value; empty when it is unset or empty. A function, so that tests bring their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

Environment process_environment();

// CONTRA4_CACHE, else XDG_CACHE_HOME/contra4, else HOME/.cache/contra4, else ./.contra4-cache.
std::filesystem::path cache_folder(const Environment& environment);

// The MiniLM folder: CONTRA4_MINILM, else where set-up put it, else the cache. Throws kNotFound
// with what to do.
std::filesystem::path minilm_folder(const Environment& environment);

enum class Launcher { kTorchrun, kMpirun, kSrun };

// This process as one of several that share a job, as the launcher tells it.
struct Worker {
  int rank = 0;        // from 0
  int count = 1;       // of all machines
  int local_rank = 0;  // on this machine
  int local_size = 1;  // on this machine; 1 where the launcher does not say
  Launcher launcher = Launcher::kTorchrun;
};

// torchrun's RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE; srun's SLURM_PROCID, SLURM_NTASKS,
// SLURM_LOCALID; mpirun's OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE. Empty when no
// launcher started it, also in a batch script of Slurm outside srun, and where it is the only one.
// Throws UsageError for variables that are no such numbers.
std::optional<Worker> find_worker(const Environment& environment);

}  // namespace contra4::apps
