#include "contra4/apps/standard_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include <gtest/gtest.h>

namespace contra4::apps {
namespace {

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int write_end() const { return ends_[1]; }
  void close_end(std::size_t which) {
    if (ends_[which] != -1) ::close(ends_[which]);
    ends_[which] = -1;
  }
  // What is there now.
  std::string read() const {
    std::string text(1 << 16, '\0');
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    const auto count = ::read(ends_[0], text.data(), text.size());
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

TEST(StandardStream, HoldsWordsBackUntilFlushedOrItsEnd) {
  const Pipe pipe;
  {
    StandardStream out(pipe.write_end());
    out << "row " << 1 << "\n";
    EXPECT_EQ(pipe.read(), "");
    out << std::flush;
    EXPECT_EQ(pipe.read(), "row 1\n");
    out << "last";
  }
  EXPECT_EQ(pipe.read(), "last");
}

TEST(StandardStream, MoreThanItsBufferGoesThroughWhole) {
  const Pipe pipe;
  const std::string text(40'000, 'x');
  StandardStream out(pipe.write_end());
  out << text << std::flush;
  EXPECT_EQ(pipe.read(), text);
  EXPECT_EQ(out.error(), 0);
}

TEST(StandardStream, AReaderThatLeftIsToldOnceAndTheRestDropped) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_end(0);
  int times = 0;
  StandardStream out(pipe.write_end(), [&] { ++times; });
  out << "one" << std::flush;
  EXPECT_TRUE(out.is_broken_pipe());
  out.clear();
  out << "two" << std::flush;
  EXPECT_EQ(times, 1);
  ::signal(SIGPIPE, SIG_DFL);
}

TEST(StandardStream, AFullDiskKeepsItsReason) {
  const int full = ::open("/dev/full", O_WRONLY);
  if (full == -1) GTEST_SKIP() << "no /dev/full here";
  {
    StandardStream out(full);
    out << "words" << std::flush;
    EXPECT_EQ(out.error(), ENOSPC);
    EXPECT_FALSE(out.is_broken_pipe());
    EXPECT_FALSE(out.good());
  }
  ::close(full);
}

}  // namespace
}  // namespace contra4::apps
