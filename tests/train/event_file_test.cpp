// What is written is read again here by other code: records, their checksums, and the fields of
// each event. TensorBoard itself reads the file of LeavesPointsForOtherReaders, see
// tests/integration.
#include "contra4/train/event_file.h"

#include <sys/resource.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contra4/io/file.h"
#include "tests/support/error_of.h"
#include "tests/support/test_env.h"

namespace contra4::train {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Bit by bit, as the definition has it.
std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1) ^ 0x82f63b78U : crc >> 1;
  }
  return crc ^ 0xffffffffU;
}

std::uint32_t masked(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool is_at_end() const { return rest_.empty(); }
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) throw std::out_of_range("cut");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t fixed(std::size_t count) {
    std::uint64_t value = 0;
    const std::string_view bytes = take(count);
    for (std::size_t i = count; i > 0; --i) {
      value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
    }
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint64_t byte = fixed(1);
      value |= (byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
  }

 private:
  std::string_view rest_;
};

struct Event {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string file_version, tag;
  std::optional<float> value;
  std::optional<std::uint64_t> session_status;
};

void read_value(std::string_view bytes, Event& event) {
  Reader reader(bytes);
  while (!reader.is_at_end()) {
    switch (reader.varint()) {
      case 1U << 3 | 2:
        event.tag = reader.take(reader.varint());
        break;
      case 2U << 3 | 5:
        event.value = std::bit_cast<float>(static_cast<std::uint32_t>(reader.fixed(4)));
        break;
      default:
        throw std::invalid_argument("a field of Summary.Value that nobody wrote");
    }
  }
}

Event read_event(std::string_view bytes) {
  Event event;
  Reader reader(bytes);
  while (!reader.is_at_end()) {
    switch (reader.varint()) {
      case 1U << 3 | 1:
        event.wall_time = std::bit_cast<double>(reader.fixed(8));
        break;
      case 2U << 3 | 0:
        event.step = static_cast<std::int64_t>(reader.varint());
        break;
      case 3U << 3 | 2:
        event.file_version = reader.take(reader.varint());
        break;
      case 5U << 3 | 2: {
        Reader summary(reader.take(reader.varint()));
        EXPECT_EQ(summary.varint(), 1U << 3 | 2);
        read_value(summary.take(summary.varint()), event);
        EXPECT_TRUE(summary.is_at_end());
        break;
      }
      case 7U << 3 | 2: {
        Reader log(reader.take(reader.varint()));
        EXPECT_EQ(log.varint(), 1U << 3 | 0);
        event.session_status = log.varint();
        break;
      }
      default:
        throw std::invalid_argument("a field of Event that nobody wrote");
    }
  }
  return event;
}

// Throws where a record is cut.
std::vector<Event> read_events(const fs::path& path) {
  const std::string bytes = io::read_file(path);
  std::vector<Event> events;
  Reader reader(bytes);
  while (!reader.is_at_end()) {
    const std::string_view length = reader.take(8);
    EXPECT_EQ(reader.fixed(4), masked(crc32c(length)));
    const std::string_view event = reader.take(Reader(length).fixed(8));
    EXPECT_EQ(reader.fixed(4), masked(crc32c(event)));
    events.push_back(read_event(event));
  }
  return events;
}

TEST(EventFile, ReadsChecksumsAsTheirDefinitionHasThem) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
}

TEST(EventFile, BeginsWithTheVersionOfTheFormat) {
  const testing::TempDir folder;
  const EventFile file(folder.path(), 1700000000.5);
  const auto events = read_events(file.path());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_EQ(events[0].wall_time, 1700000000.5);
  EXPECT_FALSE(events[0].value);
}

TEST(EventFile, KeepsTagsValuesStepsAndTimes) {
  const testing::TempDir folder;
  EventFile file(folder.path(), 1);
  file.add("train_loss", 2.625, 0, 1700000000.25);
  file.add("lr", 1e-7, 1LL << 40, 1700000001);
  file.add("", -0.0, -1, 0);
  file.add(std::string(300, 'x') + "\u00e4", std::numeric_limits<double>::infinity(), 127, 2);
  file.add("nan", std::nan(""), 128, 3);
  file.add("huge", 1e300, 129, 4);
  file.flush();
  const auto events = read_events(file.path());
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[1].tag, "train_loss");
  EXPECT_EQ(events[1].value, 2.625F);
  EXPECT_EQ(events[1].step, 0);
  EXPECT_EQ(events[1].wall_time, 1700000000.25);
  EXPECT_EQ(events[2].value, 1e-7F);
  EXPECT_EQ(events[2].step, 1LL << 40);
  EXPECT_EQ(events[3].tag, "");
  EXPECT_EQ(events[3].step, -1);
  EXPECT_EQ(events[4].tag, std::string(300, 'x') + "\u00e4");
  EXPECT_EQ(events[4].value, std::numeric_limits<float>::infinity());
  EXPECT_EQ(events[4].step, 127);
  EXPECT_TRUE(std::isnan(events[5].value.value()));
  EXPECT_EQ(events[6].value, std::numeric_limits<float>::infinity());
}

