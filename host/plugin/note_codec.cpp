// A PluginNote and a PluginsToml as bytes of the cache, and back.
#include "plugin/note_codec.hpp"

namespace davit {
namespace {

void pack(Packer& out, const std::vector<std::string>& texts) {
  out.number(static_cast<std::int64_t>(texts.size()));
  for (const std::string& text : texts) out.text(text);
}

void pack(Packer& out, const std::optional<std::string>& text) {
  out.number(text.has_value() ? 1 : 0);
  if (text) out.text(*text);
}

template <typename Item, typename Each>
void pack_list(Packer& out, const std::vector<Item>& items, Each&& each) {
  out.number(static_cast<std::int64_t>(items.size()));
  for (const Item& item : items) each(item);
}

std::vector<std::string> unpack_texts(Unpacker& in) {
  std::vector<std::string> texts(in.count());
  for (std::string& text : texts) text = in.text();
  return texts;
}

std::optional<std::string> unpack_optional(Unpacker& in) {
  if (in.number() == 0) return std::nullopt;
  return in.text();
}

template <typename Item, typename Each>
void unpack_list(Unpacker& in, std::vector<Item>& items, Each&& each) {
  items.resize(in.count());
  for (Item& item : items) each(item);
}

void pack(Packer& out, const CommandSpec& command) {
  out.text(command.name);
  out.text(command.summary);
  out.text(command.usage);
  out.number(command.minimum_args);
  out.number(command.maximum_args);
  out.number(command.app ? 1 : 0);
  pack_list(out, command.flags, [&](const FlagSpec& flag) {
    out.text(flag.name);
    out.text(flag.value);
    out.text(flag.summary);
  });
}

void unpack(Unpacker& in, CommandSpec& command) {
  command.name = in.text();
  command.summary = in.text();
  command.usage = in.text();
  command.minimum_args = static_cast<unsigned>(in.number());
  command.maximum_args = static_cast<int>(in.number());
  command.app = in.number() != 0;
  unpack_list(in, command.flags, [&](FlagSpec& flag) {
    flag.name = in.text();
    flag.value = in.text();
    flag.summary = in.text();
  });
}

template <typename Spec>
void pack_schema(Packer& out, const Spec& spec) {
  out.text(spec.key);
  out.number(static_cast<std::int64_t>(spec.type));
  pack(out, spec.default_value);
  out.text(spec.summary);
  pack(out, spec.values);
}

template <typename Spec>
void unpack_schema(Unpacker& in, Spec& spec) {
  spec.key = in.text();
  spec.type = static_cast<SettingType>(in.number());
  spec.default_value = unpack_optional(in);
  spec.summary = in.text();
  spec.values = unpack_texts(in);
}

}  // namespace

void pack(Packer& out, const PluginNote& note) {
  for (const std::string* text : {&note.id, &note.version, &note.abi, &note.summary}) out.text(*text);
  for (const auto* texts : {&note.requires_ids, &note.uses_ids, &note.provides}) pack(out, *texts);
  pack_list(out, note.hooks, [&](const HookSpec& hook) {
    out.text(hook.event);
    out.number(hook.order);
  });
  pack_list(out, note.commands, [&](const CommandSpec& command) { pack(out, command); });
  pack_list(out, note.settings, [&](const SettingSpec& setting) {
    pack_schema(out, setting);
    pack(out, setting.default_items);
    pack(out, setting.places);
  });
  pack_list(out, note.properties, [&](const PropertySpec& property) {
    out.text(property.group);
    pack_schema(out, property);
    out.number(property.global ? 1 : 0);
  });
  pack_list(out, note.groups, [&](const auto& group) {
    out.text(group.first);
    out.text(group.second);
  });
}

PluginNote unpack_note(Unpacker& in) {
  PluginNote note;
  for (std::string* text : {&note.id, &note.version, &note.abi, &note.summary}) *text = in.text();
  for (auto* texts : {&note.requires_ids, &note.uses_ids, &note.provides}) *texts = unpack_texts(in);
  unpack_list(in, note.hooks, [&](HookSpec& hook) {
    hook.event = in.text();
    hook.order = static_cast<int>(in.number());
  });
  unpack_list(in, note.commands, [&](CommandSpec& command) { unpack(in, command); });
  unpack_list(in, note.settings, [&](SettingSpec& setting) {
    unpack_schema(in, setting);
    setting.default_items = unpack_texts(in);
    setting.places = unpack_texts(in);
  });
  unpack_list(in, note.properties, [&](PropertySpec& property) {
    property.group = in.text();
    unpack_schema(in, property);
    property.global = in.number() != 0;
  });
  unpack_list(in, note.groups, [&](auto& group) {
    group.first = in.text();
    group.second = in.text();
  });
  return note;
}

void pack(Packer& out, const PluginsToml& file) {
  const HostSettings& host = file.host;
  for (const std::string* text : {&host.runtime, &host.proxy, &host.app_user}) out.text(*text);
  out.number(host.create_on_push ? 1 : 0);
  for (const unsigned number : {host.port_first, host.port_last, host.plugin_timeout_s, host.first_line})
    out.number(number);
  pack_list(out, file.plugins, [&](const PluginSection& section) {
    out.text(section.id);
    out.number(section.enabled ? 1 : 0);
    out.text(section.path.native());
    out.text(section.version);
    out.number(section.order ? 1 : 0);
    out.number(section.order.value_or(0));
    for (const unsigned line : {section.line, section.version_line, section.path_line}) out.number(line);
    pack_list(out, section.settings, [&](const auto& setting) {
      const GivenSetting& given = setting.second;
      out.text(setting.first);
      out.number(static_cast<std::int64_t>(given.kind));
      out.text(given.text);
      pack(out, given.items);
      out.number(given.items_are_strings ? 1 : 0);
      out.number(given.line);
    });
  });
}

PluginsToml unpack_plugins_toml(Unpacker& in) {
  PluginsToml file;
  HostSettings& host = file.host;
  for (std::string* text : {&host.runtime, &host.proxy, &host.app_user}) *text = in.text();
  host.create_on_push = in.number() != 0;
  for (unsigned* number : {&host.port_first, &host.port_last, &host.plugin_timeout_s, &host.first_line})
    *number = static_cast<unsigned>(in.number());
  unpack_list(in, file.plugins, [&](PluginSection& section) {
    section.id = in.text();
    section.enabled = in.number() != 0;
    section.path = in.text();
    section.version = in.text();
    const bool has_order = in.number() != 0;
    const auto order = static_cast<int>(in.number());
    if (has_order) section.order = order;
    for (unsigned* line : {&section.line, &section.version_line, &section.path_line})
      *line = static_cast<unsigned>(in.number());
    unpack_list(in, section.settings, [&](auto& setting) {
      GivenSetting& given = setting.second;
      setting.first = in.text();
      given.kind = static_cast<GivenSetting::Kind>(in.number());
      given.text = in.text();
      given.items = unpack_texts(in);
      given.items_are_strings = in.number() != 0;
      given.line = static_cast<unsigned>(in.number());
    });
  });
  return file;
}

}  // namespace davit
