// Source: Wavefront's "Object Files (.obj)", appendix B1; colours behind a vertex as MeshLab and
// others write them.
#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "contra4/media/mesh.h"
#include "contra4/media/text_numbers.h"

namespace contra4::media {

namespace {

Error wrong(std::string_view name, std::size_t line, std::string_view what) {
  return {ErrorCode::kDataLoss, fmt::format("{}: line {}: {}", name, line, what)};
}

// A line, with those that a backslash at its end joins to it; `text` loses it.
std::string_view take_line(std::string_view& text, std::size_t& num_lines) {
  std::size_t end = 0;
  while (true) {
    end = text.find('\n', end);
    ++num_lines;
    if (end == std::string_view::npos) {
      end = text.size();
      break;
    }
    const std::size_t last = end > 0 && text[end - 1] == '\r' ? end - 1 : end;
    if (last == 0 || text[last - 1] != '\\') break;
    ++end;
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

class Reader {
 public:
  Reader(std::string_view name, const PointLimits& limits) : name_(name), limits_(limits) {}

  Result<Mesh> read(std::string_view text) {
    std::size_t num_lines = 0;
    while (!text.empty()) {
      line_number_ = num_lines + 1;
      std::string_view line = take_line(text, num_lines);
      const std::string_view word = take_word(line);
      if (word == "v") {
        if (auto read = read_vertex(line); !read) return read.error();
      } else if (word == "f") {
        if (auto read = read_face(line); !read) return read.error();
      }
    }
    return finish();
  }

 private:
  // x y z, x y z w, x y z r g b: what else stands there is nothing known.
  Result<void> read_vertex(std::string_view line) {
    std::array<double, 6> values{};
    std::size_t count = 0;
    for (std::string_view word = take_word(line); !word.empty() && count < values.size();
         word = take_word(line)) {
      if (word.starts_with('#')) break;
      const auto number = parse_number(word);
      if (!number) return wrong(name_, line_number_, "a vertex that is no numbers");
      values[count++] = *number;
    }
    if (count < 3) return wrong(name_, line_number_, "a vertex of fewer than three numbers");
    PointCloud& vertices = mesh_.vertices;
    if (vertices.num_points() >= limits_.max_points) {
      return Error{ErrorCode::kResourceExhausted,
                   fmt::format("{}: more than {} points", name_, limits_.max_points)};
    }
    for (std::size_t i = 0; i < 3; ++i) vertices.xyz.push_back(static_cast<float>(values[i]));
    if (count < values.size()) return {};
    for (std::size_t i = 3; i < 6; ++i) vertices.rgb.push_back(static_cast<float>(values[i]));
    return {};
  }

  // Each corner is "v", "v/vt", "v//vn" or "v/vt/vn".
  Result<void> read_face(std::string_view line) {
    std::array<std::uint32_t, 3> triangle{};
    std::size_t count = 0;
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
      if (word.starts_with('#')) break;
      const auto index = index_of(word.substr(0, word.find('/')));
      if (!index) return wrong(name_, line_number_, "a face of something that is no vertex");
      triangle[std::min<std::size_t>(count, 2)] = *index;
      if (++count < 3) continue;
      if (mesh_.triangles.size() >= kMaxTriangles) {
        return Error{ErrorCode::kResourceExhausted,
                     fmt::format("{}: more than {} triangles", name_, kMaxTriangles)};
      }
      mesh_.triangles.push_back(triangle);
      triangle[1] = triangle[2];
    }
    return {};
  }

  // From 1; negative ones count back from the last vertex so far. Vertices may still come: finish()
  // looks at the upper end.
  std::optional<std::uint32_t> index_of(std::string_view word) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size() || word.empty()) {
      return std::nullopt;
    }
    const auto num_vertices = static_cast<std::int64_t>(mesh_.vertices.num_points());
    const std::int64_t index = number < 0 ? num_vertices + number : number - 1;
    if (index < 0 || index >= static_cast<std::int64_t>(limits_.max_points) || number == 0 ||
        index > std::numeric_limits<std::uint32_t>::max()) {
      return std::nullopt;
    }
    if (index >= highest_) {
      highest_ = index;
      highest_line_ = line_number_;
    }
    return static_cast<std::uint32_t>(index);
  }

  Result<Mesh> finish() {
    PointCloud& vertices = mesh_.vertices;
    const auto num_vertices = static_cast<std::int64_t>(vertices.num_points());
    if (num_vertices == 0) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("{}: holds no points", name_)};
    }
    if (highest_ >= num_vertices) {
      return wrong(name_, highest_line_,
                   fmt::format("a face of vertex {}, of {} there are", highest_ + 1, num_vertices));
    }
    if (auto finite = check_finite(vertices, name_); !finite) return finite.error();
    // Some with colours and some without: none.
    if (vertices.rgb.size() != vertices.xyz.size()) vertices.rgb.clear();
    scale_colours(vertices.rgb);
    return std::move(mesh_);
  }

  std::string_view name_;
  const PointLimits& limits_;
  Mesh mesh_;
  std::size_t line_number_ = 0;
  std::int64_t highest_ = -1;
  std::size_t highest_line_ = 0;
};

}  // namespace

Result<Mesh> parse_obj(std::string_view bytes, std::string_view name, const PointLimits& limits) {
  return Reader(name, limits).read(bytes);
}

}  // namespace contra4::media
