# shellcheck shell=bash
# An archive for machines without Docker: release binaries, deploy/, the settings explained. See deploy/install.md.

# What the oldest of the systems that deploy/install.md names has: RHEL 9. (Ubuntu 22.04 has 2.35, Debian 12 has 2.36.)
OLDEST_GLIBC=2.34
RELEASE_BINARIES=(producer consumer simulator)

cmd_release() {
  local target version name folder binary
  (($# == 0)) || die "release takes no arguments: $*" 64
  git rev-parse --git-dir >/dev/null 2>&1 || die "a release is made of what git knows: this is no clone, or git is missing"
  install_missing
  has objdump || system_install binutils || die "objdump is missing: install binutils"
  cargo build --release --locked "${RELEASE_BINARIES[@]/#/--package=}"
  target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
  for name in "${RELEASE_BINARIES[@]}"; do runs_elsewhere "$target/release/$name"; done

  version=$("$target/release/producer" --version | cut -d ' ' -f 2)
  name=backend-089-$version-$(uname -m)-linux
  folder=$target/release-$version
  rm -rf "$folder"
  mkdir -p "$folder/$name/bin"
  for binary in "${RELEASE_BINARIES[@]}"; do install -m 755 "$target/release/$binary" "$folder/$name/bin"; done
  # Only what git knows: a secret that lies about is not packed.
  git ls-files -z deploy .env.example 'README*.md' 'LICENSE*' | xargs -0 cp --parents --target-directory="$folder/$name"
  release_built_from "$version" >"$folder/$name/BUILT"
  # The same commit and tools make the same archive.
  tar --create --directory="$folder" --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rw,go+rX,go-w \
    --mtime="@$(git log -1 --format=%ct)" "$name" | gzip --no-name >"$folder/$name.tar.gz"
  (cd "$folder" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
  cat "$folder/$name/BUILT"
  rm -rf "${folder:?}/$name"
  echo "$folder/$name.tar.gz"
}

release_built_from() {
  local changes=
  [[ -z $(git status --porcelain) ]] || changes=" with changes that are not committed"
  echo "Backend-089 $1, commit $(git rev-parse --short HEAD)$changes"
  echo "built by $(rustc --version) against $(getconf GNU_LIBC_VERSION); needs glibc $OLDEST_GLIBC or later, and libpq.so.5"
}

# runs_elsewhere BINARY: on every system that we name, whatever this one is.
runs_elsewhere() {
  local name=${1##*/} newest others
  newest=$(objdump --dynamic-syms "$1" | grep -o 'GLIBC_[0-9.]*' | cut -d _ -f 2 | sort -uV | tail -n 1)
  [[ $(printf '%s\n' "$newest" "$OLDEST_GLIBC" | sort -V | tail -n 1) == "$OLDEST_GLIBC" ]] ||
    die "$name needs glibc $newest, and RHEL 9 has $OLDEST_GLIBC: build it on an older system, such as Debian 12 or Ubuntu 22.04"
  others=$(objdump --private-headers "$1" | awk '$1 == "NEEDED" { print $2 }' |
    grep -vxE 'lib(c|m)\.so\.6|libgcc_s\.so\.1|libpq\.so\.5|ld-linux-[a-z0-9-]+\.so\.[0-9]' || true)
  [[ -z $others ]] || die "$name needs libraries that deploy/install.md does not install: ${others//$'\n'/, }"
}
