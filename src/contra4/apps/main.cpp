// The process around run_program: arguments, streams, signals.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "contra4/apps/program.h"
#include "contra4/apps/signals.h"
#include "contra4/apps/standard_stream.h"

int main(int argc, char** argv) {
  using namespace contra4::apps;
  open_missing_descriptors();
  try {
    StopOnSignal signals;
    StandardStream err(STDERR_FILENO);
    StandardStream out(STDOUT_FILENO, [&signals] { signals.request_stop(); });
    Context context{.out = out,
                    .err = err,
                    .environment = process_environment(),
                    .stop = signals.token(),
                    .was_terminated = [&signals] { return signals.was_terminated(); },
                    .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
                    .err_is_terminal = ::isatty(STDERR_FILENO) == 1};
    const int code = run_program({argv + (argc > 0 ? 1 : 0), argv + argc}, context);
    out.flush();
    if (out.is_broken_pipe()) return code == kExitFailed ? kExitDone : code;  // they had enough
    if (out.error() != 0) {
      err << "contra4: standard output: "
          << std::error_code(out.error(), std::generic_category()).message() << std::endl;
      return kExitFailed;
    }
    return code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "contra4: %s\n", error.what());
    return kExitFailed;
  }
}
