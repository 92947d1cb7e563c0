// Any bytes as a checkpoint of PyTorch, and as the pickle of one with two storages: refused with a
// message, or every tensor lies inside a storage with all of its elements.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "contra4/io/torch_file.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(std::string_view file) {
  const auto content = contra4::io::parse_torch_file(file, "fuzz");
  if (!content) {
    require(content.error().message.starts_with("fuzz: "));
    return;
  }
  require(!content->tensors.empty());
  for (const contra4::io::TensorEntry& tensor : content->tensors) {
    require(tensor.offset <= file.size() && tensor.num_bytes <= file.size() - tensor.offset);
    require(tensor.strides.empty() || tensor.strides.size() == tensor.shape.size());
    const std::uint64_t element = contra4::io::bytes_per_element(tensor.type);
    if (tensor.num_elements() == 0) {
      require(tensor.num_bytes == 0);
    } else if (tensor.strides.empty()) {
      require(tensor.contiguous_bytes() == tensor.num_bytes);
    } else {
      std::uint64_t last = 0;
      for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
        last += static_cast<std::uint64_t>((tensor.shape[i] - 1) * tensor.strides[i]);
      }
      require((last + 1) * element == tensor.num_bytes);
    }
  }
}

void put(std::string& out, std::uint64_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i, value >>= 8) out += static_cast<char>(value & 0xFFU);
}

// A zip of stored members, without checksums.
class Zip {
 public:
  void add(std::string_view name, std::string_view bytes) {
    const std::size_t offset = file_.size();
    file_ += "PK\x03\x04";
    put(file_, 0, 14);
    put(file_, bytes.size(), 4);
    put(file_, bytes.size(), 4);
    put(file_, name.size(), 4);
    file_.append(name).append(bytes);
    directory_ += "PK\x01\x02";
    put(directory_, 0, 8);
    put(directory_, 0, 8);
    put(directory_, bytes.size(), 4);
    put(directory_, bytes.size(), 4);
    put(directory_, name.size(), 8);
    put(directory_, 0, 6);
    put(directory_, offset, 4);
    directory_ += name;
    ++count_;
  }
  std::string finish() && {
    const std::size_t offset = file_.size();
    file_ += directory_ + "PK\x05\x06";
    put(file_, 0, 4);
    put(file_, count_, 2);
    put(file_, count_, 2);
    put(file_, directory_.size(), 4);
    put(file_, offset, 4);
    put(file_, 0, 2);
    return std::move(file_);
  }

 private:
  std::string file_;
  std::string directory_;
  std::uint64_t count_ = 0;
};

// A tensor by a few bytes: what luck would take long to find.
using namespace std::string_view_literals;
constexpr std::string_view kTensor =
    "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"
    "0X\x03\0\0\0cpuK\x04tQK\0K\x02K\x02\x86K\x02K\x01\x86tR"sv;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input);
  // Each byte 0xFE stands for the tensor above.
  std::string pickle;
  for (const char c : input.substr(0, std::min<std::size_t>(size, 1U << 14))) {
    if (c == '\xFE') {
      pickle += kTensor;
    } else {
      pickle += c;
    }
  }
  Zip zip;
  zip.add("x/data.pkl", pickle);
  zip.add("x/data/0", std::string(16, 'a'));
  zip.add("x/data/1", std::string(7, 'b'));
  check(std::move(zip).finish());
  return 0;
}
