#include "contra4/media/file_type.h"

#include <array>
#include <cstdint>

namespace contra4::media {

namespace {

using namespace std::string_view_literals;

constexpr FileType kPng{"image/png", "png", FileClass::kPicture};
constexpr FileType kJpeg{"image/jpeg", "jpeg", FileClass::kPicture};
constexpr FileType kGif{"image/gif", "gif", FileClass::kPicture};
constexpr FileType kWebp{"image/webp", "webp", FileClass::kPicture};
constexpr FileType kBmp{"image/bmp", "bmp", FileClass::kPicture};
constexpr FileType kTiff{"image/tiff", "tiff", FileClass::kPicture};
constexpr FileType kWav{"audio/wav", "wav", FileClass::kSound};
constexpr FileType kFlac{"audio/flac", "flac", FileClass::kSound};
constexpr FileType kMp3{"audio/mpeg", "mp3", FileClass::kSound};
constexpr FileType kOgg{"audio/ogg", "ogg", FileClass::kSound};
constexpr FileType kM4a{"audio/mp4", "m4a", FileClass::kSound};
constexpr FileType kMp4{"video/mp4", "mp4", FileClass::kVideo};
constexpr FileType kMov{"video/quicktime", "mov", FileClass::kVideo};
constexpr FileType kWebm{"video/webm", "webm", FileClass::kVideo};
constexpr FileType kMkv{"video/x-matroska", "mkv", FileClass::kVideo};
constexpr FileType kAvi{"video/x-msvideo", "avi", FileClass::kVideo};
constexpr FileType kNpz{"application/zip", "npz", FileClass::kPoints};
constexpr FileType kNpy{"application/octet-stream", "npy", FileClass::kPoints};
constexpr FileType kPly{"application/octet-stream", "ply", FileClass::kPoints};
constexpr FileType kObj{"model/obj", "obj", FileClass::kPoints};

struct Signature {
  std::string_view bytes;
  FileType type;
};

// Those that a fixed start decides.
constexpr std::array kSignatures = {
    Signature{"\x89PNG\r\n\x1a\n"sv, kPng},
    Signature{"\xff\xd8\xff"sv, kJpeg},
    Signature{"GIF87a"sv, kGif},
    Signature{"GIF89a"sv, kGif},
    Signature{"II*\0"sv, kTiff},
    Signature{"MM\0*"sv, kTiff},
    Signature{"fLaC"sv, kFlac},
    Signature{"OggS"sv, kOgg},
    Signature{"ID3"sv, kMp3},
    Signature{"\x93NUMPY"sv, kNpy},
    Signature{"ply\n"sv, kPly},
    Signature{"ply\r"sv, kPly},
};

// RIFF <size> <form>; RF64 is the wav of more than 4 GB.
std::optional<FileType> riff_type(std::string_view head) {
  if (head.size() < 12) return std::nullopt;
  const std::string_view form = head.substr(8, 4);
  if (form == "WAVE" && (head.starts_with("RIFF") || head.starts_with("RF64"))) return kWav;
  if (form == "WEBP" && head.starts_with("RIFF")) return kWebp;
  if (form == "AVI " && head.starts_with("RIFF")) return kAvi;
  return std::nullopt;
}

// ISO base media: <size> ftyp <brand>. Old QuickTime files start with another box.
std::optional<FileType> iso_type(std::string_view head) {
  if (head.size() < 12) return std::nullopt;
  const std::string_view box = head.substr(4, 4);
  if (box == "moov" || box == "mdat" || box == "wide") return kMov;
  if (box != "ftyp") return std::nullopt;
  const std::string_view brand = head.substr(8, 4);
  if (brand == "qt  ") return kMov;
  if (brand.starts_with("M4A") || brand.starts_with("M4B")) return kM4a;
  for (const std::string_view still : {"avif"sv, "avis"sv, "heic"sv, "heix"sv, "mif1"sv}) {
    if (brand == still) return std::nullopt;
  }
  return kMp4;
}

// EBML with its DocType within the header.
std::optional<FileType> matroska_type(std::string_view head) {
  if (!head.starts_with("\x1a\x45\xdf\xa3"sv)) return std::nullopt;
  const std::string_view header = head.substr(0, 256);
  if (header.find("webm") != std::string_view::npos) return kWebm;
  if (header.find("matroska") != std::string_view::npos) return kMkv;
  return std::nullopt;
}

// A numpy archive is a zip whose first member is named *.npy.
std::optional<FileType> zip_type(std::string_view head) {
  constexpr std::size_t kNameOffset = 30;
  if (!head.starts_with("PK\x03\x04"sv) || head.size() < kNameOffset) return std::nullopt;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(head[at]); };
  const std::size_t name_bytes = byte(26) + 256U * byte(27);
  const std::string_view name = head.substr(kNameOffset, name_bytes);
  if (name.size() == name_bytes && name.ends_with(".npy")) return kNpz;
  return std::nullopt;
}

// A bare MPEG audio frame, layer III: eleven sync bits, then no reserved value in version, layer,
// bit rate or sample rate.
std::optional<FileType> mpeg_audio_type(std::string_view head) {
  if (head.size() < 4) return std::nullopt;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(head[at]); };
  const bool has_sync = byte(0) == 0xff && (byte(1) & 0xe0U) == 0xe0U;
  const bool has_version = (byte(1) & 0x18U) != 0x08U;
  const bool is_layer_3 = (byte(1) & 0x06U) == 0x02U;
  const bool has_rates = (byte(2) & 0xf0U) != 0xf0U && (byte(2) & 0x0cU) != 0x0cU;
  if (has_sync && has_version && is_layer_3 && has_rates) return kMp3;
  return std::nullopt;
}