TEST(EventFile, HoldsWholeRecordsBeforeItIsClosed) {
  const testing::TempDir folder;
  EventFile file(folder.path(), 1);
  for (int step = 0; step < 5000; ++step) file.add("train_loss", step, step, step);
  const std::size_t before = read_events(file.path()).size();
  EXPECT_GT(before, 2000U);  // blocks went to the file by themselves
  EXPECT_LT(before, 5001U);
  file.flush();
  file.flush();
  const auto events = read_events(file.path());
  ASSERT_EQ(events.size(), 5001U);
  for (int step = 0; step < 5000; ++step) {
    ASSERT_EQ(events[static_cast<std::size_t>(step) + 1].step, step);
  }
}

TEST(EventFile, FlushesWhenItIsClosed) {
  const testing::TempDir folder;
  fs::path path;
  {
    EventFile file(folder.path(), 1);
    file.add("lr", 0.5, 3, 2);
    path = file.path();
  }
  EXPECT_EQ(read_events(path).back().value, 0.5F);
}

TEST(EventFile, MarksWhereATrainingGoesOn) {
  const testing::TempDir folder;
  EventFile file(folder.path(), 1);
  file.restart(40, 2);
  file.flush();
  const auto events = read_events(file.path());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].step, 40);
  EXPECT_EQ(events[1].session_status, 1U);
}

TEST(EventFile, NamesAreThoseThatTensorBoardLooksForAndNeverTaken) {
  const testing::TempDir folder;
  const fs::path deep = folder / "runs" / "first";
  const EventFile first(deep, 1700000000.9);
  const EventFile second(deep, 1700000000.1);
  const EventFile earlier(deep, 7);
  EXPECT_THAT(first.path().filename().string(),
              ::testing::StartsWith("events.out.tfevents.1700000000."));
  EXPECT_THAT(first.path().filename().string(), ::testing::EndsWith(".0"));
  EXPECT_THAT(second.path().filename().string(), ::testing::EndsWith(".1"));
  // Names are read in their order.
  EXPECT_LT(earlier.path().filename().string(), first.path().filename().string());
  std::set<fs::path> names;
  for (const auto& entry : fs::directory_iterator(deep)) names.insert(entry.path());
  EXPECT_EQ(names, (std::set<fs::path>{first.path(), second.path(), earlier.path()}));
}

TEST(EventFile, SaysWhatItCannotWriteTo) {
  const testing::TempDir folder;
  io::write_file_atomically(folder / "file", "");
  for (const char* wrong : {"file", "file/below"}) {
    const Error error = testing::error_of([&] { EventFile(folder.path() / wrong, 1); });
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message, HasSubstr("file"));
  }
  EXPECT_THROW(EventFile(folder.path(), -1), Exception);
  EXPECT_THROW(EventFile(folder.path(), std::nan("")), Exception);
}

// A limit on the size of files stands in for the end of a disk.
TEST(EventFile, AFullDiskLeavesWholeRecordsAndCanBeTriedAgain) {
  const testing::TempDir folder;
  EventFile file(folder.path(), 1);
  file.add("lr", 1, 1, 1);
  file.flush();
  for (int step = 2; step < 40; ++step) file.add("lr", step, step, 1);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{.rlim_cur = fs::file_size(file.path()) + 100, .rlim_max = limit.rlim_max};
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Error error = testing::error_of([&] { file.flush(); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, before);
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.message, HasSubstr("cannot write"));
  EXPECT_EQ(read_events(file.path()).size(), 2U);
  file.flush();
  EXPECT_EQ(read_events(file.path()).size(), 40U);
}

// tests/integration/tensorboard_test.py names the folder and looks for the same points.
TEST(EventFile, LeavesPointsForOtherReaders) {
  const testing::TempDir own;
  const char* wanted = std::getenv("CONTRA4_EVENT_FOLDER");
  const fs::path folder = wanted == nullptr ? own.path() : fs::path(wanted);
  const auto value_at = [](int step) { return 1.0 / (1 + step); };
  {
    EventFile file(folder, 1700000000);
    for (int step = 0; step < 100; ++step) {
      file.add("train_loss", value_at(step), step, 1700000000 + step);
      file.add("lr", 1e-7 * step, step, 1700000000 + step);
    }
  }
  EventFile file(folder, 1700000200);
  file.restart(60, 1700000200);
  for (int step = 60; step < 80; ++step) {
    file.add("train_loss", 2 * value_at(step), step, 1700000200 + step);
  }
  file.flush();
  const auto events = read_events(file.path());
  ASSERT_EQ(events.size(), 22U);
  EXPECT_EQ(events.back().value, static_cast<float>(2 * value_at(79)));
}

}  // namespace
}  // namespace contra4::train
