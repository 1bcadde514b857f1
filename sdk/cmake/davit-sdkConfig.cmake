# find_package(davit-sdk): the headers as davit::sdk, and davit_add_plugin().
include(${CMAKE_CURRENT_LIST_DIR}/davit-sdk-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/DavitPlugin.cmake)
