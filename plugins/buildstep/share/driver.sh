#!/bin/bash
# The part of a build that runs inside the sandbox: detect, compile and release of each buildpack, in order.
#
# It says nothing about a failure but the script's own words: the plugin tells it once, from RESULT/status.
#
# It is constant: users' strings reach it only as arguments, files and environment, never as shell text. It does not
# choose or fetch buildpacks and does not indent output: the plugin does that outside, so nothing here can hide an
# exit code behind a pipe. It runs as the build user, with the buildpacks' own rights, so the plugin that reads what
# it leaves in RESULT must not trust it.
#
#   driver.sh MODE BUILD CACHE ENV RESULT LABEL DIR [LABEL DIR ...]
#     MODE    list: every buildpack must detect, and each one compiles, in order
#             detect:K   the first one that detects compiles. Of the first K all are asked, and the others that fit
#                        are named in a warning; the rest are fallbacks, asked only while nothing has been found
#     LABEL   how people call the buildpack in DIR (no credentials)
#   RESULT/status gets one line per event: matched N · chosen N · phase detect|compile|release N · failed CODE · done
#   RESULT/detect.N and RESULT/release.N get the two scripts' standard output.
# Exit code: 0, or the code of the script that failed, or 1 when nothing was detected.

unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY BASH_ENV ENV CDPATH
umask 022
exec </dev/null 2>&1

if (($# < 7)) || (($# % 2 == 0)); then
  echo " !     davit's build driver was called with $# arguments"
  exit 64
fi
mode=${1%%:*} rivals=${1#*:} build=$2 cache=$3 env_dir=$4 result=$5
shift 5
labels=() dirs=()
while (($#)); do
  labels+=("$1") dirs+=("$2")
  shift 2
done
count=${#dirs[@]}
exports=()

note() { printf '%s\n' "$*" >>"$result/status"; }

fail() {
  note "failed $1"
  exit "$1"
}

# in_buildpack N SCRIPT ARGS...: runs a script as Heroku does: in the buildpack's own root, with the `export` files
# of the buildpacks before it sourced. Everything happens in a subshell, so that nothing they set reaches the driver.
in_buildpack() {
  local n=$1 script=$2
  shift 2
  (
    _davit_dir=${dirs[n]} _davit_argv=("${dirs[n]}/$script" "$@")
    for _davit_export in "${exports[@]}"; do
      # shellcheck disable=SC1090
      source "$_davit_export"
    done
    cd "$_davit_dir" && exec "${_davit_argv[@]}"
  )
}

detect() {
  local n=$1
  note "phase detect $n"
  if [[ ! -e ${dirs[n]}/bin/detect ]]; then
    echo "bin/detect does not exist" >"$result/detect.$n"
    return 127
  fi
  if [[ $mode == list ]]; then
    in_buildpack "$n" bin/detect "$build" >"$result/detect.$n"
  else
    in_buildpack "$n" bin/detect "$build" >"$result/detect.$n" 2>/dev/null
  fi
}

name_of() {
  local first=
  IFS= read -r first <"$result/detect.$1"
  printf '%s' "${first:-${labels[$1]}}"
}

# The whole life of one buildpack that has been detected.
run_buildpack() {
  local n=$1 code
  echo "-----> $(name_of "$n") app detected"
  note "phase compile $n"
  in_buildpack "$n" bin/compile "$build" "$cache" "$env_dir"
  code=$?
  if ((code)); then
    fail "$code"
  fi
  if [[ -f ${dirs[n]}/export ]]; then
    exports+=("${dirs[n]}/export")
  fi
  if [[ -e ${dirs[n]}/bin/release ]]; then
    note "phase release $n"
    in_buildpack "$n" bin/release "$build" >"$result/release.$n"
    code=$?
    if ((code)); then
      fail "$code"
    fi
  fi
}

run_list() {
  local n code
  for ((n = 0; n < count; n++)); do
    ((count > 1)) && echo "=====> Buildpack $((n + 1)) of $count: ${labels[n]}"
    detect "$n"
    code=$?
    if ((code)); then
      cat "$result/detect.$n"
      fail "$code"
    fi
    note "matched $n"
    note "chosen $n"
    run_buildpack "$n"
  done
}

run_first_match() {
  local n code chosen='' others=''
  for ((n = 0; n < count; n++)); do
    if [[ -n $chosen ]] && ((n >= rivals)); then break; fi
    detect "$n"
    code=$?
    if ((code == 0)); then
      note "matched $n"
      if [[ -z $chosen ]]; then
        chosen=$n
      else
        others+="${others:+, }${labels[n]}"
      fi
    elif ((code > 125)); then
      echo " !     Buildpack ${labels[n]} cannot tell whether it fits: bin/detect gave exit code $code"
    fi
  done
  if [[ -z $chosen ]]; then
    echo "       None of these buildpacks fits, asked in this order:"
    for ((n = 0; n < count; n++)); do
      echo "       ${labels[n]}"
    done
    fail 1
  fi
  note "chosen $chosen"
  if [[ -n $others ]]; then
    echo " !     Several buildpacks fit: using ${labels[chosen]}, not $others"
    echo "       Choose with \`buildpacks:set\` or a \`.buildpacks\` file."
  fi
  run_buildpack "$chosen"
}

# davit's own curl and wget stand before those of the image, where it has them.
for tool in curl wget; do
  if [[ -x ${DAVIT_WRAPPERS:-}/$tool/$tool && -n $(type -P "$tool") ]]; then
    PATH=$DAVIT_WRAPPERS/$tool:$PATH
  fi
done

# Some published buildpacks are stored without their execute bits.
for dir in "${dirs[@]}"; do
  for script in "$dir"/bin/{detect,compile,release}; do
    [[ -f $script && ! -x $script ]] && chmod +x "$script"
  done
done

[[ $mode == detect && ! $rivals =~ ^[0-9]+$ ]] && mode=$mode:$rivals
case $mode in
  list) run_list ;;
  detect) run_first_match ;;
  *)
    echo " !     davit's build driver does not know the mode $mode"
    exit 64
    ;;
esac
note "done"
exit 0
