#include "tests/support/python.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "tests/support/test_env.h"

namespace contra4::testing {

bool has_python() {
  return !std::string(CONTRA4_PYTHON).empty();
}

std::string python_output(const std::string& script, const std::vector<std::string>& arguments) {
  const TempDir folder;
  std::ofstream(folder / "script.py") << script;
  std::string command =
      "\"" CONTRA4_PYTHON "\" -W ignore \"" + (folder / "script.py").string() + "\"";
  for (const std::string& argument : arguments) command += " \"" + argument + "\"";
  command += " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) {
    ADD_FAILURE() << "no shell";
    return {};
  }
  std::string output;
  std::array<char, 4096> block{};
  for (std::size_t count = 1; count > 0;) {
    count = std::fread(block.data(), 1, block.size(), pipe);
    output.append(block.data(), count);
  }
  const int status = ::pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << output;
  return output;
}

}  // namespace contra4::testing
