#include "contra4/clients/media_probes.h"

#include <gtest/gtest.h>

#include "tests/clients/protocol_support.h"

namespace contra4::clients {
namespace {

using testing::media_request;
using testing::text_request;

ServerMessage words(const std::string& text, int status = 400) {
  ServerMessage message;
  message.status = status;
  message.message = text;
  return message;
}

TEST(MediaProbes, LetsTextThroughAndProbesEachKindOnce) {
  MediaProbes probes({1, 2, 2});
  EXPECT_EQ(probes.readiness(text_request("hello")), Readiness::kReady);
  const GenerateRequest sound = media_request("a.wav", Modality::kAudio);
  EXPECT_EQ(probes.readiness(sound), Readiness::kNeedsProbe);
  EXPECT_EQ(probes.find_part_to_probe(sound)->media, "a.wav");
  probes.accept(Channel::kSound);
  EXPECT_EQ(probes.readiness(sound), Readiness::kReady);
  EXPECT_EQ(probes.readiness(media_request("a.mp4", Modality::kVideo)), Readiness::kNeedsProbe);
}

TEST(MediaProbes, TakesARenderedObjectForThePictureItIs) {
  MediaProbes probes({1, 2, 2});
  probes.accept(Channel::kPicture);
  EXPECT_EQ(probes.readiness(media_request("a.png", Modality::kPointCloud)), Readiness::kReady);
}

TEST(MediaProbes, TriesStylesInTurnThenRefuses) {
  MediaProbes probes({1, 2, 2});
  const GenerateRequest video = media_request("a.mp4", Modality::kVideo);
  probes.reject(Channel::kVideo, 1, words("unsupported content[].type"));
  EXPECT_EQ(probes.style(Channel::kVideo), 1);
  EXPECT_EQ(probes.readiness(video), Readiness::kNeedsProbe);
  probes.reject(Channel::kVideo, 1, words("video input is not supported - hint: mmproj", 500));
  EXPECT_EQ(probes.readiness(video), Readiness::kUnsupported);
  EXPECT_EQ(probes.style(Channel::kVideo), 1);
  const Error reason = probes.unsupported_reason(video, "http://a/v1");
  EXPECT_EQ(reason.code, ErrorCode::kUnimplemented);
  EXPECT_EQ(reason.message,
            "http://a/v1 takes no video (video scene): 400: unsupported content[].type");
}

TEST(MediaProbes, DoesNotCondemnAKindForOneBadFile) {
  MediaProbes probes({1, 2, 2});
  const GenerateRequest bad = media_request("bad.png", Modality::kImage, 7);
  const GenerateRequest good = media_request("good.png", Modality::kImage, 8);
  probes.reject(Channel::kPicture, 7, words("cannot identify image file"));
  EXPECT_EQ(probes.readiness(bad), Readiness::kReady);  // to fail by itself
  EXPECT_EQ(probes.readiness(good), Readiness::kNeedsProbe);
  probes.accept(Channel::kPicture);
  EXPECT_EQ(probes.readiness(good), Readiness::kReady);
}

TEST(MediaProbes, GivesUpAfterThreeUnclearRefusals) {
  MediaProbes probes({1, 2, 2});
  for (std::uint64_t ticket = 1; ticket <= 3; ++ticket) {
    EXPECT_FALSE(probes.is_refused(Channel::kPicture));
    probes.reject(Channel::kPicture, ticket, words("something odd"));
  }
  EXPECT_TRUE(probes.is_refused(Channel::kPicture));
}

TEST(MediaProbes, TakesFailuresOfTheServerForARefusalInTheEnd) {
  MediaProbes probes({1, 2, 2});
  EXPECT_FALSE(probes.is_failure_enough(Channel::kSound));
  EXPECT_FALSE(probes.is_failure_enough(Channel::kSound));
  EXPECT_TRUE(probes.is_failure_enough(Channel::kSound));
}

TEST(MediaProbes, KnowsTheWordsOfServers) {
  for (const char* text : {
           "image input is not supported - hint: if this is unexpected, you may need to provide "
           "the mmproj",
           "facebook/opt-125m is not a multimodal model None",
           "At most 0 audio(s) may be provided",
           "unsupported content[].type",
           "Invalid content type. image_url is only supported by certain models.",
           "Failed to deserialize: unknown variant `image_url`, expected `text`",
           "No endpoints found that support image input",
           "Audio input modality is not enabled for models/gemma-3-27b-it",
           "Invalid value: 'video_url'. Supported values are: 'text', 'image_url'",
       }) {
    EXPECT_TRUE(refuses_media(words(text))) << text;
  }
  EXPECT_FALSE(refuses_media(words("cannot identify image file")));
  EXPECT_FALSE(refuses_media(words("")));
}

}  // namespace
}  // namespace contra4::clients
