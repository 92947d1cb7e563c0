#include "contra4/pipeline/embedding_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contra4/base/error.h"
#include "contra4/base/hash.h"
#include "contra4/base/log.h"
#include "contra4/io/descriptor.h"
#include "contra4/io/file.h"

namespace contra4::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kKeyDigits = 16;  // of the SHA-256, in names of files
constexpr double kNormTolerance = 1e-3;
constexpr std::size_t kShownBytes = 80;  // of a text, in messages
constexpr std::chrono::milliseconds kLookAgain{250};

using Progress = std::function<void(std::int64_t, std::int64_t)>;

[[noreturn]] void fail(const fs::path& path, std::string_view action, int error) {
  throw Exception(error == ENOSPC || error == EDQUOT || error == EFBIG
                      ? ErrorCode::kResourceExhausted
                      : ErrorCode::kInvalidArgument,
                  fmt::format("{}: cannot {}: {}", path.string(), action,
                              std::generic_category().message(error)));
}

[[noreturn]] void cancelled(const std::string& name) {
  throw Exception(ErrorCode::kCancelled,
                  fmt::format("embedding of the {} was interrupted; what is done is kept", name));
}

// Source: NumPy Enhancement Proposal 1, version 1.0 of the format.
std::string npy_header(std::size_t num_rows, std::size_t dimension) {
  std::string header("\x93NUMPY\x01\x00", 8);
  constexpr std::size_t kPreamble = 10;
  constexpr std::size_t kLength = kHeaderBytes - kPreamble;
  header += static_cast<char>(kLength % 256);
  header += static_cast<char>(kLength / 256);
  header += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", num_rows,
                        dimension);
  header.resize(kHeaderBytes - 1, ' ');
  return header + '\n';
}

// The dimension if `bytes` begin with the header of so many rows, 0 otherwise.
std::size_t dimension_of(std::string_view bytes, std::size_t num_rows) {
  const std::string_view header = bytes.substr(0, kHeaderBytes);
  const std::string before = fmt::format("'shape': ({}, ", num_rows);
  const std::size_t place = header.find(before);
  if (place == std::string_view::npos) return 0;
  std::size_t dimension = 0;
  const char* const begin = header.data() + place + before.size();
  if (std::from_chars(begin, header.data() + header.size(), dimension).ec != std::errc{}) return 0;
  return header == npy_header(num_rows, dimension) ? dimension : 0;
}

std::span<const float> values_of(std::string_view bytes) {
  const std::string_view values = bytes.substr(std::min(bytes.size(), kHeaderBytes));
  return {reinterpret_cast<const float*>(values.data()), values.size() / sizeof(float)};
}

bool is_unit(std::span<const float> row) {
  double sum = 0;
  for (const float value : row) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::abs(std::sqrt(sum) - 1) < kNormTolerance;
}

struct DistinctTexts {
  std::vector<std::string_view> texts;
  std::vector<std::uint32_t> row_of;
};

DistinctTexts distinct_texts(std::span<const std::string> texts) {
  DistinctTexts distinct;
  distinct.row_of.reserve(texts.size());
  std::unordered_map<std::string_view, std::uint32_t> rows;
  for (const std::string& text : texts) {
    const auto [place, is_new] =
        rows.try_emplace(text, static_cast<std::uint32_t>(distinct.texts.size()));
    if (is_new) distinct.texts.push_back(text);
    distinct.row_of.push_back(place->second);
  }
  return distinct;
}

std::string key_of(const std::string& description, const std::vector<std::string_view>& texts) {
  Sha256 hash;
  const auto add = [&](std::string_view text) {
    hash.update(fmt::format("{}:", text.size()));  // no two lists of texts read the same
    hash.update(text);
  };
  add(description);
  for (const std::string_view text : texts) add(text);
  return hash.hex_digest();
}

std::string file_name(const std::string& name, const std::string& key) {
  std::string slug;
  for (const char c : name) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_plain) {
      slug += c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  return fmt::format("{}{}{}.npy", slug, slug.empty() || slug.back() == '-' ? "" : "-",
                     key.substr(0, kKeyDigits));
}

// A whole file of so many rows, mapped; or what is wrong with it.
struct KeptRows {
  std::size_t dimension = 0;
  std::shared_ptr<const io::MappedFile> file;
  const char* fault = nullptr;
};

