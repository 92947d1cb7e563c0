#include "contra4/apps/media_flags.h"

#include "contra4/apps/arguments.h"
#include "contra4/apps/environment.h"
#include "contra4/io/json_writer.h"

namespace contra4::apps {

void add_media_flags(CLI::App& app, MediaFlags& flags) {
  app.option_defaults()->group("How media are sent");
  app.add_option("--video-frames", flags.options.video_frames,
                 "frames of a video, evenly spread, sent as pictures where the server takes no "
                 "videos")
      ->type_name("N")
      ->check(whole_number(1, 256))
      ->capture_default_str();
  app.add_flag("--video-as-frames", flags.options.videos_as_frames,
               "send frames also where the server takes videos");
  app.add_option("--max-image-side", flags.options.max_image_side,
                 "make pictures smaller whose longer side has more pixels; 0: only those with too "
                 "many bytes")
      ->type_name("N")
      ->check(whole_number(0, 100'000))
      ->capture_default_str();
  app.add_option("--max-media-bytes", flags.options.max_bytes,
                 "make media smaller that have more bytes")
      ->type_name("N")
      ->check(whole_number(1024, 1'000'000'000))
      ->capture_default_str();
  app.add_option("--views", flags.options.views.num_views,
                 "from how many sides a 3D object is drawn, in one picture")
      ->type_name("N")
      ->check(whole_number(1, media::kMaxViews))
      ->capture_default_str();
  app.add_option("--view-side", flags.options.views.view_side, "pixels of each of them")
      ->type_name("N")
      ->check(whole_number(32, 2048))
      ->capture_default_str();
  app.add_option("--up-axis", flags.up_axis,
                 "which axis of point clouds points up: y (glTF, Objaverse) or z (scans, CAD)")
      ->type_name("AXIS")
      ->transform(one_of({"y", "z"}))
      ->capture_default_str();
  app.add_flag("--exec-pictures", flags.exec_pictures,
               "name pictures of 3D objects and frames of videos in the requests of exec/COMMAND; "
               "they are kept in the cache folder");
}

media::RequestMediaOptions media_options(const MediaFlags& flags, const Context& context) {
  media::RequestMediaOptions options = flags.options;
  options.views.up = flags.up_axis == "z" ? media::UpAxis::kZ : media::UpAxis::kY;
  options.cache = cache_folder(context.environment) / "media";
  return options;
}

std::string media_description(const MediaFlags& flags, const Context& context) {
  std::string options = media_options(flags, context).description_json();
  if (!flags.exec_pictures) return options;
  io::JsonWriter writer;
  writer.begin_object().key("sent").raw(options).member("exec_pictures", true).end_object();
  return writer.take();
}

}  // namespace contra4::apps
