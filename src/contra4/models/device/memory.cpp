#include "contra4/models/device/memory.h"

#include <fstream>

#include <sys/resource.h>

#include <ATen/DeviceAccelerator.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "contra4/base/error.h"

namespace contra4::models {

namespace {

std::string gigabytes(std::uint64_t bytes) {
  const double number = static_cast<double>(bytes) / 1e9;
  return number < 0.1 ? fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6)
                      : fmt::format("{:.1f} GB", number);
}

std::optional<std::uint64_t> available_on_cpu() {
  std::ifstream stream("/proc/meminfo");
  for (std::string word; stream >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "MemAvailable:" && stream >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> available_memory(at::Device device) {
  if (device.is_cpu()) return available_on_cpu();
  try {
    return at::accelerator::getMemoryInfo(device.index()).first;
  } catch (const c10::Error&) {
    return std::nullopt;
  }
}

std::uint64_t peak_memory(at::Device device) {
  if (device.is_cpu()) {
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  }
  try {
    constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    const auto stats = at::accelerator::getDeviceStats(device.index());
    return static_cast<std::uint64_t>(stats.allocated_bytes.at(kAll).peak);
  } catch (const c10::Error&) {
    return 0;
  }
}

std::string describe(const MemoryNeed& need, std::optional<std::uint64_t> available) {
  std::string text;
  if (need.copied_bytes > 0) text += gigabytes(need.copied_bytes) + " of weights";
  if (need.mapped_bytes > 0) {
    text += fmt::format("{}{} of weights in the mapped file", text.empty() ? "" : ", ",
                        gigabytes(need.mapped_bytes));
  }
  text +=
      fmt::format(" and about {} to work on {}", gigabytes(need.working_bytes), need.device.str());
  if (available) text += fmt::format(" ({} free)", gigabytes(*available));
  return text;
}

void require_memory(const MemoryNeed& need, std::optional<std::uint64_t> available,
                    std::string_view what) {
  if (!available || need.own_bytes() <= *available) return;
  throw Exception(
      ErrorCode::kResourceExhausted,
      fmt::format("{}: {}: too little; a type of two bytes (--dtype bfloat16), a smaller "
                  "--batch-size or several devices (--device cuda:0,cuda:1) need less on each",
                  what, describe(need, available)));
}

}  // namespace contra4::models
