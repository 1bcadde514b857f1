/* The ELF note .note.davit: what the host knows of a plugin without loading it.
 *
 * One note, name "davit" (6 bytes with the NUL), type 1, in a PT_NOTE segment with 4-byte alignment; its
 * descriptor is TOML, UTF-8:
 *
 *   id = "nginx"                      # ^[a-z0-9][a-z0-9-]{0,62}$; equals the descriptor's
 *   version = "0.1.0"
 *   abi = "1.0"                       # major.minor it was built with
 *   summary = "One line"
 *   requires = ["davit.host.supervise/1"]   # without these it is not loaded
 *   uses = ["davit.host.events/1"]          # taken if there
 *   provides = ["davit.proxy/1"]            # what get_interface answers
 *   [[hooks]]      event = "env.resolve"; order = 100 (lower is earlier; equal orders are broken by id)
 *   [[commands]]   name = "nginx:show-config"; summary = "..."; usage = "APP";
 *                  flags = [{name = "format", value = "text|json"}, {name = "all"}]   # no value: a switch
 *                  minimum_args, maximum_args (-1: any); app = true: the first argument is an existing app
 *   [[settings]]   key = "port"; type = "uint|int|bool|string|path|duration|size|strings|enum|port";
 *                  default = "8080"; summary; values = ["private", "system"] for enum;
 *                  places = ["$X_SOCKET", "/run/x.sock", "$HOME/x.sock"] for path: `davit init` and
 * `plugin:enable` write down the first that is there. $NAME, at the beginning only, is a variable of their
 * environment; "unix://" before its path is dropped
 *   [[properties]] group = "nginx"; key = "hsts"; type as above; default; summary; global = true (may be set
 * with --global) [groups]       nginx = "Manage the nginx proxy"        # first help lines of command groups
 *
 * davit_add_plugin() of the SDK's CMake package makes the note from a plugin.toml. In other languages put the
 * bytes { 6, SIZE, 1, "davit\0\0\0", TEXT padded to 4 } (three 32-bit words in the machine's order) in a
 * section ".note.davit".
 */
#ifndef DAVIT_NOTE_H
#define DAVIT_NOTE_H

#include "davit/abi.h"

#define DAVIT_NOTE_NAME "davit"
#define DAVIT_NOTE_TYPE 1u
#define DAVIT_NOTE_SECTION ".note.davit"

#endif
