# How every process of a slug starts: bash --noprofile --norc -c "$(this file)" davit-start ARGV...
#
# The plugin hands this text, whole and constant, to the host as the slug's launcher; the working directory is the app's
# root (/app). Order: the configuration is already in the environment, then /etc/profile.d, then the app's .profile.d in
# byte order, then .profile, all sourced by this one shell, then ARGV takes its place. So a value of the app wins
# wherever a script says ${X:-default}. ARGV is kept aside because a sourced script may change the positional
# parameters; nothing is sourced inside a function, where `declare` would make variables local.
_davit_argv=("$@")
_davit_root=$PWD
mapfile -d '' -t _davit_files < <(
  LC_ALL=C
  for file in /etc/profile.d/*.sh "$_davit_root"/.profile.d/*.sh "$_davit_root"/.profile; do
    [[ -f $file && -r $file ]] && printf '%s\0' "$file"
  done
)
for _davit_file in "${_davit_files[@]}"; do
  cd "$_davit_root" || exit 1
  # shellcheck disable=SC1090
  source "$_davit_file"
done
cd "$_davit_root" || exit 1
unset _davit_file _davit_files _davit_root
exec "${_davit_argv[@]}"
