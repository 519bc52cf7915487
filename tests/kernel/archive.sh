# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Packages of any suite and architecture of the archive that this system is configured with, by an apt with a state
# of its own: the system's apt and dpkg are left alone.

# Unpacked kernels and apt's state: safe to delete.
CACHE=${GNOMON_KERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gnomon-kernels}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# Index files are asked for again after so many minutes.
INDEX_MINUTES=720

# archive REGEX: the archive that this system is configured with whose address matches
archive() {
	# shellcheck disable=SC2016 # apt's own syntax
	apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | sort -u | grep "$@" | head -1
}

# apt_private SUITE TOOL ARG...: for $ARCH
apt_private() {
	local suite=$1 tool=$2 base=$CACHE/apt/$1-$ARCH main security
	shift 2
	mkdir -p "$base/lists/partial" "$base/cache/archives/partial"
	touch "$base/status"
	main=$(archive -v security)
	security=$(archive security) || true
	echo "deb [signed-by=$KEYRING] ${main%/} ${suite%+main} main" >"$base/sources.list"
	case $suite in
	*-backports | sid | *+main) ;;
	*)
		[ -z "$security" ] ||
			echo "deb [signed-by=$KEYRING] ${security%/} $suite-security main" >>"$base/sources.list"
		;;
	esac
	"$tool" -q -o Dir::State="$base" -o Dir::State::Lists="$base/lists" \
		-o Dir::State::status="$base/status" -o Dir::Cache="$base/cache" \
		-o Dir::Etc::SourceList="$base/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o APT::Architecture="$ARCH" -o APT::Architectures="$ARCH" -o Acquire::Languages=none \
		-o APT::Sandbox::User=root -o Acquire::Retries=3 "$@"
}

# update_index SUITE
update_index() {
	local stamp=$CACHE/apt/$1-$ARCH/updated
	if [ -n "$(find "$stamp" -mmin "-$INDEX_MINUTES" 2>/dev/null)" ]; then
		return
	fi
	apt_private "$1" apt-get update >&2 && touch "$stamp"
}
