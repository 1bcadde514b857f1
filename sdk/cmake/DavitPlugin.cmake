# davit_add_plugin(NAME SOURCES file... NOTE plugin.toml [LIBRARIES lib...] [SHARE dir[=SUBDIR]...]
#                  [OUTPUT_DIRECTORY dir] [NO_INSTALL])
#
# Makes the plugin NAME.so (a target named NAME): a module that exports davit_plugin_v1 and nothing else, with the text
# of plugin.toml as its ELF note (davit/note.h), read by the host without loading the file. NAME is the `id` of the
# TOML. Sources get DAVIT_PLUGIN_ID and DAVIT_PLUGIN_VERSION as string macros, so that note and descriptor agree; an
# `abi` line is added to the note from the headers.
#
# SHARE: the contents of each directory belong in share/davit/NAME (or share/davit/NAME/SUBDIR); in davit's own build
# tree they are symbolic links, so that an edit is seen at once.
# `cmake --install` puts the plugin into lib/davit/plugins and the shares into share/davit/NAME.

# The value of a key above the TOML's first table, or empty. One `key = "value"` a line.
function(_davit_note_value text key result)
  string(REGEX REPLACE "\n[ \t]*\\[.*$" "\n" head "\n${text}")
  set(value "")
  if(head MATCHES "\n[ \t]*${key}[ \t]*=[ \t]*\"([^\"\n]*)\"")
    set(value "${CMAKE_MATCH_1}")
  endif()
  set(${result} "${value}" PARENT_SCOPE)
endfunction()