// Nothing when there is no file.
std::optional<KeptRows> find_rows(const fs::path& path, std::size_t num_rows) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  KeptRows rows{.file = std::make_shared<io::MappedFile>(path)};
  const std::string_view bytes = rows.file->bytes();
  rows.dimension = dimension_of(bytes, num_rows);
  if (rows.dimension == 0) {
    rows.fault = "its header is not that of the rows wanted";
  } else if (bytes.size() != kHeaderBytes + num_rows * rows.dimension * sizeof(float)) {
    rows.fault = "its size is not that of its rows";
  } else {
    const std::span<const float> values = values_of(bytes);
    for (std::size_t i = 0; i < values.size() && rows.fault == nullptr; i += rows.dimension) {
      if (!is_unit(values.subspan(i, rows.dimension))) rows.fault = "a row has not norm 1";
    }
  }
  return rows;
}

// The file that rows are appended to, locked; when it is whole it gets its name.
class PartialFile {
 public:
  // Nothing while another process holds it.
  static std::optional<PartialFile> find_unlocked(const fs::path& final_path);

  // Rows of the blocks that surely reached the disk, and their dimension; what follows is cut.
  std::pair<std::size_t, std::size_t> resume(std::size_t num_rows, std::size_t block);
  // On disk when it returns.
  void append(std::string_view bytes);
  void finish();
  void remove();

 private:
  PartialFile(fs::path final_path, std::unique_ptr<io::Descriptor> descriptor)
      : final_path_(std::move(final_path)),
        path_(path_of(final_path_)),
        descriptor_(std::move(descriptor)) {}
  static fs::path path_of(const fs::path& final_path) { return final_path.string() + ".partial"; }
  void cut(std::uint64_t size);

  fs::path final_path_;
  fs::path path_;
  std::unique_ptr<io::Descriptor> descriptor_;
  std::uint64_t end_ = 0;
};

std::optional<PartialFile> PartialFile::find_unlocked(const fs::path& final_path) {
  const fs::path path = path_of(final_path);
  while (true) {
    auto descriptor =
        std::make_unique<io::Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (descriptor->get() < 0) fail(path, "open", errno);
    if (::flock(descriptor->get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      if (errno != EINTR) fail(path, "lock", errno);
      continue;
    }
    // Its holder may have given it its final name, or removed it, between the two calls.
    struct stat held {};
    struct stat named {};
    if (::fstat(descriptor->get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
        held.st_dev == named.st_dev && held.st_ino == named.st_ino) {
      return PartialFile(final_path, std::move(descriptor));
    }
  }
}

void PartialFile::cut(std::uint64_t size) {
  if (::ftruncate(descriptor_->get(), static_cast<off_t>(size)) != 0) fail(path_, "cut", errno);
  end_ = size;
}

std::pair<std::size_t, std::size_t> PartialFile::resume(std::size_t num_rows, std::size_t block) {
  std::string header(kHeaderBytes, '\0');
  const ssize_t count = ::pread(descriptor_->get(), header.data(), header.size(), 0);
  if (count < 0) fail(path_, "read", errno);
  const off_t size = ::lseek(descriptor_->get(), 0, SEEK_END);
  if (size < 0) fail(path_, "read the size", errno);
  const std::size_t dimension =
      count == static_cast<ssize_t>(kHeaderBytes) ? dimension_of(header, num_rows) : 0;
  if (dimension == 0) return cut(0), std::pair<std::size_t, std::size_t>{};
  const std::size_t row_bytes = dimension * sizeof(float);
  const std::size_t num_blocks =
      (static_cast<std::size_t>(size) - kHeaderBytes) / (row_bytes * block);
  // Each block was synced before the next was written: only the last one is in doubt.
  const std::size_t num_kept = num_blocks < 2 ? 0 : (num_blocks - 1) * block;
  if (num_kept == 0) return cut(0), std::pair<std::size_t, std::size_t>{};
  cut(kHeaderBytes + num_kept * row_bytes);
  return {num_kept, dimension};
}

void PartialFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor_->get(), bytes.data(), bytes.size(), static_cast<off_t>(end_));
    if (count < 0) {
      if (errno == EINTR) continue;
      fail(path_, "append to", errno);
    }
    end_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fdatasync(descriptor_->get()) != 0) fail(path_, "sync", errno);
}

void PartialFile::finish() {
  if (::fsync(descriptor_->get()) != 0) fail(path_, "sync", errno);
  if (::rename(path_.c_str(), final_path_.c_str()) != 0) fail(path_, "rename", errno);
}

