/* hello-c: a davit plugin in plain C11. `davit hello-c:greet NAME` greets and counts, in davit's own
 * database. */
#include <davit/commands.h>
#include <davit/host.h>
#include <davit/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct davit_plugin {
  const davit_host* host;
  const davit_host_kv* kv;
};

static davit_str text(const char* chars) {
  davit_str out = {chars, strlen(chars)};
  return out;
}

static int equals(davit_str left, const char* right) {
  return left.size == strlen(right) && memcmp(left.data, right, left.size) == 0;
}

/* A sink for a short number: what is longer is cut. */
struct number {
  char digits[24];
  size_t size;
};

static davit_status add_digits(void* sink_data, davit_str chunk) {
  struct number* number = sink_data;
  for (uint64_t i = 0; i < chunk.size && number->size + 1 < sizeof(number->digits); ++i) {
    number->digits[number->size++] = chunk.data[i];
  }
  number->digits[number->size] = '\0';
  return DAVIT_OK;
}

static davit_status greet(davit_plugin* plugin, const davit_call* call, davit_str who) {
  struct number before = {{0}, 0};
  const davit_sink sink = {&before, add_digits};
  davit_status status = plugin->kv->get(plugin->host, call, text(""), text("greetings"), &sink);
  if (status != DAVIT_OK && status != DAVIT_NOT_FOUND) return status; /* the host has said why */

  char count[24];
  const int size = snprintf(count, sizeof(count), "%lu", strtoul(before.digits, NULL, 10) + 1);
  status =
      plugin->kv->set(plugin->host, call, text(""), text("greetings"), (davit_str){count, (uint64_t)size});
  if (status != DAVIT_OK) return status;

  const davit_str parts[] = {text("Hello, "), who, text("! That makes "), text(count), text(".\n")};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); ++i) {
    status = call->output(call, DAVIT_STREAM_RESULT, parts[i]);
    if (status != DAVIT_OK) return status;
  }
  return DAVIT_OK;
}

static davit_status run(davit_plugin* plugin, const davit_call* call, const davit_command* command,
                        int32_t* exit_code) {
  if (!equals(command->name, "hello-c:greet") || command->args.size != 1) {
    call->fail(call, text("usage"), text("hello-c:greet takes one name"), text("davit hello-c:greet ada"));
    return DAVIT_INVALID;
  }
  *exit_code = 0;
  return greet(plugin, call, command->args.data[0]);
}

static davit_status create(const davit_host* host, const davit_call* call, davit_plugin** plugin) {
  *plugin = calloc(1, sizeof(**plugin));
  if (*plugin == NULL) {
    call->fail(call, text("out-of-memory"), text("hello-c could not be created"), text(""));
    return DAVIT_INTERNAL;
  }
  (*plugin)->host = host;
  return DAVIT_OK;
}

static davit_status start(davit_plugin* plugin, const davit_call* call) {
  (void)call;
  plugin->kv = plugin->host->get_interface(plugin->host, text(DAVIT_HOST_KV_ID)); /* required: never NULL */
  return DAVIT_OK;
}

static void stop(davit_plugin* plugin, const davit_call* call) {
  (void)plugin;
  (void)call;
}

static void destroy(davit_plugin* plugin) {
  free(plugin);
}

static const void* get_interface(davit_plugin* plugin, davit_str id) {
  static const davit_commands commands = {sizeof(davit_commands), 0, run};
  (void)plugin;
  return equals(id, DAVIT_COMMANDS_ID) ? &commands : NULL;
}

const davit_plugin_descriptor* davit_plugin_v1(void) {
  static const davit_plugin_descriptor descriptor = {sizeof(davit_plugin_descriptor),
                                                     DAVIT_ABI_MAJOR,
                                                     DAVIT_ABI_MINOR,
                                                     0,
                                                     {DAVIT_PLUGIN_ID, sizeof(DAVIT_PLUGIN_ID) - 1},
                                                     {DAVIT_PLUGIN_VERSION, sizeof(DAVIT_PLUGIN_VERSION) - 1},
                                                     create,
                                                     start,
                                                     stop,
                                                     destroy,
                                                     get_interface};
  return &descriptor;
}
