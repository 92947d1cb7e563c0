// An open file descriptor with its owner: the one place of this room that closes files it only
// reads.
#pragma once

#include <unistd.h>

namespace contra4::io {

class Descriptor {
 public:
  // Negative: what open() gives on failure; nothing is closed.
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

}  // namespace contra4::io
