# cmake --install lays out a prefix as the build tree is laid out.
include(GNUInstallDirs)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/sdk/include/davit DESTINATION include COMPONENT sdk)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/sdk/template DESTINATION share/davit COMPONENT sdk)
