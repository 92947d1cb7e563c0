#include "contra4/apps/standard_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace contra4::apps {

DescriptorBuffer::DescriptorBuffer(int descriptor, std::function<void()> on_broken_pipe)
    : descriptor_(descriptor), on_broken_pipe_(std::move(on_broken_pipe)) {
  setp(buffer_.data(), buffer_.data() + buffer_.size());
}

DescriptorBuffer::~DescriptorBuffer() {
  flush_buffer();
}

DescriptorBuffer::int_type DescriptorBuffer::overflow(int_type character) {
  if (!flush_buffer()) return traits_type::eof();
  if (!traits_type::eq_int_type(character, traits_type::eof())) {
    *pptr() = traits_type::to_char_type(character);
    pbump(1);
  }
  return traits_type::not_eof(character);
}

int DescriptorBuffer::sync() {
  return flush_buffer() ? 0 : -1;
}

bool DescriptorBuffer::flush_buffer() {
  const char* next = pbase();
  while (error_ == 0 && next < pptr()) {
    const auto written = ::write(descriptor_, next, static_cast<std::size_t>(pptr() - next));
    if (written >= 0) {
      next += written;
    } else if (errno != EINTR) {
      error_ = errno;
      if (error_ == EPIPE && on_broken_pipe_) on_broken_pipe_();
    }
  }
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  return error_ == 0;
}

StandardStream::StandardStream(int descriptor, std::function<void()> on_broken_pipe)
    : std::ostream(nullptr), buffer_(descriptor, std::move(on_broken_pipe)) {
  rdbuf(&buffer_);
}

bool StandardStream::is_broken_pipe() const {
  return buffer_.error() == EPIPE;
}

void open_missing_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
      [[maybe_unused]] const int opened = ::open("/dev/null", O_RDWR);  // the lowest free number
    }
  }
}

}  // namespace contra4::apps
