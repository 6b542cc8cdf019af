# keyturn_room(): one library per room under src/, with a layer. A room may link only rooms of a
# lower layer; anything else stops the configure step (ARCHITECTURE.md has the table).
#
#   keyturn_room(crypto LAYER 1 ROOMS base PRIVATE_LIBS OpenSSL::Crypto)
#
# Sources are src/<room>/**.cc without *_test.cc and *_fuzz.cc; the tests become one executable,
# keyturn_<room>_test, registered with CTest.
#
# KEYTURN_UNITY compiles a room's sources many at a time (a clean build then takes a third of the
# CPU): that is for machines that build once. ALONE are the files that repeat a name of a neighbour's
# unnamed namespace, and so are compiled each by itself. UNSANITIZED are tests that no sanitizer's
# build can run: they are an executable of their own in every other build, whatever
# KEYTURN_ROOM_TESTS says.
include(GoogleTest)

function(keyturn_unity target)
  if(KEYTURN_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# keyturn_room_test(<target> <room> LIBS... SOURCES...)
function(keyturn_room_test target name)
  cmake_parse_arguments(TEST "" "" "LIBS;SOURCES" ${ARGN})
  add_executable(${target} ${TEST_SOURCES})
  target_link_libraries(${target} PRIVATE keyturn_${name} ${TEST_LIBS} GTest::gmock
                        GTest::gtest_main keyturn_warnings)
  target_compile_definitions(${target} PRIVATE KEYTURN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  keyturn_unity(${target})
  gtest_discover_tests(${target} TEST_PREFIX "${name}:" DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

function(keyturn_room name)
  cmake_parse_arguments(ROOM "" "LAYER" "ROOMS;PUBLIC_LIBS;PRIVATE_LIBS;TEST_LIBS;ALONE;UNSANITIZED" ${ARGN})
  if(NOT DEFINED ROOM_LAYER OR ROOM_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "keyturn_room(${name}): give LAYER, and only known arguments")
  endif()
  set_property(GLOBAL PROPERTY KEYTURN_LAYER_${name} ${ROOM_LAYER})

  set(dir ${CMAKE_CURRENT_SOURCE_DIR})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${dir}/*.h)

  foreach(file IN LISTS ROOM_ALONE)
    if(NOT EXISTS ${dir}/${file})
      message(FATAL_ERROR "keyturn_room(${name}): ALONE names ${file}, which is not there")
    endif()
    set_source_files_properties(${dir}/${file} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()

  if(sources)
    add_library(keyturn_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(keyturn_${name} PRIVATE ${ROOM_PRIVATE_LIBS} keyturn_warnings)
    keyturn_unity(keyturn_${name})
  else()
    add_library(keyturn_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(keyturn_${name} ${scope} ${PROJECT_SOURCE_DIR}/src)
  # scripts/lint compiles each header by itself, but for those whose own source begins with them.
  set(alone)
  foreach(header IN LISTS headers)
    string(REGEX REPLACE "h$" "cc" source ${header})
    if(NOT EXISTS ${source})
      list(APPEND alone ${header})
      continue()
    endif()
    file(STRINGS ${source} first LIMIT_COUNT 1 REGEX "^#include ")
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR}/src ${header})
    if(NOT first STREQUAL "#include \"${path}\"")
      message(FATAL_ERROR "${source} has to include ${path} first")
    endif()
  endforeach()
  target_sources(keyturn_${name} ${scope} FILE_SET lone_headers TYPE HEADERS
                 BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${alone})
  set_target_properties(keyturn_${name} PROPERTIES INTERFACE_HEADER_SETS_TO_VERIFY lone_headers)
  target_link_libraries(keyturn_${name} ${scope} ${ROOM_PUBLIC_LIBS})

  foreach(used IN LISTS ROOM_ROOMS)
    get_property(used_layer GLOBAL PROPERTY KEYTURN_LAYER_${used})
    if("${used_layer}" STREQUAL "")
      message(FATAL_ERROR "room ${name} uses ${used}, which is not declared before it")
    endif()
    if(NOT used_layer LESS ROOM_LAYER)
      message(FATAL_ERROR "room ${name} (layer ${ROOM_LAYER}) may not use ${used} "
                          "(layer ${used_layer}): a room uses lower layers only")
    endif()
    target_link_libraries(keyturn_${name} ${scope} keyturn_${used})
  endforeach()

  # The includes must say the same as ROOMS: no room is reached without being declared.
  set(declared ${name} ${ROOM_ROOMS})
  foreach(source IN LISTS sources headers)
    file(STRINGS ${source} includes REGEX "^#include \"[a-z0-9]+/")
    foreach(line IN LISTS includes)
      string(REGEX REPLACE "^#include \"([a-z0-9]+)/.*" "\\1" other "${line}")
      if(NOT other IN_LIST declared)
        message(FATAL_ERROR "${source} includes ${other}/, but room ${name} declares: ${declared}")
      endif()
    endforeach()
  endforeach()

  list(TRANSFORM ROOM_UNSANITIZED PREPEND ${dir}/)
  list(REMOVE_ITEM tests ${ROOM_UNSANITIZED})
  if(tests AND KEYTURN_TESTS AND KEYTURN_ROOM_TESTS)
    keyturn_room_test(keyturn_${name}_test ${name} LIBS ${ROOM_TEST_LIBS} SOURCES ${tests})
  endif()
  if(ROOM_UNSANITIZED AND KEYTURN_TESTS AND NOT KEYTURN_SANITIZE)
    keyturn_room_test(keyturn_${name}_unsanitized_test ${name} LIBS ${ROOM_TEST_LIBS}
                      SOURCES ${ROOM_UNSANITIZED})
  endif()

  # Fuzz targets: <what>_fuzz.cc defines LLVMFuzzerTestOneInput. With KEYTURN_FUZZ (clang) it is a
  # libFuzzer binary; in every other build it replays tests/fuzz/<what>/ as an ordinary test.
  file(GLOB_RECURSE fuzzers CONFIGURE_DEPENDS ${dir}/*_fuzz.cc)
  foreach(fuzzer IN LISTS fuzzers)
    if(NOT KEYTURN_TESTS OR NOT KEYTURN_ROOM_TESTS)
      continue()
    endif()
    get_filename_component(what ${fuzzer} NAME_WE)
    add_executable(${what} ${fuzzer})
    target_link_libraries(${what} PRIVATE keyturn_${name} keyturn_warnings)
    string(REGEX REPLACE "_fuzz$" "" corpus ${what})
    if(KEYTURN_FUZZ)
      target_link_options(${what} PRIVATE -fsanitize=fuzzer)
    else()
      target_sources(${what} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    endif()
    add_test(NAME fuzz:replay:${corpus}
             COMMAND ${what} ${PROJECT_SOURCE_DIR}/tests/fuzz/${corpus})
    set_tests_properties(fuzz:replay:${corpus} PROPERTIES LABELS fuzz TIMEOUT 120)
  endforeach()
endfunction()
