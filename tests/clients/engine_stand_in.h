// Programs that stand in for vllm, llama-server and transformers: small HTTP servers that do as the
// word after --mode says.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "contra4/clients/local_engine.h"
#include "tests/support/test_env.h"

namespace contra4::clients {

inline constexpr char kStandIn[] = R"(
import json, os, signal, socket, sys, threading, time
words = sys.argv
print("process", os.getpid())
print("arguments:", json.dumps(words[1:]))
mode = words[words.index("--mode") + 1] if "--mode" in words else "ready"
if mode == "broken":
    print("loading\rhalf\rloaded", file=sys.stderr)
    sys.exit("\x1b[31mCUDA out of memory\x1b[0m")
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while mode == "never":
    time.sleep(60)
gets = 0

def answer(line, body):
    global gets
    if line.startswith("POST"):
        model = json.loads(body)["model"]
        if mode == "dies":
            print("segmentation fault, or so")
            os._exit(9)
        return 200, {"model": model, "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Scene B of " + model}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    gets += 1
    if mode == "no-health" and " /health " in line:
        return 404, {}
    return 503 if mode in ("late", "no-health") and gets < 4 else 200, {}

def serve(connection):
    stream = connection.makefile("rwb")
    while line := stream.readline().decode():
        length = 0
        while header := stream.readline().decode().strip().lower():
            if header.startswith("content-length:"):
                length = int(header.split(":")[1])
        status, reply = answer(line, stream.read(length))
        text = json.dumps(reply).encode()
        stream.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(text)) + text)
        stream.flush()

address = words[words.index("--host") + 1], int(words[words.index("--port") + 1])
with socket.create_server(address) as server:
    while True:
        threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
)";

// A folder with a program of that name, to be put on PATH.
class StandIn {
 public:
  explicit StandIn(const std::string& program) {
    std::ofstream(folder_ / "stand_in.py") << kStandIn;
    const auto path = folder_ / program;
    std::ofstream(path) << "#!/bin/sh\nexec python3 -S " << (folder_ / "stand_in.py").string()
                        << " \"$@\"\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  std::string path_list() const {
    const char* others = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
    return folder_.path().string() + ":" + (others == nullptr ? "/usr/bin:/bin" : others);
  }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  LocalEngineOptions options(const std::string& spec, const std::string& arguments = "") const {
    LocalEngineOptions options;
    options.spec = parse_engine_spec(spec).value();
    options.arguments = parse_engine_arguments(arguments).value();
    options.path_list = path_list();
    options.log = folder_ / "server.log";
    return options;
  }

 private:
  testing::TempDir folder_;
};

}  // namespace contra4::clients
