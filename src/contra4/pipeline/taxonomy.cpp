#include "contra4/pipeline/taxonomy.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "contra4/base/suggest.h"
#include "contra4/io/file.h"
#include "contra4/io/json.h"
#include "contra4/io/json_writer.h"
#include "contra4/io/yaml.h"

namespace contra4::embedded {
extern const std::string_view taxonomy_yaml;
}

namespace contra4::pipeline {

namespace {

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Words in lower case with one blank between: "objects tools technology". An "and" is what "&" is.
std::string plain_words(std::string_view text) {
  std::string words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty() && word != "and") words += (words.empty() ? "" : " ") + word;
    word.clear();
  };
  for (const char c : text) {
    if (!is_word_byte(c)) {
      end_word();
    } else {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  end_word();
  return words;
}

bool holds_words(std::string_view text, std::string_view words) {
  for (std::size_t at = text.find(words); at != std::string_view::npos;
       at = text.find(words, at + 1)) {
    const std::size_t end = at + words.size();
    if ((at == 0 || text[at - 1] == ' ') && (end == text.size() || text[end] == ' ')) return true;
  }
  return false;
}

// The first line that has words.
std::string_view first_line(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (std::any_of(line.begin(), line.end(), is_word_byte)) return line;
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return {};
}

// What a reply that was restricted by a schema holds; other replies as they are.
std::string answer_of(std::string_view reply) {
  const std::size_t brace = reply.find('{');
  if (brace != std::string_view::npos && reply.find_first_not_of(" \t\r\n`json") == brace) {
    const std::size_t end = reply.rfind('}');
    if (end != std::string_view::npos && end > brace) {
      const auto json = io::parse_json(reply.substr(brace, end - brace + 1), "reply");
      const io::JsonValue* const answer = json ? json->find("answer") : nullptr;
      if (answer != nullptr && answer->is_string()) return *answer->find_string();
    }
  }
  return std::string(reply);
}

// A slip in ten letters: models mend "Sentory" without being asked to.
bool is_nearly(std::string_view typed, std::string_view name) {
  return edit_distance(typed, name) <= name.size() / 10;
}

Error wrong(std::string_view what, std::string_view reason) {
  return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", what, reason)};
}

Result<Category> parse_category(const io::JsonValue& value, std::string_view what,
                                std::size_t number) {
  const auto fail = [&](std::string_view reason) {
    return wrong(what, fmt::format("category {}: {}", number, reason));
  };
  const io::JsonValue::Object* const members = value.find_object();
  if (members == nullptr) return fail("expected name, description and examples");
  Category category;
  for (const auto& [name, member] : *members) {
    if (name == "name" || name == "description") {
      if (!member.is_string()) return fail(fmt::format("'{}' is no text", name));
      (name == "name" ? category.name : category.description) = *member.find_string();
    } else if (name == "examples") {
      if (member.find_array() == nullptr) return fail("'examples' is no list");
      for (const io::JsonValue& example : *member.find_array()) {
        if (!example.is_string()) return fail("an example is no text (quote it)");
        category.examples.push_back(*example.find_string());
      }
    } else {
      return fail(fmt::format("unknown member '{}'; there are name, description, examples", name));
    }
  }
  if (plain_words(category.name).empty()) return fail("it has no name");
  if (category.name.find('\n') != std::string::npos) return fail("its name has several lines");
  return category;
}

}  // namespace

Taxonomy default_taxonomy() {
  return parse_taxonomy(embedded::taxonomy_yaml, "taxonomy").value();
}

Result<Taxonomy> parse_taxonomy(std::string_view text, std::string_view what) {
  const auto root = io::parse_yaml(text, what);
  if (!root) return root.error();
  const io::JsonValue* const list = root->find("categories");
  if (list == nullptr || list->find_array() == nullptr || root->find_object()->size() != 1) {
    return wrong(what, "expected one member, 'categories', with a list of categories");
  }
  Taxonomy taxonomy;
  for (const io::JsonValue& value : *list->find_array()) {
    auto category = parse_category(value, what, taxonomy.categories.size() + 1);
    if (!category) return category.error();
    for (const Category& other : taxonomy.categories) {
      if (plain_words(other.name) == plain_words(category->name)) {
        return wrong(what, fmt::format("two categories are named '{}'", category->name));
      }
    }
    taxonomy.categories.push_back(std::move(*category));
  }
  if (taxonomy.categories.size() < 2) return wrong(what, "a choice needs two categories or more");
  return taxonomy;
}

Taxonomy read_taxonomy(const std::filesystem::path& path) {
  constexpr std::uint64_t kMaxBytes = 4U << 20;
  return parse_taxonomy(io::read_file(path, kMaxBytes), path.string()).value();
}

std::string to_json(const Taxonomy& taxonomy) {
  io::JsonWriter json;
  json.begin_array();
  for (const Category& category : taxonomy.categories) {
    json.begin_object().member("name", category.name).member("description", category.description);
    json.key("examples").begin_array();
    for (const std::string& example : category.examples) json.value(example);
    json.end_array().end_object();
  }
  json.end_array();
  return json.take();
}

std::optional<std::size_t> find_category(const Taxonomy& taxonomy, std::string_view reply) {
  const std::string answer = answer_of(reply);
  std::string words = plain_words(first_line(answer));
  if (words.starts_with("category ")) words.erase(0, words.find(' ') + 1);
  if (words.empty()) return std::nullopt;

  std::vector<std::string> names;
  for (const Category& category : taxonomy.categories) names.push_back(plain_words(category.name));
  const auto index_of = [&](auto&& matches) {
    const auto found = std::find_if(names.begin(), names.end(), matches);
    return static_cast<std::size_t>(found - names.begin());
  };
  const std::size_t same = index_of([&](const std::string& name) { return name == words; });
  if (same < names.size()) return same;

  // "3", "3. Motion": the number must not contradict the name behind it.
  std::size_t number = 0;
  const auto [rest, failure] = std::from_chars(words.data(), words.data() + words.size(), number);
  if (failure == std::errc() && number >= 1 && number <= names.size()) {
    const std::string_view behind(rest, words.data() + words.size());
    if (behind.empty()) return number - 1;
    if (behind.starts_with(' ')) {
      words = std::string(behind.substr(1));
      const std::size_t named = index_of([&](const std::string& name) { return name == words; });
      if (named < names.size()) return named;
    }
  }
  const std::size_t near =
      index_of([&](const std::string& name) { return is_nearly(words, name); });
  if (near < names.size()) return near;

  // The longest name that the line begins with; else the only one in it.
  std::optional<std::size_t> first;
  std::vector<std::size_t> held;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((words + " ").starts_with(names[i] + " ") &&
        (!first || names[i].size() > names[*first].size())) {
      first = i;
    }
    if (holds_words(words, names[i])) held.push_back(i);
  }
  if (first) return first;
  if (held.size() == 1) return held.front();
  return std::nullopt;
}

std::string free_category(std::string_view reply) {
  constexpr std::size_t kMaxBytes = 80;
  constexpr std::string_view kAround = " \t\r\"'`*.:;,";
  const auto trim = [&](std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kAround);
    if (begin == std::string_view::npos) return std::string_view();
    return text.substr(begin, text.find_last_not_of(kAround) - begin + 1);
  };
  constexpr std::string_view kLabel = "category:";
  std::string_view line = trim(first_line(reply));
  if (line.size() > kLabel.size()) {
    std::string begin(line.substr(0, kLabel.size()));
    if (!begin.empty() && begin[0] == 'C') begin[0] = 'c';
    if (begin == kLabel) line = trim(line.substr(kLabel.size()));
  }
  return line.size() > kMaxBytes ? std::string() : std::string(line);
}

}  // namespace contra4::pipeline
