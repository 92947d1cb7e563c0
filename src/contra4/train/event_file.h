// Scalars in the format that TensorBoard reads: records of protocol buffers with checksums.
// Source: tensorflow/core/lib/io/record_writer.h and tensorboard/compat/proto/event.proto.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace contra4::train {

// Can be read while it is written. One thread at a time.
class EventFile {
 public:
  // events.out.tfevents.SECONDS.HOST.PID.NUMBER in `folder`, which is made; a file of that name
  // stays as it is, and the next number is taken. Times are seconds since 1970. Throws as BulkFile.
  EventFile(const std::filesystem::path& folder, double wall_time_s);
  ~EventFile();  // flushes if it can
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  // A point of the curve `tag`, UTF-8; its value becomes a float32. It is in memory until a block
  // of 64 KiB is full or flush() is called. Throws as flush().
  void add(std::string_view tag, double value, std::int64_t step, double wall_time_s);
  // For a training that goes on from a checkpoint: points of `step` and later ones, which earlier
  // files in the folder have, are void.
  void restart(std::int64_t step, double wall_time_s);
  // Everything added is in the file afterwards. Throws kResourceExhausted on a full disk, with the
  // file cut to its last whole block; another flush() tries again.
  void flush();
  const std::filesystem::path& path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace contra4::train
