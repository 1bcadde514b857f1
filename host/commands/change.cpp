// change_app: see the header.
#include "commands/change.hpp"

namespace davit {

Result<int> change_app(Session& session, const App& app, const AppChange& change,
                       const std::function<Result<>(Store&)>& write) {
  Deployer& deployer = session.deployer();
  DAVIT_TRY_ASSIGN(FileLock lock,
                   deployer.lock(app.name, change.command, change.no_wait, false, session.acting()));
  if (write) {
    DAVIT_TRY_ASSIGN(Store * store, session.writing());
    DAVIT_TRY(store->transaction([&] { return write(*store); }));
  }
  session.parts().flush();
  const DeployRequest request{app.name, change.kind, change.request, change.command, true};
  return deployer.deploy(std::move(lock), request, session.acting());
}

Result<int> change_if_deployed(Session& session, const App& app, const AppChange& change,
                               const std::function<Result<>(Store&)>& write) {
  if (app.deployed) return change_app(session, app, change, write);
  DAVIT_TRY_ASSIGN(Store * store, session.writing());
  DAVIT_TRY(store->transaction([&] { return write(*store); }));
  return 0;
}

}  // namespace davit
