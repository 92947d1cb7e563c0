// What one endpoint takes beside text: found out by one call per kind of medium, then remembered.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/clients/chat_protocol.h"
#include "contra4/clients/server_message.h"

namespace contra4::clients {

// A rendered 3D object goes to a server as the picture it is.
enum class Channel : std::uint8_t { kPicture, kSound, kVideo };
inline constexpr std::size_t kNumChannels = 3;
Channel channel_of(Modality modality);
std::string_view to_string(Channel channel);  // "picture", "sound", "video"

// Whether the message says that the server or the model takes no such medium at all, or not in this
// form, rather than that this file is bad.
bool refuses_media(const ServerMessage& message);

class MediaProbes {
 public:
  // How many ways of writing a medium the protocol knows, by channel; they are tried in turn.
  explicit MediaProbes(std::array<int, kNumChannels> num_styles) : num_styles_(num_styles) {}

  // kNeedsProbe while a medium of the request is of a channel that was not settled yet.
  Readiness readiness(const GenerateRequest& request) const;
  // The first part of the request whose channel is unsettled; null when there is none.
  const ContentPart* find_part_to_probe(const GenerateRequest& request) const;
  // Of a request that is kUnsupported: "http://a/v1 takes no video: <the server's words>".
  Error unsupported_reason(const GenerateRequest& request, std::string_view endpoint) const;

  int style(Channel channel) const { return at(channel).style; }
  void accept(Channel channel) { at(channel).state = State::kAccepted; }
  // A probe came back with an error. The next style is up; after the last one the channel is
  // refused if every style met words of refusal. Otherwise the file of that request may be at
  // fault: the request is let through to fail by itself, and another one probes, three times at
  // most.
  void reject(Channel channel, std::uint64_t ticket, const ServerMessage& message);
  // A probe met a failure of the server's own. True when that has gone on for so long that the
  // medium must be what the server fails at: reject it then.
  bool is_failure_enough(Channel channel);

  bool is_refused(Channel channel) const { return at(channel).state == State::kRefused; }

 private:
  static constexpr std::size_t kMaxUnclear = 3;
  static constexpr int kMaxServerErrors = 3;  // in a row, for one style
  enum class State : std::uint8_t { kUnknown, kAccepted, kRefused };
  struct Entry {
    State state = State::kUnknown;
    int style = 0;
    int server_errors = 0;
    std::string words;         // of the server, the first that were unclear, else the first
    bool has_unclear = false;  // in this round of styles
    std::set<std::uint64_t> let_through;  // tickets whose probe said nothing clear
  };
  Entry& at(Channel channel) { return entries_[static_cast<std::size_t>(channel)]; }
  const Entry& at(Channel channel) const { return entries_[static_cast<std::size_t>(channel)]; }

  std::array<int, kNumChannels> num_styles_;
  std::array<Entry, kNumChannels> entries_;
};

// Whether a request shows anything but text.
bool has_media(const GenerateRequest& request);

}  // namespace contra4::clients
