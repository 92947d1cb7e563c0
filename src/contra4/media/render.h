// A 3D object as one picture, for models that see pictures alone.
//
// Source: own; discs that follow the surface, as in M. Zwicker et al., "Surface splatting", 2001,
// and darkened depth edges, as in C. Boucheny's "eye-dome lighting", 2009.
#pragma once

#include <string>

#include "contra4/media/picture.h"
#include "contra4/media/point_cloud.h"
#include "contra4/media/surfels.h"

namespace contra4::media {

inline constexpr int kMaxViews = 6;

struct RenderOptions {
  int view_side = 384;  // pixels of one view, 32 to 2048
  int num_views = 4;    // 1 to kMaxViews
  // glTF, and with it Objaverse and the files sampled from it, has y up, and who sees an object
  // from the front looks along -z; in scans and CAD programs z is up, and along y.
  UpAxis up = UpAxis::kY;

  // Throws kInvalidArgument naming the field.
  void validate() const;
};

// The views side by side, of one scale: from the front and somewhat above and to the right, the
// front, the right side, from behind and above, the back, the top; as many of them as asked for.
// Colours are those of the cloud; where it has none, near parts are warm and far ones cold. The
// same cloud gives the same bytes. kInvalidArgument for a cloud without points.
Result<Picture> render_views(const PointCloud& cloud, const RenderOptions& options);

// What the picture shows, for the model: "One 3D object, drawn from 4 sides: ...".
std::string words_of_views(int num_views);

}  // namespace contra4::media
