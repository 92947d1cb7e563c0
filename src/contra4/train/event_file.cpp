#include "contra4/train/event_file.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/io/descriptor.h"

namespace contra4::train {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 64U << 10;

// Castagnoli's polynomial, bits reversed.
constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
    table[i] = crc;
  }
  return table;
}

// A checksum of bytes that hold checksums themselves would be weak: so it is stored in another
// form.
std::uint32_t masked_crc32c(std::string_view bytes) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc = kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xffU] ^ (crc >> 8);
  }
  return std::rotr(~crc, 15) + 0xa282ead8U;
}

// Lowest byte first.
template <class Unsigned>
void put_fixed(std::string& out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
}

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7fU) | 0x80U);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

// Fields of protocol buffers: number and kind, then the value.
enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_key(std::string& out, std::uint32_t field, WireType type) {
  put_varint(out, field << 3 | static_cast<std::uint32_t>(type));
}
void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_key(out, field, WireType::kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}
void put_number(std::string& out, std::uint32_t field, std::int64_t value) {
  put_key(out, field, WireType::kVarint);
  put_varint(out, static_cast<std::uint64_t>(value));
}

// Event.wall_time
std::string begin_event(double wall_time_s) {
  std::string event;
  put_key(event, 1, WireType::kFixed64);
  put_fixed(event, std::bit_cast<std::uint64_t>(wall_time_s));
  return event;
}

// Event.step and Event.summary with one Summary.Value: tag and simple_value.
std::string scalar_event(std::string_view tag, float number, std::int64_t step,
                         double wall_time_s) {
  std::string value;
  put_bytes(value, 1, tag);
  put_key(value, 2, WireType::kFixed32);
  put_fixed(value, std::bit_cast<std::uint32_t>(number));
  std::string summary;
  put_bytes(summary, 1, value);
  std::string event = begin_event(wall_time_s);
  put_number(event, 2, step);
  put_bytes(event, 5, summary);
  return event;
}

// Length and its checksum, the bytes and theirs.
void put_record(std::string& out, std::string_view bytes) {
  std::string length;
  put_fixed(length, std::uint64_t{bytes.size()});
  out += length;
  put_fixed(out, masked_crc32c(length));
  out += bytes;
  put_fixed(out, masked_crc32c(bytes));
}

[[noreturn]] void fail(const fs::path& path, std::string_view action, int error) {
  const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  throw Exception(is_full ? ErrorCode::kResourceExhausted : ErrorCode::kInvalidArgument,
                  fmt::format("{}: cannot {}: {}", path.string(), action,
                              std::generic_category().message(error)));
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

int create_numbered(const fs::path& folder, double wall_time_s, fs::path& path) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(folder, "create the folder", error.value());
  const std::string stem =
      fmt::format("events.out.tfevents.{:010}.{}.{}", static_cast<std::int64_t>(wall_time_s),
                  host_name(), ::getpid());
  for (int number = 0;; ++number) {
    path = folder / fmt::format("{}.{}", stem, number);
    const int descriptor =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor >= 0) return descriptor;
    if (errno != EEXIST) fail(path, "create", errno);
  }
}

}  // namespace

struct EventFile::State {
  State(const fs::path& folder, double wall_time_s)
      : descriptor(create_numbered(folder, wall_time_s, path)) {}

  void add(std::string_view event) {
    put_record(buffer, event);
    if (buffer.size() >= kBlock) flush();
  }

  void flush() {
    std::string_view rest = buffer;
    while (!rest.empty()) {
      const ssize_t count = ::write(descriptor.get(), rest.data(), rest.size());
      if (count < 0) {
        if (errno == EINTR) continue;
        const int error = errno;
        // Readers stop at half a record; if cutting fails too, so they do.
        (void)!::ftruncate(descriptor.get(), static_cast<off_t>(size));
        fail(path, "write", error);
      }
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
    size += buffer.size();
    buffer.clear();
  }

  fs::path path;
  io::Descriptor descriptor;
  std::string buffer;      // whole records
  std::uint64_t size = 0;  // of the file
};

EventFile::EventFile(const fs::path& folder, double wall_time_s) {
  CONTRA4_CHECK(wall_time_s >= 0 && wall_time_s < 1e12, "times are seconds since 1970");
  state_ = std::make_unique<State>(folder, wall_time_s);
  std::string event = begin_event(wall_time_s);
  put_bytes(event, 3, "brain.Event:2");  // Event.file_version
  state_->add(event);
  flush();
}

EventFile::~EventFile() {
  try {
    flush();
  } catch (const Exception&) {  // NOLINT(bugprone-empty-catch): nobody is left to tell
  }
}

void EventFile::add(std::string_view tag, double value, std::int64_t step, double wall_time_s) {
  state_->add(scalar_event(tag, static_cast<float>(value), step, wall_time_s));
}

void EventFile::restart(std::int64_t step, double wall_time_s) {
  std::string log;
  put_number(log, 1, 1);  // SessionLog.status: START
  std::string event = begin_event(wall_time_s);
  put_number(event, 2, step);
  put_bytes(event, 7, log);  // Event.session_log
  state_->add(event);
}

void EventFile::flush() {
  state_->flush();
}

const fs::path& EventFile::path() const {
  return state_->path;
}

}  // namespace contra4::train
