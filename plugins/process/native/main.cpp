// davit-sandbox: the small program at the wall of a sandbox. Statically linked, because it runs before an
// app's environment may mean anything, inside trees that davit does not know, and once per start. Not a
// command for people; the plugin writes its command line. See modes.hpp.
#include "modes.hpp"

int main(int argc, char** argv) {
  using namespace davit::sandbox;
  const Options options = parse_options(argc, argv);
  if (options.mode == "inside") return run_inside(options);
  if (options.mode == "task") return run_task(options);
  if (options.mode == "join") return run_join(options);
  if (options.mode == "mount") return run_mount(options);
  if (options.mode == "as") return run_as(options);
  if (options.mode == "ids") return run_ids();
  die("unknown mode " + options.mode);
}
