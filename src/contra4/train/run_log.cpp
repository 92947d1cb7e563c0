#include "contra4/train/run_log.h"

#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"
#include "contra4/train/training_log.h"

namespace contra4::train {

namespace {

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string line_of(const StepRecord& record) {
  io::JsonWriter json;
  json.begin_object()
      .member("step", record.step)
      .member("epoch", record.epoch)
      .member("loss", record.loss)
      .member("lr", record.learning_rate)
      .member("grad_norm", record.gradient_norm)
      .end_object();
  return json.take();
}

std::optional<StepRecord> parse_line(std::string_view line) {
  const auto json = io::parse_json(line, "steps.jsonl");
  if (!json) return std::nullopt;
  const auto number = [&](const char* name) -> std::optional<double> {
    const io::JsonValue* value = json->find(name);
    return value == nullptr ? std::nullopt : value->find_number();
  };
  const auto step = number("step");
  const auto epoch = number("epoch");
  const auto loss = number("loss");
  if (!step || !epoch || !loss) return std::nullopt;
  return StepRecord{.epoch = static_cast<std::int64_t>(*epoch),
                    .step = static_cast<std::int64_t>(*step),
                    .loss = *loss,
                    .learning_rate = number("lr").value_or(0),
                    .gradient_norm = number("grad_norm").value_or(0)};
}

}  // namespace

RunLog::RunLog(const std::filesystem::path& output, const std::filesystem::path& events,
               std::int64_t step)
    : output_(output) {
  const std::filesystem::path path = output / "steps.jsonl";
  std::filesystem::create_directories(output);
  steps_.emplace(path);  // before the file is looked at: nobody else writes
  std::string kept;
  bool drops = false;
  io::read_journal(path, [&](std::uint64_t /*number*/, std::string_view line) {
    const auto record = parse_line(line);
    if (!record || record->step > step) {
      drops = true;
      return;
    }
    kept.append(line).push_back('\n');
    if (!epoch_steps_.empty() && epoch_steps_.back().epoch != record->epoch) epoch_steps_.clear();
    epoch_steps_.push_back(*record);
  });
  if (drops) {
    steps_.reset();
    io::write_file_atomically(path, kept);
    steps_.emplace(path);
  }
  if (events.empty()) return;
  events_ = std::make_unique<EventFile>(events, now_s());
  if (step > 0) events_->restart(step + 1, now_s());
}

RunLog::~RunLog() = default;

void RunLog::add(const StepRecord& record) {
  if (!epoch_steps_.empty() && epoch_steps_.back().epoch != record.epoch) epoch_steps_.clear();
  epoch_steps_.push_back(record);
  steps_->append(line_of(record));
  if (!events_) return;
  const double now = now_s();
  events_->add("train_loss", record.loss, record.step, now);
  events_->add("grad_norm", record.gradient_norm, record.step, now);
  events_->add("lr", record.learning_rate, record.step, now);
  events_->flush();
}

void RunLog::add_accuracy(std::int64_t step, double accuracy) {
  if (!events_) return;
  events_->add("val_accuracy", accuracy, step, now_s());
  events_->flush();
}

void RunLog::end_epoch(std::int64_t epoch, std::optional<double> accuracy) {
  EpochRecord record;
  record.epoch = epoch;
  record.accuracy = accuracy;
  double count = 0;
  for (const StepRecord& step : epoch_steps_) {
    if (step.epoch != epoch) continue;
    ++count;
    record.loss += step.loss;
    record.learning_rate += step.learning_rate;
    record.gradient_norm += step.gradient_norm;
  }
  if (count > 0) {
    record.loss /= count;
    record.learning_rate /= count;
    record.gradient_norm /= count;
  }
  write_epoch(output_ / "log.txt", record);
  steps_->sync();
}

}  // namespace contra4::train
