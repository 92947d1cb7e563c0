// A command line as one could type it again.
#pragma once

#include <string>
#include <vector>

namespace contra4::apps {

// "contra4 evaluate --model 'exec/python3 x.py'": quoted for a POSIX shell where that is needed.
// User, password and query of a URL may be secrets and are left out.
std::string command_text(const std::vector<std::string>& arguments);

}  // namespace contra4::apps
