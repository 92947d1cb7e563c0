#include "contra4/apps/job.h"

#include <map>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/apps/command.h"

namespace contra4::apps {
namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

JobRank job_of(const Variables& variables, const JobFlags& flags = {}) {
  return find_job(
      [&variables](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      },
      flags);
}

std::string complaint(const Variables& variables, const JobFlags& flags = {}) {
  try {
    job_of(variables, flags);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(FindJob, OneProcessNeedsNothing) {
  const auto job = job_of({});
  EXPECT_EQ(job.rank, 0);
  EXPECT_EQ(job.count, 1);
  EXPECT_EQ(job_of({}, {.world_size = 0}).count, 1) << "the script's default without a GPU";
  EXPECT_EQ(job_of({{"RANK", "0"}, {"WORLD_SIZE", "1"}}, {.world_size = 8}).count, 1)
      << "what the launcher says wins";
}

TEST(FindJob, OfTorchrunWithTheStoreOfItsAgent) {
  Variables variables = {{"RANK", "5"},
                         {"WORLD_SIZE", "8"},
                         {"LOCAL_RANK", "1"},
                         {"LOCAL_WORLD_SIZE", "4"},
                         {"MASTER_ADDR", "node3"},
                         {"MASTER_PORT", "31000"},
                         {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                         {"TORCHELASTIC_RESTART_COUNT", "2"}};
  const auto job = job_of(variables, {.world_size = 3, .local_rank = 0});
  EXPECT_EQ(job.rank, 5);
  EXPECT_EQ(job.count, 8);
  EXPECT_EQ(job.local_rank, 1);
  EXPECT_EQ(job.host, "node3");
  EXPECT_EQ(job.port, 31000);
  EXPECT_TRUE(job.has_agent_store);
  EXPECT_EQ(job.store_prefix, "/worker/attempt_2");
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "False";
  EXPECT_FALSE(job_of(variables).has_agent_store);
  EXPECT_EQ(job_of(variables).store_prefix, "");
}

TEST(FindJob, OfSrunMeetsOnTheFirstMachineOfTheStep) {
  Variables variables = {{"SLURM_PROCID", "3"},
                         {"SLURM_NTASKS", "4"},
                         {"SLURM_LOCALID", "1"},
                         {"SLURM_STEP_ID", "0"},
                         {"SLURM_JOB_ID", "123456"},
                         {"SLURM_STEP_TASKS_PER_NODE", "2(x2)"},
                         {"SLURM_JOB_NODELIST", "gpu[01-04]"},
                         {"SLURM_STEP_NODELIST", "gpu[03-04]"}};
  const auto job = job_of(variables);
  EXPECT_EQ(job.rank, 3);
  EXPECT_EQ(job.count, 4);
  EXPECT_EQ(job.host, "gpu03");
  EXPECT_EQ(job.port, 20000 + 123456 % 12000);
  variables["MASTER_ADDR"] = "10.0.0.7";
  variables["MASTER_PORT"] = "4242";
  EXPECT_EQ(job_of(variables).host, "10.0.0.7");
  EXPECT_EQ(job_of(variables).port, 4242);
  variables.erase("SLURM_STEP_ID");
  EXPECT_EQ(job_of(variables).count, 1) << "a batch script is one process";
}

TEST(FindJob, OfMpirunNeedsAnAddressForSeveralMachines) {
  Variables variables = {{"OMPI_COMM_WORLD_RANK", "1"},
                         {"OMPI_COMM_WORLD_SIZE", "2"},
                         {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                         {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
  EXPECT_EQ(job_of(variables, {.dist_on_itp = true}).host, "127.0.0.1");
  EXPECT_EQ(job_of(variables, {.dist_url = "tcp://other:99"}).host, "other");
  variables["OMPI_COMM_WORLD_LOCAL_SIZE"] = "1";
  EXPECT_THAT(complaint(variables), HasSubstr("MASTER_ADDR"));
  EXPECT_THAT(complaint({}, {.dist_on_itp = true}), HasSubstr("mpirun"));
}

TEST(FindJob, ByHandWithTheFlagsOfTheScript) {
  const auto job =
      job_of({}, {.world_size = 2, .local_rank = 1, .dist_url = "tcp://127.0.0.1:1234"});
  EXPECT_EQ(job.rank, 1);
  EXPECT_EQ(job.count, 2);
  EXPECT_EQ(job.host, "127.0.0.1");
  EXPECT_EQ(job.port, 1234);
  EXPECT_EQ(job_of({}, {.local_rank = -1}).count, 1) << "the script's default";
  EXPECT_THAT(complaint({}, {.world_size = 8}), HasSubstr("torchrun --no-python"));
  EXPECT_THAT(complaint({}, {.world_size = 2, .local_rank = 2}), HasSubstr("--world-size is 2"));
}

TEST(FindJob, RefusesWhatIsNoPlaceToMeet) {
  for (const char* url : {"tcp://host", "tcp://:1", "file:///tmp/x", "host:1", "tcp://h:0",
                          "tcp://h:99999", "tcp://h:1x", ""}) {
    EXPECT_NE(complaint({}, {.dist_url = url}), "") << url;
  }
  EXPECT_EQ(complaint({}, {.dist_url = "env://"}), "");
  EXPECT_EQ(job_of({}, {.world_size = 2, .local_rank = 0, .dist_url = "tcp://[fe80::1]:5"}).host,
            "fe80::1");
  EXPECT_THAT(complaint({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "x"}}),
              HasSubstr("MASTER_PORT"));
}

TEST(FirstHost, OfAnyListOfSlurm) {
  EXPECT_EQ(first_host("node1"), "node1");
  EXPECT_EQ(first_host("node1,node2"), "node1");
  EXPECT_EQ(first_host("node[07-09,12],login1"), "node07");
  EXPECT_EQ(first_host("node[5,9]"), "node5");
  EXPECT_EQ(first_host("login1,node[07-09]"), "login1");
  EXPECT_EQ(first_host("rack[1-2]-node[03-04]"), "rack1-node03");
  EXPECT_EQ(first_host("node[07"), "");
  EXPECT_EQ(first_host(""), "");
}

}  // namespace
}  // namespace contra4::apps
