// Pickles written by hand, opcode by opcode, and the zips of PyTorch around them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/zip_file.h"

namespace contra4::testing {

inline std::string little_endian(std::uint64_t value, int num_bytes) {
  std::string bytes;
  for (int i = 0; i < num_bytes; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return bytes;
}

inline std::string pickled_text(const std::string& text) {
  return "X" + little_endian(text.size(), 4) + text;
}
inline std::string pickled_int(std::int64_t value) {
  return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}
inline std::string pickled_global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string pickled_tuple(const std::vector<std::string>& items) {
  std::string bytes = "(";
  for (const std::string& item : items) bytes += item;
  return bytes + "t";
}
inline std::string pickled_sizes(const std::vector<std::int64_t>& sizes) {
  std::vector<std::string> items;
  for (const std::int64_t size : sizes) items.push_back(pickled_int(size));
  return pickled_tuple(items);
}
// Keys are texts; values are pickled already.
inline std::string pickled_dict(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string bytes = "}(";
  for (const auto& [key, value] : members) bytes += pickled_text(key) + value;
  return bytes + "u";
}
inline std::string pickled_storage(const std::string& type, const std::string& key,
                                   std::int64_t num_elements) {
  return pickled_tuple({pickled_text("storage"), pickled_global("torch", type), pickled_text(key),
                        pickled_text("cpu"), pickled_int(num_elements)}) +
         "Q";
}
inline std::string pickled_tensor(const std::string& storage, std::int64_t first,
                                  const std::vector<std::int64_t>& shape,
                                  const std::vector<std::int64_t>& strides) {
  return pickled_global("torch._utils", "_rebuild_tensor_v2") +
         pickled_tuple({storage, pickled_int(first), pickled_sizes(shape), pickled_sizes(strides),
                        "\x89", "N"}) +
         "R";
}
// `value` as a whole pickle.
inline std::string whole_pickle(const std::string& value) {
  return "\x80\x02" + value + ".";
}

// The zip of PyTorch with that pickle and those storages, by key.
inline std::string torch_zip(const std::string& value,
                             const std::vector<std::pair<std::string, std::string>>& storages = {},
                             const ZipOptions& options = {.is_zip64 = true}) {
  std::vector<ZipInput> members = {{.name = "x/data.pkl", .bytes = whole_pickle(value)}};
  for (const auto& [key, bytes] : storages) {
    members.push_back({.name = "x/data/" + key, .bytes = bytes});
  }
  members.push_back({.name = "x/version", .bytes = "3\n"});
  return zip_bytes(members, options);
}

}  // namespace contra4::testing
