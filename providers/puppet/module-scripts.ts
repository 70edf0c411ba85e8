import { FOREIGN } from "../site/index.ts";

/** Lies in every module folder that is ours, one line per stack that uses it. A folder without it is never touched. */
export const MARKER = ".cloudstack-testbed";

/** The first line of our site manifest. */
export const SITE_LINE = "# cloudstack-testbed: distributed by puppet:Modules; changes by hand are undone.";

const LOCKED = `
set -eu
modules=$1 manifests=$2 mark=$3
stack=\${mark%/*}
project=\${stack%/*}
shift 3
mkdir -p "$modules" "$manifests"
exec 9>"$modules/${MARKER}.lock"
flock -w 60 9 || { echo "the lock $modules/${MARKER}.lock is held for more than 60 s" >&2; exit 1; }
holds() { grep -qxF "$1" "$2" 2>/dev/null; }
ours() { [ -d "$1" ] && [ ! -L "$1" ] && [ -f "$1/${MARKER}" ]; }
`;

/**
 * Makes the given folders below the modules, and puts the stack's mark into each module. Refuses first what is not ours and not another
 * stack's of the same project: this same stack's from another state is not.
 */
export const CLAIM = `${LOCKED}
refuse() { echo "$1 is not ours: $2" >&2; exit ${FOREIGN}; }
for folder; do
  module=$modules/\${folder%%/*}
  [ -e "$module" ] || [ -L "$module" ] || continue
  ours "$module" || refuse "$module" "it has no ${MARKER}"
  holds "$mark" "$module/${MARKER}" && continue
  while IFS= read -r user; do
    case $user in "$stack"/*) ;; "$project"/*) continue ;; esac
    refuse "$module" "it belongs to $user"
  done <"$module/${MARKER}"
done
site=$manifests/site.pp
if [ -e "$site" ] && [ "$(head -n 1 "$site")" != "${SITE_LINE}" ]; then refuse "$site" "it starts with $(head -n 1 "$site")"; fi
for folder; do
  mkdir -p "$modules/$folder"
  marker=$modules/\${folder%%/*}/${MARKER}
  holds "$mark" "$marker" || printf '%s\\n' "$mark" >>"$marker"
done
`;

/** Prints, of the modules with the stack's mark, `module NAME`, `user MARK` and `file DIGEST PATH`; the site's manifest likewise. */
export const LIST = `${LOCKED}
for folder in "$modules"/*; do
  ours "$folder" && holds "$mark" "$folder/${MARKER}" || continue
  echo "module \${folder##*/}"
  sed 's/^/user /' "$folder/${MARKER}"
  (cd "$modules" && find "\${folder##*/}" -type f ! -path "*/${MARKER}" -exec sha256sum {} +) | sed 's#^\\([0-9a-f]*\\)  #file \\1 modules/#'
done
if [ -e "$manifests/site.pp" ]; then echo "file $(sha256sum <"$manifests/site.pp" | cut -d' ' -f1) manifests/site.pp"; fi
`;

/** Removes the given files of modules that are ours, and the folders that this leaves empty. */
export const REMOVE_FILES = `${LOCKED}
for path; do
  ours "$modules/\${path%%/*}" || continue
  rm -f "$modules/$path"
  (cd "$modules" && folder=\${path%/*} && while [ "$folder" != "\${folder%/*}" ] && rmdir "$folder" 2>/dev/null; do folder=\${folder%/*}; done)
done
`;

/**
 * Takes the stack's mark off every module but the given ones, and prints `kept MARK` for each that still uses one of them; what nobody uses
 * any more is removed, the site's manifest with the last.
 */
export const RELEASE = `${LOCKED}
left=
for folder in "$modules"/*; do
  ours "$folder" || continue
  keep=
  for name; do [ "$name" != "\${folder##*/}" ] || keep=yes; done
  if [ -z "$keep" ] && holds "$mark" "$folder/${MARKER}"; then
    grep -vxF "$mark" "$folder/${MARKER}" >"$folder/${MARKER}.new" || true
    mv "$folder/${MARKER}.new" "$folder/${MARKER}"
    [ -s "$folder/${MARKER}" ] || { rm -rf "$folder"; continue; }
    sed 's/^/kept /' "$folder/${MARKER}"
  fi
  left=yes
done
site=$manifests/site.pp
if [ -z "$left" ] && [ -e "$site" ] && [ "$(head -n 1 "$site")" = "${SITE_LINE}" ]; then rm "$site"; fi
`;

/** Prints `NAME TAB MARK` for every mark of the given modules. */
export const USERS = `${LOCKED}
for name; do
  ours "$modules/$name" || continue
  while IFS= read -r user; do printf '%s\\t%s\\n' "$name" "$user"; done <"$modules/$name/${MARKER}"
done
`;

/** Arguments: module, expected mark. Ours comes instead of that. */
export const TAKE = `${LOCKED}
marker=$modules/$1/${MARKER}
holds "$2" "$marker" || holds "$mark" "$marker" || { echo "expected $2 as a holder of $modules/$1, seen $(cat "$marker" 2>&1)" >&2; exit ${FOREIGN}; }
{ grep -vxF -e "$2" -e "$mark" "$marker" || true; printf '%s\\n' "$mark"; } >"$marker.new"
mv "$marker.new" "$marker"
`;

/** Prints `NAME TAB MARK` for every mark of every module. Makes nothing where there are none. */
export const MARKED = `
for marker in "$1"/*/${MARKER}; do
  [ -f "$marker" ] && [ ! -L "\${marker%/*}" ] || continue
  name=\${marker%/*}
  while IFS= read -r user; do printf '%s\\t%s\\n' "\${name##*/}" "$user"; done <"$marker"
done
`;
