// Source: G. Turk, "The PLY polygon file format".
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "contra4/media/mesh.h"
#include "contra4/media/text_numbers.h"

namespace contra4::media {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxHeaderBytes = 1U << 20;
constexpr std::size_t kMaxProperties = 1000;

enum class Kind : std::uint8_t { kSigned, kUnsigned, kFloat };
struct Type {
  std::string_view name;
  std::string_view other_name;
  Kind kind;
  std::size_t num_bytes;
};
constexpr std::array kTypes = {
    Type{"char"sv, "int8"sv, Kind::kSigned, 1},    Type{"uchar"sv, "uint8"sv, Kind::kUnsigned, 1},
    Type{"short"sv, "int16"sv, Kind::kSigned, 2},  Type{"ushort"sv, "uint16"sv, Kind::kUnsigned, 2},
    Type{"int"sv, "int32"sv, Kind::kSigned, 4},    Type{"uint"sv, "uint32"sv, Kind::kUnsigned, 4},
    Type{"float"sv, "float32"sv, Kind::kFloat, 4}, Type{"double"sv, "float64"sv, Kind::kFloat, 8},
};

struct Property {
  std::string name;
  Type type{};
  std::optional<Type> count_type;  // of a list
};

struct Element {
  std::string name;
  std::uint64_t count = 0;
  std::vector<Property> properties;

