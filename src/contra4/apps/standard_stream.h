// Standard output and standard error as streams that tell why writing failed.
#pragma once

#include <array>
#include <functional>
#include <ostream>
#include <streambuf>

namespace contra4::apps {

class DescriptorBuffer final : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor, std::function<void()> on_broken_pipe);
  ~DescriptorBuffer() override;
  DescriptorBuffer(const DescriptorBuffer&) = delete;
  DescriptorBuffer& operator=(const DescriptorBuffer&) = delete;
  // errno of the first write that failed; 0: none.
  int error() const { return error_; }

 private:
  int_type overflow(int_type character) override;
  int sync() override;
  bool flush_buffer();

  int descriptor_;
  int error_ = 0;
  std::function<void()> on_broken_pipe_;
  std::array<char, 1 << 14> buffer_{};
};

// Buffers until flush(), a full buffer or its end. After a failed write the rest is dropped.
class StandardStream final : public std::ostream {
 public:
  // `on_broken_pipe` is called once when nobody reads any more (`contra4 ... | head`).
  explicit StandardStream(int descriptor, std::function<void()> on_broken_pipe = {});
  bool is_broken_pipe() const;
  int error() const { return buffer_.error(); }

 private:
  DescriptorBuffer buffer_;
};

// Opens /dev/null for each of the three standard descriptors that is closed, so that no file of
// ours takes its number.
void open_missing_descriptors();

}  // namespace contra4::apps
