// A key that cannot reach a log by accident: it does not print, format or compare.
#pragma once

#include <string>
#include <utility>

namespace contra4::clients {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  bool empty() const { return value_.empty(); }
  // Only for the header that carries it to the server it belongs to.
  const std::string& reveal() const { return value_; }

 private:
  std::string value_;
};

// `text` with every occurrence of the secret replaced by "***": for what a server sends back.
std::string redact(std::string text, const Secret& secret);

}  // namespace contra4::clients
