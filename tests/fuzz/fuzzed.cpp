// What the fuzzers test, as one translation unit: all of it must be instrumented, and its headers are read
// once. The rest (base, process) is linked as the rooms have it.
#include "plugin/elf_note.cpp"
#include "plugin/note.cpp"
#include "plugin/note_reader.cpp"
#include "plugin/plugins_toml.cpp"
#include "plugin/plugins_toml_edit.cpp"
#include "plugin/semver.cpp"
#include "plugin/toml_tree.cpp"
