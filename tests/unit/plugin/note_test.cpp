// Notes: the TOML of a plugin's note, and the values that its schema admits. ELF files: catalog_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/elf_note.hpp"
#include "plugin/note_codec.hpp"
#include "plugin/note_reader.hpp"

namespace davit {
namespace {

using ::testing::HasSubstr;

const std::string kHead = "id = \"x\"\nversion = \"1.0.0\"\nabi = \"1.0\"\n";

std::string refusal(const std::string& rest, const std::string& head = kHead) {
  const auto note = parse_note(head + rest, "x.so");
  return note ? "" : note.error().text();
}

TEST(Note, ReadsEverything) {
  const auto note = parse_note(kHead + R"(
summary = "One line"
requires = ["davit.host.kv/1"]
uses = ["davit.host.log/1"]
provides = ["davit.proxy/1"]
from_the_future = 7
[[hooks]]
event = "env.resolve"
order = -5
[[commands]]
name = "x:set"
summary = "Sets"
usage = "APP"
app = true
maximum_args = 3
flags = [{name = "--format", value = "text|json"}, {name = "all"}]
[[settings]]
key = "port"
type = "uint"
default = 8080
[[settings]]
key = "names"
type = "strings"
default = ["a", "b"]
[[settings]]
key = "socket"
type = "path"
places = ["$X_SOCKET", "/run/x.sock"]
[[properties]]
group = "x"
key = "mode"
type = "enum"
values = ["on", "off"]
default = "on"
global = true
[groups]
x = "Manage x"
)",
                               "x.so");
  ASSERT_TRUE(note) << note.error().text();
  EXPECT_EQ(note->summary, "One line");
  EXPECT_TRUE(note->may_use("davit.host.kv/1"));
  EXPECT_TRUE(note->may_use("davit.host.log/1"));
  EXPECT_FALSE(note->may_use("davit.host.apps/1"));
  EXPECT_TRUE(note->provides_interface("davit.proxy/1"));
  ASSERT_EQ(note->hooks.size(), 1U);
  EXPECT_EQ(note->hooks[0].order, -5);
  const CommandSpec* command = note->command("x:set");
  ASSERT_NE(command, nullptr);
  EXPECT_EQ(command->minimum_args, 1U);  // app = true needs one
  EXPECT_EQ(command->flags[0].name, "format");
  EXPECT_FALSE(command->flags[0].is_switch());
  EXPECT_TRUE(command->flags[1].is_switch());
  EXPECT_EQ(note->setting("port")->default_value, "8080");
  EXPECT_EQ(note->setting("names")->default_items, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(note->setting("socket")->places, (std::vector<std::string>{"$X_SOCKET", "/run/x.sock"}));
  EXPECT_TRUE(note->properties[0].global);

  // The cache's form gives the same back.
  Packer packer;
  pack(packer, *note);
  const std::string packed = packer.take();
  Unpacker in(packed);
  const PluginNote again = unpack_note(in);
  EXPECT_EQ(again.setting("socket")->places, note->setting("socket")->places);
  EXPECT_FALSE(in.failed());
  EXPECT_TRUE(in.at_end());
  Packer twice;
  pack(twice, again);
  EXPECT_EQ(twice.take(), packed);
  for (std::size_t size = 0; size < packed.size(); size += 7) {
    Unpacker part(std::string_view(packed).substr(0, size));
    (void)unpack_note(part);
    EXPECT_TRUE(part.failed());
  }
}

TEST(Note, RefusesWrongTypesAndNamesThePlace) {
  EXPECT_THAT(refusal("", "version = \"1.0.0\"\nabi = \"1.0\"\n"),
              HasSubstr("x.so: its note: id is missing"));
  EXPECT_THAT(refusal("", "id = \"../x\"\nversion = \"1.0.0\"\nabi = \"1.0\"\n"),
              HasSubstr("not a plugin's id"));
  EXPECT_THAT(refusal("", "id = \"x\"\nversion = \"one\"\nabi = \"1.0\"\n"), HasSubstr("not a version"));
  EXPECT_THAT(refusal("requires = \"a\""), HasSubstr("requires is a string, not an array"));
  EXPECT_THAT(refusal("requires = [1]"), HasSubstr("requires is not an array of strings"));
  EXPECT_THAT(refusal("hooks = [3]"), HasSubstr("hooks[0] is not a table"));
  EXPECT_THAT(refusal("[[commands]]\nname = \"Bad Name\""), HasSubstr("not a command's name"));
  EXPECT_THAT(refusal("[[commands]]\nname = \"x:a\"\n[[commands]]\nname = \"x:a\""),
              HasSubstr("command x:a stands there twice"));
  EXPECT_THAT(refusal("[[settings]]\nkey = \"p\"\ntype = \"float\""),
              HasSubstr("type \"float\" is not known"));
  EXPECT_THAT(refusal("[[settings]]\nkey = \"p\"\ntype = \"uint\"\ndefault = \"-1\""),
              HasSubstr("settings[0]: default"));
  EXPECT_THAT(refusal("[[settings]]\nkey = \"p\"\ntype = \"enum\""), HasSubstr("an enum needs values"));
  EXPECT_THAT(refusal("[[settings]]\nkey = \"p\"\nplaces = [\"/x\"]"),
              HasSubstr("places are for a path only"));
  EXPECT_THAT(refusal("[[settings]]\nkey = \"p\"\ntype = \"path\"\nplaces = [\"x\"]"),
              HasSubstr("begins with neither / nor $"));
  EXPECT_THAT(refusal("x = ["), HasSubstr("x.so: its note:"));
}

TEST(Note, AnotherAbiMajorIsRefusedWithBothVersions) {
  const auto note =
      parse_note("id = \"x\"\nversion = \"2.0.0\"\nabi = \"9.1\"\nhooks = \"a new form\"\n", "x.so");
  ASSERT_FALSE(note);
  EXPECT_EQ(note.error().slug, "plugin-abi");
  EXPECT_THAT(note.error().message, HasSubstr("plugin x 2.0.0 was built for ABI 9.1, this davit has ABI 1."));
}

// toml++ 3.3 has undefined behaviour on these: they must never reach it.
TEST(Note, BytesThatTomlPlusPlusCannotBearAreRefused) {
  for (const std::string text : {"caf\xC3\xA9 = 1", "\xEF\xBB\xAF", "a.\xC3\xA9 = 1", "[\xC3\xA9]"})
    EXPECT_THAT(refusal("", text), HasSubstr("not ASCII")) << text;
  EXPECT_THAT(refusal("", "a = \"\xFF\""), HasSubstr("not UTF-8"));
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "a.";
  EXPECT_THAT(refusal("", deep + "a = 1"), HasSubstr("too many dots"));
  EXPECT_EQ(refusal("summary = \"caf\xC3\xA9 # ok\"  # caf\xC3\xA9"), "");
  EXPECT_EQ(refusal("summary = '''caf\xC3\xA9\n\"'''"), "");
}

TEST(Values, OfEachType) {
  const std::vector<std::string> none;
  EXPECT_TRUE(check_value(SettingType::kUint, none, "18446744073709551615"));
  EXPECT_FALSE(check_value(SettingType::kUint, none, "-1"));
  EXPECT_FALSE(check_value(SettingType::kInt, none, "1.5"));
  EXPECT_TRUE(check_value(SettingType::kPort, none, "65535"));
  for (const auto* port : {"0", "00", "65536", "-1", "80x", ""})
    EXPECT_FALSE(check_value(SettingType::kPort, none, port)) << port;
  EXPECT_FALSE(check_value(SettingType::kBool, none, "yes"));
  EXPECT_FALSE(check_value(SettingType::kPath, none, "relative"));
  EXPECT_TRUE(check_value(SettingType::kEnum, {"on", "off"}, "off"));
  EXPECT_FALSE(check_value(SettingType::kEnum, {"on", "off"}, "of"));
  EXPECT_FALSE(check_value(SettingType::kString, none, std::string_view("a\0b", 3)));
  EXPECT_EQ(parse_duration_ms("5m").value(), 300'000U);
  EXPECT_EQ(parse_duration_ms("250ms").value(), 250U);
  EXPECT_EQ(parse_duration_ms("30").value(), 30'000U);
  EXPECT_FALSE(parse_duration_ms("5 m"));
  EXPECT_FALSE(parse_duration_ms("99999999999999999999d"));
  EXPECT_EQ(parse_size_bytes("64MiB").value(), 64U << 20);
  EXPECT_EQ(parse_size_bytes("2g").value(), std::uint64_t{2} << 30);
  EXPECT_FALSE(parse_size_bytes("9223372036854775807k"));
  EXPECT_FALSE(parse_size_bytes("-1"));
}

}  // namespace
}  // namespace davit
