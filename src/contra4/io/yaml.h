// YAML as JSON values: configuration files, prompts, price lists.
#pragma once

#include <filesystem>
#include <string_view>

#include "contra4/base/error.h"
#include "contra4/io/json.h"

namespace contra4::io {

// Plain scalars become null, bool, integer or number as YAML 1.2's core schema says; quoted ones
// and all others stay text. kInvalidArgument with line and column; `what` names the text.
Result<JsonValue> parse_yaml(std::string_view text, std::string_view what);
// Throws kNotFound, kInvalidArgument.
JsonValue read_yaml_file(const std::filesystem::path& path);

}  // namespace contra4::io
