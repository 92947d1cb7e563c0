// Replies in the choices' own words. Internal to scoring.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contra4/scoring/reply_tokens.h"
#include "contra4/scoring/scene_view.h"

namespace contra4::scoring {

// Words alone, in lower case, one blank between.
std::string squash(const ReplyTokens& tokens);
std::string squash(std::string_view text);

// Places of the scenes whose whole caption the squashed reply is, or else holds; a caption inside a
// longer one that is held too does not count.
std::vector<int> captions_in(const std::string& reply, std::span<const SceneView> shown);

// Places of the scenes of the one modality that a reply of a few words is nothing but: "the audio
// clip".
std::vector<int> modality_named(const ReplyTokens& tokens, std::span<const SceneView> shown);

}  // namespace contra4::scoring