  bool has_lists() const {
    return std::any_of(properties.begin(), properties.end(),
                       [](const Property& property) { return property.count_type.has_value(); });
  }
  // The place of a property that is no list.
  std::optional<std::size_t> find(std::string_view wanted) const {
    for (std::size_t i = 0; i < properties.size(); ++i) {
      if (properties[i].name == wanted && !properties[i].count_type) return i;
    }
    return std::nullopt;
  }
};

enum class Format { kAscii, kLittle, kBig };

struct Header {
  Format format = Format::kAscii;
  std::vector<Element> elements;
  std::string_view body;
};

Error wrong(std::string_view name, std::string_view what) {
  return {ErrorCode::kDataLoss, fmt::format("{}: {}", name, what)};
}

// What stands in a message.
std::string shown(std::string_view word) {
  std::string text;
  for (const char c : word.substr(0, 40)) text += c < 0x20 || c == 0x7f ? '?' : c;
  return text;
}

std::optional<Type> find_type(std::string_view word) {
  for (const Type& type : kTypes) {
    if (word == type.name || word == type.other_name) return type;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_count(std::string_view word) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
  if (error != std::errc() || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return count;
}

Result<Property> parse_property(std::string_view rest, std::string_view name) {
  Property property;
  std::string_view word = take_word(rest);
  if (word == "list") {
    property.count_type = find_type(take_word(rest));
    if (!property.count_type || property.count_type->kind == Kind::kFloat) {
      return wrong(name, "the header has a list whose length is of no whole type");
    }
    word = take_word(rest);
  }
  const auto type = find_type(word);
  if (!type) return wrong(name, fmt::format("the header has a property of type '{}'", shown(word)));
  property.type = *type;
  property.name = take_word(rest);
  return property;
}

Result<void> parse_header_line(std::string_view line, Header& header, std::string_view name) {
  const std::string_view keyword = take_word(line);
  if (keyword == "format") {
    const std::string_view format = take_word(line);
    if (format == "ascii") {
      header.format = Format::kAscii;
    } else if (format == "binary_little_endian") {
      header.format = Format::kLittle;
    } else if (format == "binary_big_endian") {
      header.format = Format::kBig;
    } else {
      return wrong(name, fmt::format("format '{}' is none of ply's", shown(format)));
    }
  } else if (keyword == "element") {
    Element element;
    element.name = take_word(line);
    const auto count = parse_count(take_word(line));
    if (!count) return wrong(name, "the header has an element without a number");
    element.count = *count;
    header.elements.push_back(std::move(element));
  } else if (keyword == "property") {
    if (header.elements.empty()) return wrong(name, "the header has a property of no element");
    auto property = parse_property(line, name);
    if (!property) return property.error();
    std::vector<Property>& properties = header.elements.back().properties;
    if (properties.size() >= kMaxProperties) return wrong(name, "too many properties");
    properties.push_back(std::move(*property));
  }
  return {};  // comment, obj_info
}

// Lines end as the first one does, so that a body may begin with any byte.
Result<Header> parse_header(std::string_view bytes, std::string_view name) {
  const std::size_t first_end = bytes.find_first_of("\r\n");
  if (first_end != 3 || !bytes.starts_with("ply")) return wrong(name, "no ply file");
  const std::string_view line_end = bytes.substr(3).starts_with("\r\n") ? "\r\n"sv
                                    : bytes[3] == '\r'                  ? "\r"sv
                                                                        : "\n"sv;
  Header header;
  std::size_t at = 3 + line_end.size();
  while (at < std::min(bytes.size(), kMaxHeaderBytes)) {
    const std::size_t end = std::min(bytes.find(line_end, at), bytes.size());
    const std::string_view line = bytes.substr(at, end - at);
    at = std::min(end + line_end.size(), bytes.size());
    std::string_view words = line;
    if (take_word(words) == "end_header") {
      header.body = bytes.substr(at);
      return header;
    }
    if (auto parsed = parse_header_line(line, header, name); !parsed) return parsed.error();
  }
  return wrong(name, "the header has no end; is the file cut?");
}

// Values of the body, one behind the other.
class Body {
 public:
  Body(std::string_view bytes, Format format) : rest_(bytes), format_(format) {}

  // Empty at the end, and for a word that is no number.
  std::optional<double> next(const Type& type) {
    if (format_ == Format::kAscii) return parse_number(take_word(rest_));
    if (rest_.size() < type.num_bytes) return std::nullopt;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < type.num_bytes; ++i) {
      const std::size_t at = format_ == Format::kBig ? i : type.num_bytes - 1 - i;
      bits = bits << 8U | static_cast<unsigned char>(rest_[at]);
    }
    rest_.remove_prefix(type.num_bytes);
    return value_of(bits, type);
  }

  // So many values that nobody looks at; false when there are fewer.
  bool skip(const Type& type, std::uint64_t count) {
    if (format_ == Format::kAscii) {
      for (; count > 0; --count) {
        if (take_word(rest_).empty()) return false;
      }
      return true;
    }
    if (count > rest_.size() / type.num_bytes) return false;
    rest_.remove_prefix(count * type.num_bytes);
    return true;
  }

  // No element of the file can have more values than this.
  std::uint64_t most_values() const {
    return format_ == Format::kAscii ? rest_.size() / 2 + 1 : rest_.size();
  }

 private:
  static double value_of(std::uint64_t bits, const Type& type) {
    if (type.kind == Kind::kFloat) {
      if (type.num_bytes == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      return std::bit_cast<double>(bits);
    }
    if (type.kind == Kind::kUnsigned) return static_cast<double>(bits);
    // Never all 64: there is no type of no bytes.
    const std::size_t shift = 8 * (sizeof(bits) - type.num_bytes) % 64;
    return static_cast<double>(std::bit_cast<std::int64_t>(bits << shift) >> shift);
  }

  std::string_view rest_;
  Format format_;
};

// The length of a list; empty for none that can be.
std::optional<std::uint64_t> list_length(Body& body, const Property& property) {
  const auto length = body.next(*property.count_type);
  if (!length || !(*length >= 0) || *length > static_cast<double>(body.most_values()) ||
      *length != std::floor(*length)) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*length);
}

bool skip_property(Body& body, const Property& property) {
  std::uint64_t count = 1;
  if (property.count_type) {
    const auto length = list_length(body, property);
    if (!length) return false;
    count = *length;
  }
  return body.skip(property.type, count);
}

Result<void> skip_element(Body& body, const Element& element, std::string_view name) {
  if (element.properties.empty()) return {};
  for (std::uint64_t row = 0; row < element.count; ++row) {
    for (const Property& property : element.properties) {
      if (!skip_property(body, property)) {
        return wrong(name, fmt::format("cut in row {} of element '{}'", row, shown(element.name)));
      }
    }
  }
  return {};
}

// Where x, y, z and the colours stand in a row.
struct Columns {
  std::array<std::optional<std::size_t>, 3> xyz;
  std::array<std::optional<std::size_t>, 3> rgb;
  double colour_scale = 1;  // 1/255 and 1/65535 of whole numbers; else the values say

  bool has_colours() const { return rgb[0] && rgb[1] && rgb[2]; }
};

Columns columns_of(const Element& vertex) {
  constexpr std::array kColourNames = {
      std::array{"red"sv, "green"sv, "blue"sv}, std::array{"r"sv, "g"sv, "b"sv},
      std::array{"diffuse_red"sv, "diffuse_green"sv, "diffuse_blue"sv}};
  Columns columns;
  columns.xyz = {vertex.find("x"), vertex.find("y"), vertex.find("z")};
  for (const auto& names : kColourNames) {
    if (columns.has_colours()) break;
    for (std::size_t i = 0; i < 3; ++i) columns.rgb[i] = vertex.find(names[i]);
  }
  if (!columns.has_colours()) return columns;
  const Type& type = vertex.properties[*columns.rgb[0]].type;
  if (type.kind == Kind::kUnsigned && type.num_bytes <= 2) {
    columns.colour_scale = type.num_bytes == 1 ? 1.0 / 255 : 1.0 / 65535;
  }
  return columns;
}

Result<void> check_vertex_element(const Element& vertex, const Columns& columns, const Body& body,
                                  std::string_view name, const PointLimits& limits) {
  if (!columns.xyz[0] || !columns.xyz[1] || !columns.xyz[2]) {
    return wrong(name, "its vertices have no x, y and z");
  }
  if (vertex.count == 0) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: holds no points", name)};
  }
  if (vertex.count > limits.max_points) {
    return Error{ErrorCode::kResourceExhausted, fmt::format("{}: {} points, at most {} are read",
                                                            name, vertex.count, limits.max_points)};
  }
  if (vertex.count > body.most_values() / vertex.properties.size()) {
    return wrong(name, fmt::format("is too short for {} points; is it cut?", vertex.count));
  }
  return {};
}

Result<PointCloud> read_vertices(Body& body, const Element& vertex, std::string_view name,
                                 const PointLimits& limits) {
  const Columns columns = columns_of(vertex);
  if (auto fine = check_vertex_element(vertex, columns, body, name, limits); !fine) {
    return fine.error();
  }
  PointCloud cloud;
  cloud.xyz.reserve(vertex.count * 3);
  if (columns.has_colours()) cloud.rgb.reserve(vertex.count * 3);
  std::vector<double> row(vertex.properties.size());
  for (std::uint64_t number = 0; number < vertex.count; ++number) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Property& property = vertex.properties[i];
      const auto value = property.count_type ? std::nullopt : body.next(property.type);
      if (value) {
        row[i] = *value;
      } else if (!property.count_type || !skip_property(body, property)) {
        return wrong(name, fmt::format("cut, or no number, in point {} (counted from 0)", number));
      }
    }
    for (const auto& column : columns.xyz) cloud.xyz.push_back(static_cast<float>(row[*column]));
    if (!columns.has_colours()) continue;
    for (const auto& column : columns.rgb) {
      cloud.rgb.push_back(static_cast<float>(row[*column] * columns.colour_scale));
    }
  }
  if (auto finite = check_finite(cloud, name); !finite) return finite.error();
  if (columns.colour_scale == 1) {
    scale_colours(cloud.rgb);
  } else if (std::any_of(cloud.rgb.begin(), cloud.rgb.end(),
                         [](float value) { return value < 0 || value > 1; })) {
    cloud.rgb.clear();  // ascii says anything
  }
  return cloud;
}

