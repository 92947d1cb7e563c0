// Tests in which several processes work together: the test's own program, started anew for each
// rank with nothing but this test.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "contra4/inference/finetune.h"

namespace contra4::testing {

struct ProcessEnd {
  int exit_code = -1;  // 128 + n: killed by signal n
  double seconds = 0;  // after the start of all
};

// In the test itself: starts `count` processes, waits, and gives their ends by rank; a free port is
// in their job. In such a process: calls `body` with its job and exits: with 0, with 1 when an
// expectation failed or something was thrown.
std::vector<ProcessEnd> run_processes(int count, const std::function<void(const JobRank&)>& body);

// The same, and expects that all exit with 0.
void expect_processes(int count, const std::function<void(const JobRank&)>& body);

int find_free_port();

}  // namespace contra4::testing
