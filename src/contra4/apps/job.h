// The processes of a training job, and where they find each other.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <CLI/App.hpp>

#include "contra4/apps/environment.h"
#include "contra4/inference/finetune.h"

namespace contra4::apps {

// What the published script takes about processes; launchers say it by variables, which win.
struct JobFlags {
  std::optional<int> world_size = {};
  std::optional<int> local_rank = {};
  std::optional<std::string> dist_url = {};  // env:// or tcp://HOST:PORT
  bool dist_on_itp = false;
};
void add_job_flags(CLI::App& app, JobFlags& flags);

// Of torchrun, srun or mpirun (see find_worker()), else of --world-size and --local-rank. The
// meeting place is MASTER_ADDR and MASTER_PORT, else --dist-url, else under srun the first machine
// of the step and a port that follows from the job's number, else this machine. Throws UsageError
// where something lacks or is no such thing.
JobRank find_job(const Environment& environment, const JobFlags& flags);

// "node[07-09,12],login1" of Slurm: "node07". Empty when it is no such list.
std::string first_host(std::string_view node_list);

}  // namespace contra4::apps