const Property* find_corner_list(const Element& face) {
  for (const Property& property : face.properties) {
    const bool is_list = property.count_type && property.type.kind != Kind::kFloat;
    if (is_list && (property.name == "vertex_indices" || property.name == "vertex_index")) {
      return &property;
    }
  }
  return nullptr;
}

Result<void> read_faces(Body& body, const Element& face, std::string_view name, Mesh& mesh) {
  const Property* const corners = find_corner_list(face);
  if (corners == nullptr) return skip_element(body, face, name);
  const auto num_vertices = static_cast<double>(mesh.vertices.num_points());
  for (std::uint64_t row = 0; row < face.count; ++row) {
    const auto fault = [&](std::string_view what) {
      return wrong(name, fmt::format("{} in face {} (counted from 0)", what, row));
    };
    for (const Property& property : face.properties) {
      if (&property != corners) {
        if (!skip_property(body, property)) return fault("cut");
        continue;
      }
      const auto length = list_length(body, property);
      if (!length) return fault("cut");
      std::array<std::uint32_t, 3> triangle{};
      for (std::uint64_t i = 0; i < *length; ++i) {
        const auto index = body.next(property.type);
        if (!index) return fault("cut");
        if (!(*index >= 0 && *index < num_vertices)) return fault("a vertex that is not there");
        triangle[std::min<std::uint64_t>(i, 2)] = static_cast<std::uint32_t>(*index);
        if (i < 2) continue;
        if (mesh.triangles.size() >= kMaxTriangles) {
          return Error{ErrorCode::kResourceExhausted,
                       fmt::format("{}: more than {} triangles", name, kMaxTriangles)};
        }
        mesh.triangles.push_back(triangle);
        triangle[1] = triangle[2];
      }
    }
  }
  return {};
}

}  // namespace

Result<Mesh> parse_ply(std::string_view bytes, std::string_view name, const PointLimits& limits) {
  const auto header = parse_header(bytes, name);
  if (!header) return header.error();
  Body body(header->body, header->format);
  Mesh mesh;
  for (const Element& element : header->elements) {
    if (element.name == "vertex" && mesh.vertices.xyz.empty()) {
      auto vertices = read_vertices(body, element, name, limits);
      if (!vertices) return vertices.error();
      mesh.vertices = std::move(*vertices);
      // Faces are looked at only where there are too few vertices.
      if (mesh.vertices.num_points() >= kSpreadPoints) return mesh;
    } else if (element.name == "face" && !mesh.vertices.xyz.empty()) {
      if (auto read = read_faces(body, element, name, mesh); !read) return read.error();
    } else if (auto skipped = skip_element(body, element, name); !skipped) {
      return skipped.error();
    }
  }
  if (mesh.vertices.xyz.empty()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: holds no points", name)};
  }
  return mesh;
}

}  // namespace contra4::media
