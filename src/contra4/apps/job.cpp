#include "contra4/apps/job.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "contra4/apps/arguments.h"
#include "contra4/apps/command.h"

namespace contra4::apps {

namespace {

constexpr int kMaxProcesses = 1'000'000;
constexpr int kMaxPort = 65'535;
constexpr int kDefaultPort = 29'500;
// Jobs that share a machine should not meet at one port; below 32768, where systems begin to hand
// out ports by themselves.
constexpr int kFirstJobPort = 20'000;
constexpr int kNumJobPorts = 12'000;
constexpr std::string_view kTcp = "tcp://";

std::optional<int> parse_int(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int port_of(std::string_view name, std::string_view text) {
  const auto port = parse_int(text);
  if (!port || *port < 1 || *port > kMaxPort) {
    throw UsageError(fmt::format("{} {:.40}: expected a port from 1 to {}", name, text, kMaxPort));
  }
  return *port;
}

struct Place {
  std::string host;
  int port = 0;
};

// Empty: env://.
std::optional<Place> place_of_url(const std::optional<std::string>& url) {
  if (!url || *url == "env://") return std::nullopt;
  const std::string_view rest = std::string_view(*url).substr(std::min(kTcp.size(), url->size()));
  const auto colon = rest.rfind(':');
  if (!url->starts_with(kTcp) || colon == std::string_view::npos || colon == 0) {
    throw UsageError(fmt::format("--dist-url '{:.80}': expected env:// or tcp://HOST:PORT", *url));
  }
  std::string host(rest.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Place{std::move(host), port_of("--dist-url: port", rest.substr(colon + 1))};
}

std::string slurm_host(const Environment& environment) {
  for (const char* name : {"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"}) {
    if (const auto list = environment(name)) return first_host(*list);
  }
  return {};
}

int slurm_port(const Environment& environment) {
  const auto job = environment("SLURM_JOB_ID");
  const auto number = job ? parse_int(*job) : std::nullopt;
  return number && *number >= 0 ? kFirstJobPort + *number % kNumJobPorts : kDefaultPort;
}

Place default_place(const Environment& environment, const Worker& worker) {
  if (worker.launcher == Launcher::kSrun) {
    const std::string host = slurm_host(environment);
    if (!host.empty()) return {host, slurm_port(environment)};
  }
  if (worker.launcher != Launcher::kTorchrun && worker.local_size < worker.count) {
    throw UsageError(
        "MASTER_ADDR is not set: export the name of the machine that process 0 runs on, and with "
        "mpirun pass it on (-x MASTER_ADDR)");
  }
  return {"127.0.0.1", kDefaultPort};
}

void set_place(JobRank& job, const Environment& environment, const JobFlags& flags,
               const Worker& worker) {
  const auto address = environment("MASTER_ADDR");
  const auto port = environment("MASTER_PORT");
  const auto url = place_of_url(flags.dist_url);
  Place place;
  if (url) {
    place = *url;
  } else if (address) {
    place = {*address, worker.launcher == Launcher::kSrun ? slurm_port(environment) : kDefaultPort};
  } else {
    place = default_place(environment, worker);
  }
  job.host = address.value_or(place.host);
  job.port = port ? port_of("MASTER_PORT", *port) : place.port;
}

// A process that somebody started by hand, as one of several on this machine.
Worker worker_by_hand(const JobFlags& flags) {
  const int count = std::max(1, flags.world_size.value_or(1));  // 0: the script's, without a GPU
  const int rank = flags.local_rank.value_or(-1);
  if (count > 1 && rank < 0) {
    throw UsageError(fmt::format(
        "--world-size {0}, and no launcher has started this process: torchrun --no-python "
        "--nproc-per-node {0} contra4 finetune ... (srun and mpirun work as well), or give each of "
        "the {0} processes its --local-rank, from 0",
        count));
  }
  if (rank >= count) {
    throw UsageError(fmt::format("--local-rank {}: --world-size is {}", rank, count));
  }
  return {.rank = std::max(rank, 0),
          .count = count,
          .local_rank = std::max(rank, 0),
          .local_size = count};
}

// By a launcher that was told to start one process, whatever --world-size says.
bool is_launched_alone(const Environment& environment) {
  return (environment("RANK") && environment("WORLD_SIZE")) || environment("OMPI_COMM_WORLD_RANK");
}

// torchrun's agent keeps the store, and each restart has keys of its own.
// Source: torch/distributed/rendezvous.py.
void set_agent_store(JobRank& job, const Environment& environment) {
  if (environment("TORCHELASTIC_USE_AGENT_STORE").value_or("") != "True") return;
  job.has_agent_store = true;
  job.store_prefix = "/worker/attempt_" + environment("TORCHELASTIC_RESTART_COUNT").value_or("0");
}

}  // namespace

void add_job_flags(CLI::App& app, JobFlags& flags) {
  app.option_defaults()->group("Several processes");
  app.add_option("--world-size", flags.world_size,
                 "processes of the job, where no launcher says it")
      ->type_name("N")
      ->check(whole_number(0, kMaxProcesses));
  app.add_option("--local-rank", flags.local_rank,
                 "which of them this is, from 0, where no launcher says it")
      ->type_name("I")
      ->check(whole_number(-1, kMaxProcesses));
  app.add_option("--dist-url", flags.dist_url,
                 "where they meet: env:// (MASTER_ADDR, MASTER_PORT) or tcp://HOST:PORT")
      ->type_name("URL");
  app.add_flag("--dist-on-itp", flags.dist_on_itp,
               "refuse to start unless mpirun started this process");
}

JobRank find_job(const Environment& environment, const JobFlags& flags) {
  if (flags.dist_on_itp && !environment("OMPI_COMM_WORLD_RANK")) {
    throw UsageError(
        "--dist-on-itp: mpirun has not started this process, OMPI_COMM_WORLD_RANK is "
        "not set");
  }
  const auto launched = find_worker(environment);
  const Worker worker = launched                         ? *launched
                        : is_launched_alone(environment) ? Worker{}
                                                         : worker_by_hand(flags);
  JobRank job;
  job.rank = worker.rank;
  job.count = worker.count;
  job.local_rank = worker.local_rank;
  if (job.count == 1) {
    place_of_url(flags.dist_url);  // a wrong one is wrong all the same
    return job;
  }
  set_place(job, environment, flags, worker);
  if (worker.launcher == Launcher::kTorchrun) set_agent_store(job, environment);
  return job;
}

std::string first_host(std::string_view node_list) {
  const auto end = std::min(node_list.find(','), node_list.size());
  const auto open = node_list.find('[');
  if (open == std::string_view::npos || open > end) return std::string(node_list.substr(0, end));
  const auto close = node_list.find(']', open);
  if (close == std::string_view::npos) return {};
  const std::string_view numbers = node_list.substr(open + 1, close - open - 1);
  const std::string_view first = numbers.substr(0, numbers.find_first_of(",-"));
  // What stands behind the bracket up to the comma belongs to the name: "rack[1-2]-node".
  const std::string_view rest = node_list.substr(close + 1);
  return fmt::format("{}{}{}", node_list.substr(0, open), first,
                     first_host(rest.substr(0, rest.find(','))));
}

}  // namespace contra4::apps
