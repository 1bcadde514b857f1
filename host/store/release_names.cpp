// The words of releases' enumerations: in the database, in JSON and on the screen they are the same.
#include "store/releases.hpp"

namespace davit {

std::string_view name_of(ArtifactKind kind) {
  switch (kind) {
    case ArtifactKind::kNone:
      return "none";
    case ArtifactKind::kSlug:
      return "slug";
    case ArtifactKind::kImage:
      return "image";
  }
  return "none";
}

std::string_view name_of(ReleaseState state) {
  switch (state) {
    case ReleaseState::kPending:
      return "pending";
    case ReleaseState::kLive:
      return "live";
    case ReleaseState::kSuperseded:
      return "superseded";
    case ReleaseState::kFailed:
      return "failed";
  }
  return "failed";
}

}  // namespace davit
