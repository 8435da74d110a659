# The embeddable library: one shared object, the headers of include/ekiden, and a CMake package (find_package(ekiden)
# gives ekiden::ekiden). Everything of ours that is not marked EKIDEN_EXPORT is hidden, and so is every template of the
# standard library that was instantiated on the way: two libraries in one process must not meet in there.
include_guard()
if(NOT TARGET ekiden_embed)
  return()
endif()
include(CMakePackageConfigHelpers)

# base holds the part of the public interface that the modules share; the rest comes in where embed needs it.
add_library(ekiden_shared SHARED $<TARGET_OBJECTS:ekiden_embed> $<TARGET_OBJECTS:ekiden_base>)
add_library(ekiden::ekiden ALIAS ekiden_shared)
set_target_properties(ekiden_shared PROPERTIES
  OUTPUT_NAME ekiden EXPORT_NAME ekiden VERSION ${PROJECT_VERSION} SOVERSION 0
  LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/exports.map")
target_compile_features(ekiden_shared INTERFACE cxx_std_23)
target_include_directories(ekiden_shared INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_link_libraries(ekiden_shared PRIVATE $<BUILD_INTERFACE:ekiden_options> $<BUILD_INTERFACE:ekiden_embed>)
target_link_options(ekiden_shared PRIVATE
  "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map" -Wl,--gc-sections)
if(NOT EKIDEN_SANITIZE)
  # A missing dependency shows here and not in the program of whoever embeds it.
  target_link_options(ekiden_shared PRIVATE -Wl,--no-undefined)
endif()

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ekiden")
install(TARGETS ekiden_shared EXPORT ekiden COMPONENT library)
install(DIRECTORY include/ekiden TYPE INCLUDE COMPONENT library FILES_MATCHING PATTERN "*.hpp")
install(EXPORT ekiden NAMESPACE ekiden:: DESTINATION "${package_dir}" FILE ekidenConfig.cmake COMPONENT library)
write_basic_package_version_file(ekidenConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/ekidenConfigVersion.cmake" DESTINATION "${package_dir}" COMPONENT library)
