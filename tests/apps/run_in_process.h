// run_program with string streams and an environment of the test's own.
#pragma once

#include <map>
#include <optional>
#include <sstream>
#include <stop_token>
#include <string>
#include <vector>

#include "contra4/apps/program.h"

namespace contra4::apps {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

using Variables = std::map<std::string, std::string>;

inline Outcome run(const std::vector<std::string>& arguments, const Variables& variables = {},
                   std::stop_token stop = {}) {
  std::ostringstream out;
  std::ostringstream err;
  Context context{
      .out = out,
      .err = err,
      .environment = [&variables](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      },
      .stop = std::move(stop)};
  const int code = run_program(arguments, context);
  return {code, out.str(), err.str()};
}

}  // namespace contra4::apps