# "MAJOR.MINOR" as the headers that the plugin is compiled with say.
function(_davit_abi_version result)
  get_target_property(dirs davit::sdk INTERFACE_INCLUDE_DIRECTORIES)
  foreach(dir IN LISTS dirs)
    string(REGEX REPLACE "^\\$<BUILD_INTERFACE:(.*)>$" "\\1" dir "${dir}")
    if(EXISTS "${dir}/davit/abi.h")
      file(STRINGS "${dir}/davit/abi.h" lines REGEX "#define DAVIT_ABI_(MAJOR|MINOR) ")
    endif()
  endforeach()
  string(REGEX MATCH "DAVIT_ABI_MAJOR ([0-9]+)u" _ "${lines}")
  set(major "${CMAKE_MATCH_1}")
  string(REGEX MATCH "DAVIT_ABI_MINOR ([0-9]+)u" _ "${lines}")
  set(${result} "${major}.${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

# A source file whose only content is the note. Assembler, because a compiler cannot be told a section's type; bytes,
# because then nothing in the text needs quoting. Works with gcc and clang, and survives --gc-sections, strip and LTO.
function(_davit_write_note file text)
  string(HEX "${text}" hex)
  string(LENGTH "${hex}" size)
  math(EXPR size "${size} / 2")
  set(lines "")
  set(offset 0)
  math(EXPR digits "${size} * 2")
  while(offset LESS digits)
    string(SUBSTRING "${hex}" ${offset} 64 row)
    string(REGEX REPLACE "(..)" "0x\\1," row "${row}")
    string(REGEX REPLACE ",$" "" row "${row}")
    string(APPEND lines "    \"  .byte ${row}\\n\"\n")
    math(EXPR offset "${offset} + 64")
  endwhile()
  file(CONFIGURE OUTPUT "${file}" @ONLY CONTENT "/* Generated from plugin.toml by davit_add_plugin(). */
typedef int davit_note_of_this_plugin; /* ISO C wants a declaration in every file */
__asm__(
    \"  .pushsection .note.davit,\\\"a\\\",%note\\n\"
    \"  .balign 4\\n\"
    \"  .long 6\\n\"
    \"  .long @size@\\n\"
    \"  .long 1\\n\"
    \"  .asciz \\\"davit\\\"\\n\"
    \"  .balign 4\\n\"
@lines@    \"  .balign 4\\n\"
    \"  .popsection\\n\");
")
endfunction()

# share/davit/NAME of the build tree and of the install tree.
function(_davit_share name install)
  foreach(entry IN LISTS ARGN)
    string(REGEX MATCH "^([^=]+)=?(.*)$" _ "${entry}")
    get_filename_component(source "${CMAKE_MATCH_1}" ABSOLUTE)
    set(sub "${CMAKE_MATCH_2}")
    if(NOT IS_DIRECTORY "${source}")
      message(FATAL_ERROR "davit_add_plugin(${name}): SHARE ${entry}: no such directory")
    endif()
    if(install)
      install(DIRECTORY "${source}/" DESTINATION share/davit/${name}/${sub} USE_SOURCE_PERMISSIONS)
    endif()
    if(NOT DAVIT_SHARE_DIR)
      continue()
    endif()
    if(sub)
      set(links "${source}")
    else()
      file(GLOB links CONFIGURE_DEPENDS "${source}/*")
    endif()
    foreach(link IN LISTS links)
      get_filename_component(leaf "${link}" NAME)
      if(sub)
        set(leaf "${sub}")
      endif()
      get_filename_component(parent "${DAVIT_SHARE_DIR}/${name}/${leaf}" DIRECTORY)
      file(MAKE_DIRECTORY "${parent}")
      file(CREATE_LINK "${link}" "${DAVIT_SHARE_DIR}/${name}/${leaf}" SYMBOLIC)
    endforeach()
  endforeach()
endfunction()

function(davit_add_plugin name)
  cmake_parse_arguments(PLUGIN "NO_INSTALL" "NOTE;OUTPUT_DIRECTORY" "SOURCES;LIBRARIES;SHARE" ${ARGN})
  if(PLUGIN_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "davit_add_plugin(${name}): unknown arguments: ${PLUGIN_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT PLUGIN_SOURCES OR NOT PLUGIN_NOTE)
    message(FATAL_ERROR "davit_add_plugin(${name}): SOURCES and NOTE are needed")
  endif()
  get_filename_component(note "${PLUGIN_NOTE}" ABSOLUTE)
  if(NOT EXISTS "${note}")
    message(FATAL_ERROR "davit_add_plugin(${name}): NOTE ${note} does not exist")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${note}")
  file(READ "${note}" text)
  _davit_note_value("${text}" id id)
  _davit_note_value("${text}" version version)
  _davit_note_value("${text}" abi abi)
  if(NOT id MATCHES "^[a-z0-9][a-z0-9-]*$")
    message(FATAL_ERROR "${note}: needs a line `id = \"...\"` above its first table: a-z, 0-9 and -")
  endif()
  if(NOT version MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+([-+].*)?$")
    message(FATAL_ERROR "${note}: needs a line `version = \"MAJOR.MINOR.PATCH\"` above its first table")
  endif()
  if(NOT id STREQUAL name)
    message(FATAL_ERROR "davit_add_plugin(${name}): its note says id = \"${id}\"; the two must be the same")
  endif()
  if(NOT abi)
    _davit_abi_version(abi)
    set(text "abi = \"${abi}\"\n${text}")
  endif()

  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(extension cpp)
  if("C" IN_LIST languages)
    set(extension c)
  endif()
  set(note_source "${CMAKE_CURRENT_BINARY_DIR}/${name}.note.${extension}")
  _davit_write_note("${note_source}" "${text}")
  set(exports "${CMAKE_CURRENT_BINARY_DIR}/${name}.exports")
  file(CONFIGURE OUTPUT "${exports}" CONTENT "{ global: davit_plugin_v1; local: *; };\n")

  add_library(${name} MODULE ${PLUGIN_SOURCES} "${note_source}")
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" OUTPUT_NAME "${name}" LINK_DEPENDS "${exports}" POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if("CXX" IN_LIST languages AND NOT CMAKE_CXX_STANDARD)
    set_target_properties(${name} PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
  endif()
  target_compile_definitions(${name} PRIVATE DAVIT_PLUGIN_ID="${id}" DAVIT_PLUGIN_VERSION="${version}")
  target_link_libraries(${name} PRIVATE davit::sdk ${PLUGIN_LIBRARIES})
  target_link_options(${name} PRIVATE "-Wl,--version-script=${exports}" "-Wl,-z,now" "-Wl,-z,nodelete")
  if(NOT (DAVIT_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")) # clang leaves its runtime to the executable
    target_link_options(${name} PRIVATE "-Wl,-z,defs")
  endif()

  if(PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PLUGIN_OUTPUT_DIRECTORY}")
  elseif(DAVIT_PLUGIN_DIR)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${DAVIT_PLUGIN_DIR}")
  endif()
  set(install ON)
  if(PLUGIN_NO_INSTALL)
    set(install OFF)
  else()
    install(TARGETS ${name} LIBRARY DESTINATION lib/davit/plugins)
  endif()
  _davit_share(${name} ${install} ${PLUGIN_SHARE})
endfunction()
