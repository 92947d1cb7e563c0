// Which row a text was first seen in, without keeping the text: for ids of files of any size.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace contra4::data {

// 16 bytes an entry, 21 to 43 bytes with the free slots. Texts are told apart by 96 bits of a hash:
// among ten million ids the chance that two different ones look alike is below 1e-14.
class FingerprintSet {
 public:
  // The row of an equal text that was inserted before; otherwise remembers this one. Rows count
  // from 1; those above 2^32 - 1 are remembered as that.
  std::optional<std::uint64_t> insert(std::string_view text, std::uint64_t row);
  std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::uint32_t more_hash = 0;
    std::uint32_t row = 0;  // 0: free
  };
  Entry& find_slot(std::uint64_t hash, std::uint32_t more_hash);
  void grow();
  std::vector<Entry> slots_;  // a power of two of them, at most three quarters taken
  std::size_t size_ = 0;
};

}  // namespace contra4::data
