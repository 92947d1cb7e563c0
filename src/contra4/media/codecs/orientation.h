// How a picture has to be turned to be seen as it was taken.
#pragma once

#include <string_view>

#include "contra4/media/picture.h"

namespace contra4::media {

// The number that EXIF uses, 1 to 8: 1 as stored, 3 upside down, 6 to be turned a quarter
// clockwise, 8 a quarter the other way; 2, 4, 5 and 7 the same with a mirror.
inline constexpr int kUpright = 1;

// What the EXIF block of a JPEG, PNG, WebP or TIFF file says; kUpright where there is none, or
// where it is cut, contradicts itself or says anything but 1 to 8. Source: Exif 2.32, 4.6.2.
int read_exif_orientation(std::string_view file);

// Throws kInternal unless `orientation` is 1 to 8.
Picture turned(Picture picture, int orientation);

}  // namespace contra4::media
