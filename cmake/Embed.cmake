# Text files that travel inside the program.
include_guard(GLOBAL)

# contra4_embed_text(<target> <file> <symbol>)
# The bytes of <file>, a UTF-8 text below the current source folder, as
# `contra4::embedded::<symbol>`, a std::string_view. Sources that use it declare it:
#   namespace contra4::embedded { extern const std::string_view <symbol>; }
function(contra4_embed_text target file symbol)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded/${symbol}.cpp)
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT "// Made of @file@.
#include <string_view>

namespace contra4::embedded {
extern const std::string_view @symbol@;
const std::string_view @symbol@ = R\"contra4embed(@text@)contra4embed\";
}  // namespace contra4::embedded
")
  target_sources(${target} PRIVATE ${output})
endfunction()
