# For a directory whose binary has a version resource and writes into the event log: version.h, and
# messages.h and messages.rc made from addon/event_log/messages.mc, in its binary directory.
file(READ ${CMAKE_CURRENT_LIST_DIR}/../../package.json package)
string(JSON CERTWIRE_VERSION GET "${package}" version)
string(REGEX REPLACE "^([0-9]+)\\.([0-9]+)\\.([0-9]+).*$" "\\1,\\2,\\3,0" CERTWIRE_VERSION_NUMBERS
  ${CERTWIRE_VERSION})
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.h.in version.h @ONLY)

find_program(WINDMC NAMES x86_64-w64-mingw32-windmc REQUIRED)
add_custom_command(
  OUTPUT messages.h messages.rc MSG00409.bin
  COMMAND ${WINDMC} -h . -r . ${CMAKE_CURRENT_LIST_DIR}/../event_log/messages.mc
  DEPENDS ${CMAKE_CURRENT_LIST_DIR}/../event_log/messages.mc
  WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
