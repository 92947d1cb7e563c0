#include "contra4/apps/commands/models.h"

#include <memory>
#include <ostream>
#include <string>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "contra4/apps/output.h"
#include "contra4/base/error.h"
#include "contra4/clients/families.h"
#include "contra4/inference/torch_loader.h"
#include "contra4/io/json_writer.h"
#include "contra4/media/decoder.h"

namespace contra4::apps {

namespace {

struct Readiness {
  bool is_ready = true;
  std::string words;
};

Readiness embed_readiness(const Environment& environment) {
  try {
    const auto folder = minilm_folder(environment);
    open_torch_module();
    return {true, "weights in " + folder.string()};
  } catch (const Exception& error) {
    return {false, error.what()};
  }
}

Readiness native_readiness() {
  try {
    open_torch_module();
    media::media_decoder();
    return {true, ""};
  } catch (const Exception& error) {
    return {false, error.what()};
  }
}

Readiness key_readiness(const Environment& environment, std::initializer_list<const char*> names,
                        std::string without) {
  for (const char* name : names) {
    if (environment(name)) return {true, fmt::format("{} is set", name)};
  }
  return {false, std::move(without)};
}

// Whether a family can be used here and now, without asking any server.
Readiness readiness_of(std::string_view family, const Environment& environment) {
  if (family == "embed") return embed_readiness(environment);
  if (family == "openai") {
    return key_readiness(
        environment, {"OPENAI_BASE_URL", "OPENAI_API_KEY"},
        "OPENAI_API_KEY is not set; a server of your own, --base-url, may need none");
  }
  if (family == "gemini") {
    return key_readiness(environment, {"GOOGLE_API_KEY", "GEMINI_API_KEY"},
                         "neither GOOGLE_API_KEY nor GEMINI_API_KEY is set");
  }
  if (clients::is_native(family)) return native_readiness();
  return {true, ""};
}

std::string list_text(const Environment& environment) {
  std::string text;
  for (const clients::Family& family : clients::families()) {
    const auto ready = readiness_of(family.name, environment);
    text += fmt::format("{:<14}{}\n", family.pattern, family.summary);
    text += fmt::format("{:14}needs: {}\n", "", family.needs);
    text += fmt::format("{:14}usable now: {}{}{}\n\n", "", ready.is_ready ? "yes" : "no",
                        ready.words.empty() ? "" : "; ", ready.words);
  }
  return text + "A SPEC whose first word is no family is a model on the server of --base-url.\n";
}

std::string json_text(const Environment& environment) {
  io::JsonWriter writer(2);
  writer.begin_array();
  for (const clients::Family& family : clients::families()) {
    const auto ready = readiness_of(family.name, environment);
    writer.begin_object();
    writer.member("family", family.name).member("spec", family.pattern);
    writer.member("summary", family.summary).member("needs", family.needs);
    writer.member("is_usable", ready.is_ready).member("note", ready.words);
    writer.end_object();
  }
  writer.end_array();
  return writer.take() + "\n";
}

}  // namespace

RunCommand add_models_command(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  app.description(
      "What SPEC of `evaluate --model SPEC` can be, what each family needs, and whether that is "
      "here "
      "(no server is asked).");
  app.add_flag("--json", *json, "a list with an object per family");
  return [json](Context& context) {
    write_result(context, {},
                 *json ? json_text(context.environment) : list_text(context.environment));
    return kExitDone;
  };
}

}  // namespace contra4::apps
