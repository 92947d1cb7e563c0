#include "contra4/nn/processor.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace contra4::nn {
namespace {

// The line of the first processor, "" where there is none.
std::string cpuinfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return line + " ";
  }
  return "";
}

TEST(Processor, IsWhatTheSystemSays) {
#if defined(__x86_64__)
  const std::string flags = cpuinfo("flags");
  if (flags.empty()) GTEST_SKIP() << "no /proc/cpuinfo here";
  EXPECT_EQ(has_bfloat16_instructions(), flags.find(" avx512_bf16 ") != std::string::npos);
  EXPECT_EQ(is_processor_by_amd(), cpuinfo("vendor_id").find("AuthenticAMD") != std::string::npos);
#else
  EXPECT_FALSE(is_processor_by_amd());
#endif
}

}  // namespace
}  // namespace contra4::nn
