# Sourced before every process. A GREETING in the app's configuration wins.
export GREETING="${GREETING:-Hello from .profile.d}"
