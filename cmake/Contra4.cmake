# The two functions every room uses; docs/architecture.md says what may depend on what.
include_guard(GLOBAL)

# The standard headers that nearly every source includes, compiled once: more than half of the time
# of a typical source went into reading them. `dev` builds without, so that a source which forgets an
# include is found.
option(CONTRA4_PCH "Precompile the common standard headers" ON)
file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cpp "")

# contra4_pch_target(<target> HEADERS header... [LIBS target...] [OPTIONS option...])
function(contra4_pch_target target)
  cmake_parse_arguments(ARG "" "" "HEADERS;LIBS;OPTIONS" ${ARGN})
  add_library(${target} OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cpp)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${ARG_OPTIONS})
  target_link_libraries(${target} PRIVATE contra4_warnings ${ARG_LIBS})
  target_precompile_headers(${target} PRIVATE ${ARG_HEADERS})
endfunction()

set(CONTRA4_COMMON_HEADERS
    <algorithm> <array> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <optional>
    <span> <string> <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
# Optimising tests costs more than it saves. At this level GCC 12 sees overflows in std::string's
# operator+ where there are none.
set(CONTRA4_TEST_OPTIONS $<$<CONFIG:Release>:-O1> -Wno-array-bounds)

if(CONTRA4_PCH)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)  # what ccache needs to look into them
  endif()
  contra4_pch_target(contra4_room_pch HEADERS ${CONTRA4_COMMON_HEADERS} LIBS fmt::fmt)
  if(CONTRA4_TESTS)
    contra4_pch_target(contra4_test_pch
                       HEADERS ${CONTRA4_COMMON_HEADERS} <fstream> <gtest/gtest.h> <gmock/gmock.h>
                       LIBS fmt::fmt GTest::gmock GTest::gtest OPTIONS ${CONTRA4_TEST_OPTIONS} -fPIE)
    # As the executables that use it are compiled: -fPIE, where a library would take -fPIC.
    set_target_properties(contra4_test_pch PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  endif()
endif()

# contra4_library(<room> SRCS file... DEPS room... [LIBS target...] [PUBLIC_LIBS target...])
# One static library per room. DEPS are rooms that lie lower; LIBS are third-party targets that stay
# behind this room's door, PUBLIC_LIBS those whose headers the room's own headers include.
function(contra4_library room)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;LIBS;PUBLIC_LIBS" ${ARGN})
  set(target contra4_${room})
  add_library(${target} STATIC ${ARG_SRCS})
  add_library(contra4::${room} ALIAS ${target})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PRIVATE contra4_warnings ${ARG_LIBS} PUBLIC ${ARG_PUBLIC_LIBS})
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${target} PUBLIC contra4::${dep})
  endforeach()
  if(CONTRA4_PCH)
    target_precompile_headers(${target} REUSE_FROM contra4_room_pch)
  endif()
endfunction()

# contra4_module(<name> SRCS file... DEPS room... [LIBS target...])
# lib<name>.so beside the program, opened with base/shared_module.h by the commands that need it.
function(contra4_module name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;LIBS" ${ARGN})
  add_library(${name} MODULE ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE contra4_warnings ${ARG_LIBS})
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${name} PRIVATE contra4::${dep})
  endforeach()
endfunction()

# contra4_test(<room> <file>_test [DEPS room...] [LIBS target...] [LABELS label...] [FIXTURES name...])
# One executable and one set of ctest entries for tests/<room>/<file>_test.cpp. The room itself and
# tests/support are always linked.
function(contra4_test room name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "DEPS;LIBS;LABELS;FIXTURES" ${ARGN})
  if(NOT CONTRA4_TESTS)
    return()
  endif()
  set(target ${room}_${name})
  add_executable(${target} ${PROJECT_SOURCE_DIR}/tests/${room}/${name}.cpp)
  target_link_libraries(${target} PRIVATE contra4_warnings contra4_test_support ${ARG_LIBS}
                                          GTest::gmock GTest::gtest_main)
  target_compile_options(${target} PRIVATE ${CONTRA4_TEST_OPTIONS})
  if(CONTRA4_PCH)
    target_precompile_headers(${target} REUSE_FROM contra4_test_pch)
  endif()
  if(TARGET contra4::${room})
    target_link_libraries(${target} PRIVATE contra4::${room})
  endif()
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${target} PRIVATE contra4::${dep})
  endforeach()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set(properties TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABELS)
    list(APPEND properties LABELS "${ARG_LABELS}")
  endif()
  if(ARG_FIXTURES)
    list(APPEND properties FIXTURES_REQUIRED "${ARG_FIXTURES}")
  endif()
  gtest_discover_tests(${target} TEST_PREFIX ${room}. DISCOVERY_MODE PRE_TEST
                       PROPERTIES ${properties})
endfunction()

# contra4_fuzz(<room> <name> [SEEDS folder...]): libFuzzer target fuzz/<name>.cpp, preset `fuzz` only. The
# seeds are for tools/fuzz.sh.
function(contra4_fuzz room name)
  if(NOT CONTRA4_FUZZ)
    return()
  endif()
  add_executable(${name} ${PROJECT_SOURCE_DIR}/fuzz/${name}.cpp)
  target_link_libraries(${name} PRIVATE contra4_warnings contra4::${room})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