void PartialFile::remove() {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

std::string_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

void compute(Embedder& embedder, const std::string& name,
             const std::vector<std::string_view>& texts, std::size_t block, PartialFile& file,
             const Progress& progress, const std::stop_token& stop) {
  auto [num_done, dimension] = file.resume(texts.size(), block);
  progress(static_cast<std::int64_t>(num_done), static_cast<std::int64_t>(texts.size()));
  while (num_done < texts.size()) {
    if (stop.stop_requested()) cancelled(name);
    const auto of_block =
        std::span(texts).subspan(num_done, std::min(block, texts.size() - num_done));
    const Embeddings embedded =
        embedder.embed(std::vector<std::string>(of_block.begin(), of_block.end()));
    CONTRA4_CHECK(embedded.dimension > 0 && embedded.size() == of_block.size(),
                  "one vector for each text");
    if (num_done == 0) {
      dimension = embedded.dimension;
      file.append(npy_header(texts.size(), dimension));
    }
    CONTRA4_CHECK(embedded.dimension == dimension, "vectors of one dimension");
    for (std::size_t i = 0; i < of_block.size(); ++i) {
      if (is_unit(embedded.row(i))) continue;
      throw Exception(ErrorCode::kDataLoss,
                      fmt::format("the embedding model gives '{}' of the {} no vector of norm 1; "
                                  "are its weights damaged?",
                                  of_block[i].substr(0, kShownBytes), name));
    }
    file.append(bytes_of(embedded.values));
    num_done += of_block.size();
    progress(static_cast<std::int64_t>(num_done), static_cast<std::int64_t>(texts.size()));
  }
}

}  // namespace

EmbeddingStore::EmbeddingStore(std::function<std::unique_ptr<Embedder>()> open_embedder,
                               EmbeddingStoreOptions options)
    : open_embedder_(std::move(open_embedder)),
      options_(std::move(options)),
      description_json_(options_.description_json) {
  CONTRA4_CHECK(options_.block > 0, "a block holds at least one text");
}

Embedder& EmbeddingStore::embedder() const {
  if (embedder_ == nullptr) embedder_ = open_embedder_();
  return *embedder_;
}

std::string EmbeddingStore::description_json() const {
  if (description_json_.empty()) description_json_ = embedder().description_json();
  return description_json_;
}

EmbeddedTexts EmbeddingStore::embed(const std::string& name, std::span<const std::string> texts,
                                    const Progress& progress, std::stop_token stop) {
  if (texts.empty()) return {};
  DistinctTexts distinct = distinct_texts(texts);
  const std::size_t num_rows = distinct.texts.size();
  const fs::path path =
      options_.folder / file_name(name, key_of(description_json(), distinct.texts));
  const auto report = [&](std::int64_t done, std::int64_t total) {
    if (progress) progress(done, total);
  };

  std::optional<KeptRows> rows = find_rows(path, num_rows);
  if (!rows || rows->fault != nullptr) {
    std::error_code error;
    fs::create_directories(options_.folder, error);
    if (error) fail(options_.folder, "create the folder", error.value());
    std::optional<PartialFile> partial = PartialFile::find_unlocked(path);
    if (!partial) log::info("another process embeds the {}; waiting for {}", name, path.string());
    while (!partial) {
      if (stop.stop_requested()) cancelled(name);
      std::this_thread::sleep_for(kLookAgain);
      partial = PartialFile::find_unlocked(path);
    }
    rows = find_rows(path, num_rows);  // of the process that was waited for
    if (rows && rows->fault != nullptr) {
      log::warning("{} is damaged ({}) and is made anew", path.string(), rows->fault);
      rows.reset();
    }
    if (rows) {
      partial->remove();
    } else {
      compute(embedder(), name, distinct.texts, options_.block, *partial, report, stop);
      partial->finish();
      rows = find_rows(path, num_rows);
    }
    if (!rows || rows->fault != nullptr) {
      throw Exception(ErrorCode::kDataLoss,
                      fmt::format("{}: what was just written is damaged ({}); is the disk sound?",
                                  path.string(), rows ? rows->fault : "it is gone"));
    }
  }
  report(static_cast<std::int64_t>(num_rows), static_cast<std::int64_t>(num_rows));
  return {.dimension = rows->dimension,
          .rows = values_of(rows->file->bytes()),
          .row_of = std::move(distinct.row_of),
          .owner = rows->file};
}

}  // namespace contra4::pipeline
