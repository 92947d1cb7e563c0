#include "contra4/apps/media_check.h"

#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "contra4/apps/shown_input.h"
#include "contra4/media/decode_check.h"
#include "contra4/media/decoder.h"

namespace contra4::apps {

void add_media_check_flags(CLI::App& app, MediaCheckFlags& flags) {
  app.option_defaults()->group("Media");
  app.add_flag("--media", flags.media,
               "look for the file of every medium, below --media-root and in the folders of "
               "COCO_DIR, AUDIOCAPS_DIR, CLOTHO_DIR, MSRVTT_DIR, OBJAVERSE_DIR; name those that "
               "are missing and what to set");
  app.add_option("--media-root", flags.media_root,
                 "folder of media, SOURCE/ID or MODALITY/ID, looked into first; implies --media")
      ->type_name("DIR");
  app.add_flag("--decode", flags.decode,
               "decode every file that is found, from end to end; implies --media");
}

MediaCheckSummary check_media(const Context& context, const MediaCheckFlags& flags,
                              const std::filesystem::path& file, const data::ReadLimits& limits,
                              const std::function<void(const MediaProblem&)>& report) {
  const media::MediaLocator locator = media_locator(context, flags.media_root);
  const media::MediaDecoder* const decoder = flags.decode ? &media::media_decoder() : nullptr;
  MediaCheckSummary summary;
  std::set<std::tuple<std::string, std::string, Modality>> seen;
  const auto look_at = [&](media::MediumKey key) {
    if (!seen.emplace(key.source, key.id.text, key.modality).second) return;
    ++summary.media;
    const auto found = locator.locate(key.source, key.id, key.modality);
    if (!found) {
      ++summary.missing;
      report({std::move(key), found.error(), true});
      return;
    }
    if (decoder == nullptr) return;
    const auto decoded = media::check_decodes(*found, key.modality, *decoder);
    if (decoded) return;
    ++summary.broken;
    report({std::move(key), decoded.error(), false});
  };
  const auto items = data::open_items(file, limits, data::Extras::kDrop);
  while (const auto item = items->next()) {
    if (context.stop.stop_requested()) {
      summary.was_interrupted = true;
      break;
    }
    if (!*item) continue;  // the check of the rows tells
    for (const Scene& scene : (*item)->scenes) look_at({scene.source, scene.id, scene.modality});
  }
  return summary;
}

}  // namespace contra4::apps
