// The key of a server: into one header, and nowhere else.
#pragma once

#include <string>

#include "contra4/clients/secret.h"

namespace contra4::clients {

class ApiKey {
 public:
  // `variable` is the environment variable that held it, for messages. Blanks around the key are
  // dropped; throws kInvalidArgument when it holds a blank or control character elsewhere, which
  // would end or split the header.
  ApiKey(const Secret& key, std::string variable);

  bool is_set() const { return !key_.empty(); }
  const std::string& reveal() const { return key_.reveal(); }
  const std::string& variable() const { return variable_; }

  // `text` without the key, for whatever a server sends back. Keys shorter than kShortestSecret are
  // left in: they are the "none" and "EMPTY" that local servers are given, and words of answers.
  std::string clean(std::string text) const;

 private:
  static constexpr std::size_t kShortestSecret = 8;
  Secret key_;
  std::string variable_;
};

// Warns of a URL that carries the key unencrypted to another machine.
void warn_of_open_key(const ApiKey& key, const std::string& url);

}  // namespace contra4::clients