// "BM" is too little to go by: the reserved words are zero, the size of the second header is one of
// those there were.
std::optional<FileType> bmp_type(std::string_view head) {
  constexpr std::array<std::uint8_t, 7> kHeaderSizes = {12, 40, 52, 56, 64, 108, 124};
  if (!head.starts_with("BM") || head.size() < 18 || head.substr(6, 4) != "\0\0\0\0"sv ||
      head.substr(15, 3) != "\0\0\0"sv) {
    return std::nullopt;
  }
  for (const std::uint8_t size : kHeaderSizes) {
    if (static_cast<std::uint8_t>(head[14]) == size) return kBmp;
  }
  return std::nullopt;
}

bool is_obj_keyword(std::string_view word) {
  constexpr std::array kWords = {"v"sv,      "vt"sv,     "vn"sv, "vp"sv, "f"sv, "l"sv,
                                 "p"sv,      "g"sv,      "o"sv,  "s"sv,  "#"sv, "mg"sv,
                                 "mtllib"sv, "usemtl"sv, ""sv,   "lod"sv};
  for (const std::string_view keyword : kWords) {
    if (word == keyword) return true;
  }
  return word.starts_with('#');
}

// Lines that all begin with a keyword, one of them a vertex; the last one of a whole head may be
// cut.
std::optional<FileType> obj_type(std::string_view head) {
  const bool is_cut = head.size() >= kFileTypeBytes;
  bool has_vertex = false;
  for (const char c : head) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r' && c != '\n') {
      return std::nullopt;
    }
  }
  while (!head.empty()) {
    const std::size_t end = head.find('\n');
    if (end == std::string_view::npos && is_cut) break;
    std::string_view line = head.substr(0, end);
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
    if (!is_obj_keyword(word)) return std::nullopt;
    const std::size_t number = line.find_first_not_of(" \t", word.size());
    has_vertex = has_vertex || (word == "v" && number != std::string_view::npos &&
                                "+-.0123456789"sv.find(line[number]) != std::string_view::npos);
    if (end == std::string_view::npos) break;
    head.remove_prefix(end + 1);
  }
  if (has_vertex) return kObj;
  return std::nullopt;
}

}  // namespace

std::optional<FileType> detect_file_type(std::string_view head) {
  for (const Signature& signature : kSignatures) {
    if (head.starts_with(signature.bytes)) return signature.type;
  }
  for (const auto& detect :
       {riff_type, iso_type, matroska_type, zip_type, mpeg_audio_type, bmp_type, obj_type}) {
    if (auto type = detect(head)) return type;
  }
  return std::nullopt;
}

}  // namespace contra4::media
