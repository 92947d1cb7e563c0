#include "contra4/train/training_log.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"

namespace contra4::train {

namespace {

std::string line_of(const EpochRecord& record) {
  io::JsonWriter json;
  json.begin_object();
  const auto write_means = [&](const std::string& prefix) {
    json.member(prefix + "lr", record.learning_rate)
        .member(prefix + "grad_norm", record.gradient_norm)
        .member(prefix + "loss", record.loss)
        .member(prefix + "iloss", record.loss);
  };
  write_means("train_");
  json.member("epoch", record.epoch);
  write_means("val_");
  if (record.accuracy) json.member("val_accuracy", *record.accuracy);
  json.end_object();
  return json.take();
}

bool is_of_earlier_epoch(std::string_view line, std::int64_t epoch) {
  const auto json = io::parse_json(line, "log.txt");
  if (!json) return true;  // no line of ours
  const io::JsonValue* value = json->find("epoch");
  const auto number = value == nullptr ? std::nullopt : value->find_number();
  return !number || *number < static_cast<double>(epoch);
}

}  // namespace

void write_epoch(const std::filesystem::path& path, const EpochRecord& record) {
  std::string kept;
  const std::string before = std::filesystem::exists(path) ? io::read_file(path) : "";
  for (std::string_view rest = before; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (is_of_earlier_epoch(line, record.epoch)) kept.append(line).push_back('\n');
  }
  io::write_file_atomically(path, kept + line_of(record) + "\n");
}

}  // namespace contra4::train
