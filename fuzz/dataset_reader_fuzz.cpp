// Any bytes as a data set: a JSON list, JSON lines, plain or gzip (a gzip header in the input is
// followed). What is read must also survive being written and read again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "contra4/data/dataset_check.h"
#include "contra4/data/item_reader.h"
#include "contra4/data/item_writer.h"
#include "contra4/io/byte_source.h"

namespace {

using contra4::Item;
namespace data = contra4::data;

// The first byte chooses the format and the schema of the way back; small limits are met often.
void check_round_trip(const Item& item, data::Schema schema) {
  const std::string json = data::item_to_json(item, schema);
  const auto again =
      data::read_items(contra4::io::bytes_in_memory(json), data::RecordFormat::kLines, "written");
  const auto second = again->next();
  // Written text is an item again, and from then on nothing changes.
  if (!second || !*second) std::abort();
  if (data::item_to_json(**second, schema) != json) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = bytes[0];
  const std::string text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto format = (choice & 1) != 0 ? data::RecordFormat::kLines : data::RecordFormat::kList;
  const auto schema = static_cast<data::Schema>((choice >> 1) & 3);
  const data::ReadLimits limits = {.max_row_bytes = 2048, .max_decompressed_bytes = 1U << 16};
  const auto source = [&] {
    return contra4::io::bytes_in_memory(text,
                                        {.max_decompressed_bytes = limits.max_decompressed_bytes});
  };

  const auto items = data::read_items(source(), format, "fuzz", limits);
  while (const auto item = items->next()) {
    if (*item) check_round_trip(**item, schema);
  }
  const auto checked = data::read_items(source(), format, "fuzz", limits, data::Extras::kDrop);
  data::check_items(*checked, "fuzz", {.answer = true, .captions = true},
                    [](const data::RowProblem&) {});
  return 0;
}
