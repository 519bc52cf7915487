#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run-kernel.sh - boot a stock Debian kernel in QEMU (no KVM needed) with this machine's own file tree
# as its root and run one command there as root. Kernels for arm64 need a root of that architecture.
#
#   run-kernel.sh [OPTION...] KERNEL CMD [ARG...]    run CMD in KERNEL
#   run-kernel.sh -p KERNEL                          only download and unpack KERNEL
#   run-kernel.sh -l                                 list what KERNEL may be
#
# The root is shared read-only; what the guest writes goes to a tmpfs overlay and is lost. The working
# directory and PATH are the caller's. What CMD prints, on both streams, is printed here.
#
#   -m MIB    guest memory (1024)
#   -c N      guest CPUs (2)
#   -t SEC    limit for the whole run (120)
#   -a ARGS   more words for the kernel command line
#   -S        systemd as PID 1, with basic.target and dbus, and CMD as a service below it
#   -r DIR    the root, instead of this machine's; the working directory is shared into it
#   -k FILE   keep the kernel's console log in FILE
#   -v        print timings to stderr
#
# Exit: CMD's status; 124 no end within the limit; 125 the VM died without a status (the end of its
# console on stderr); 126 usage or set-up.
# Needs: qemu-system-x86 with virtiofsd, busybox-static, kmod, xz-utils, apt.
set -euo pipefail

# Name -> suite and package. The newest version of a suite's meta package is taken, because the archive
# deletes superseded versions: a pinned file name is gone some weeks later. The cloud flavour is a
# third of the download, boots faster and has the same BPF configuration. A regular expression stands for an
# older kernel of a backports suite, as long as its index has one.
declare -A TABLE=(
	[5.10-cloud]="bullseye linux-image-cloud-amd64"
	[6.1-cloud]="bookworm linux-image-cloud-amd64"
	[6.12-cloud]="trixie linux-image-cloud-amd64"
	[6.18-cloud]="trixie-backports linux-image-6[.]18[.][0-9]+[+]deb13-cloud-amd64"
	[bpo-cloud]="trixie-backports linux-image-cloud-amd64"
	[sid-cloud]="sid linux-image-cloud-amd64"
	[5.10-arm64]="bullseye linux-image-cloud-arm64"
	[6.1-arm64]="bookworm linux-image-cloud-arm64"
	[6.12-arm64]="trixie linux-image-cloud-arm64"
)

die() {
	echo "run-kernel: $*" >&2
	exit 126
}

START=${EPOCHREALTIME/./}
say() {
	local ms=$(((${EPOCHREALTIME/./} - START) / 1000))
	[ "$VERBOSE" = 0 ] || printf 'run-kernel: %d.%03d s %s\n' $((ms / 1000)) $((ms % 1000)) "$*" >&2
}

# ---- getting a kernel ----

source "$(dirname "$0")/archive.sh"

# download SUITE PACKAGE DIR: the debs of the kernel that the meta package names
download() {
	local suite=$1 package=$2 dir=$3 image version part debs
	update_index "$suite" || return
	if [[ $package == *[\[]* ]]; then
		image=$(apt_private "$suite" apt-cache pkgnames linux-image- | grep -xE "$package" | sort -V | tail -1)
	else
		image=$(apt_private "$suite" apt-cache depends "$package" |
			awk '/Depends: linux-image-/ && !n++ {print $2}')
	fi
	[ -n "$image" ] || return
	version=${image#linux-image-}
	debs=("$image")
	# From 6.19 on linux-image-* is empty and needs three others.
	if [[ $(apt_private "$suite" apt-cache depends "$image") == *"Depends: linux-binary-"* ]]; then
		debs=()
		for part in binary modules base; do
			debs+=("linux-$part-$version")
		done
	fi
	(cd "$dir" && rm -f ./*.deb && apt_private "$suite" apt-get download "${debs[@]}" >&2) || return
	find "$dir" -name '*.deb' | sort >"$dir/list"
}

# resolve NAME: downloads when needed, prints the debs' paths
resolve() {
	local suite package dir=$CACHE/debs/$1
	read -r suite package <<<"${TABLE[$1]}"
	mkdir -p "$dir"
	# The security archive of an old suite may have lost what its index lists: then the suite proper.
	[ -s "$dir/list" ] || download "$suite" "$package" "$dir" ||
		download "$suite+main" "$package" "$dir" || die "no kernel for $1 ($package in $suite)"
	cat "$dir/list"
}

# unpack NAME DEB...: prints the directory with vmlinuz, version and tree/lib/modules
unpack() {
	local dir=$CACHE/kernels/$1 deb option exclude=()
	shift
	if [ ! -e "$dir/ready" ]; then
		rm -rf "$dir"
		mkdir -p "$dir/tree"
		# Big trees of drivers that no test needs.
		for option in gpu media infiniband staging scsi usb iio hwmon net/ethernet net/wireless input; do
			exclude+=("--exclude=*/kernel/drivers/$option")
		done
		for deb in "$@"; do
			dpkg-deb --fsys-tarfile "$deb" | tar -C "$dir/tree" -x "${exclude[@]}" \
				--exclude='*/kernel/sound' --exclude='*/usr/share' --exclude='*/System.map*'
		done
		[ -d "$dir/tree/lib" ] || ln -s usr/lib "$dir/tree/lib"
		find "$dir/tree" -name 'vmlinuz*' -type f -exec cp '{}' "$dir/vmlinuz" ';'
		[ -e "$dir/vmlinuz" ] || die "no vmlinuz in $*"
		find "$dir/tree/lib/modules/" -mindepth 1 -maxdepth 1 -printf '%f\n' >"$dir/version"
		depmod -b "$dir/tree" "$(cat "$dir/version")" 2>/dev/null || die "depmod failed"
		touch "$dir/ready"
	fi
	echo "$dir"
}

# base_initrd DIR: busybox and the modules that mounting the root needs; kept beside the kernel
base_initrd() {
	local dir=$1 out=$1/initrd.cpio work module file n=0
	if [ ! -s "$out" ]; then
		work=$(mktemp -d "$dir/initrd.XXXXXX")
		mkdir -p "$work"/{bin,mod,proc,sys,dev,h,t,n}
		cp "$ROOT/bin/busybox" "$work/bin/busybox"
		for module in virtio_pci virtiofs overlay; do
			modprobe -d "$dir/tree" -S "$(cat "$dir/version")" --show-depends "$module" 2>/dev/null |
				awk '$1 == "insmod" {print $2}' || true
		done | awk '!seen[$0]++' >"$work/list"
		while read -r file; do
			n=$((n + 1))
			case $file in
			*.xz) xz -dc "$file" ;;
			*.zst) zstd -dcq "$file" ;;
			*) cat "$file" ;;
			esac >"$work/mod/$(printf %03d $n)-$(basename "${file%.ko*}").ko"
		done <"$work/list"
		rm "$work/list"
		(cd "$work" && find . | "$BUSYBOX" cpio -o -H newc 2>/dev/null) >"$out.new"
		mv "$out.new" "$out"
		rm -rf "$work"
	fi
	echo "$out"
}

# ---- the part of the initramfs that differs each run: /init, /init2 and the command ----

write_command() {
	local quoted
	echo "cd $(printf %q "$PWD") 2>/dev/null || cd /"
	echo "export PATH=$(printf %q "$PATH") HOME=/root TERM=dumb LANG=C.UTF-8"
	# What tests are told by.
	for quoted in LATENCY_SECONDS READY_SECONDS START_SECONDS END_SECONDS GNOMON; do
		[ -z "${!quoted:-}" ] || echo "export $quoted=$(printf %q "${!quoted}")"
	done
	printf 'exec'
	printf ' %q' "$@"
	echo
}

write_init() {
	echo "#!/bin/busybox sh"
	echo "DIRECTORY=$(printf %q "$PWD")"
	cat <<'INIT'
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
fail() { echo "run-kernel init: $*" >/dev/console; echo "EXIT=125" >/dev/ttyS2; $b poweroff -f; }
for m in /mod/*.ko; do [ ! -e "$m" ] || $b insmod $m || echo "insmod $m failed"; done
$b mount -t virtiofs -o ro root /h || fail mount root
$b mount -t tmpfs -o mode=755 tmp /t; $b mkdir /t/u /t/w
$b mount -t overlay -o lowerdir=/h,upperdir=/t/u,workdir=/t/w ov /n || fail mount overlay
$b mount -t proc proc /n/proc; $b mount -t sysfs sys /n/sys; $b mount -t devtmpfs dev /n/dev
$b ln -s /proc/self/fd /n/dev/fd
$b mkdir -p /n/dev/pts /n/dev/shm; $b mount -t devpts pts /n/dev/pts; $b mount -t tmpfs shm /n/dev/shm
$b mount -t tmpfs -o mode=755 run /n/run; $b mkdir -p /n/run/lock /n/run/vm
$b mount -t bpf bpf /n/sys/fs/bpf; $b mount -t cgroup2 cg /n/sys/fs/cgroup
$b mount -t tracefs t /n/sys/kernel/tracing; $b mount -t debugfs d /n/sys/kernel/debug
$b mount -t securityfs s /n/sys/kernel/security
$b mkdir -p /n/lib/modules /n/root
$b mount -t virtiofs -o ro mods /n/lib/modules || fail mount modules
$b mkdir -p "/n$DIRECTORY"
$b mount -t virtiofs -o ro directory "/n$DIRECTORY" 2>/dev/null
$b hostname vm; $b ip link set lo up; ulimit -l unlimited
$b stty -F /dev/ttyS1 raw -echo
$b cp $b /command /init2 /n/run/vm/
# PID 1 itself changes root: kernel threads share its root, so that request_module() finds modprobe.
$b umount /proc /sys; exec $b switch_root /n /run/vm/busybox sh /run/vm/init2
INIT
}

# write_init2: in the new root: the command at once, or below systemd
write_init2() {
	echo "SYSTEMD=$SYSTEMD"
	cat <<'INIT'
b=/run/vm/busybox
$b cat > /run/vm/go <<'GO'
b=/run/vm/busybox
echo "BOOT=$($b cut -d' ' -f1 /proc/uptime)" >/dev/ttyS2
$b setsid /bin/bash /run/vm/command </dev/null >/dev/ttyS1 2>&1
status=$?
$b stty -F /dev/ttyS1 raw >/dev/null 2>&1     # waits until the output has drained
echo "EXIT=$status" >/dev/ttyS2; $b sync; $b poweroff -f
GO
[ $SYSTEMD = 1 ] || { $b sh /run/vm/go; exit; }
$b mkdir -p /run/systemd/system /run/tmpfiles.d
$b ln -s /dev/null /run/tmpfiles.d/tmp.conf   # it would walk and clean the shared /tmp
for u in apt-daily apt-daily-upgrade man-db logrotate dpkg-db-backup e2scrub_all fstrim; do
	$b ln -s /dev/null /run/systemd/system/$u.timer; done
$b cat > /run/systemd/system/vm.service <<'U'
[Unit]
After=basic.target
[Service]
Type=exec
ExecStart=/run/vm/busybox sh /run/vm/go
U
$b cat > /run/systemd/system/vm.target <<'U'
[Unit]
Requires=basic.target
Wants=vm.service dbus.socket
AllowIsolate=yes
U
exec /lib/systemd/systemd --unit=vm.target
INIT
}

# write_initrd KERNEL-DIR CMD...: the whole initramfs as $WORK/initrd
write_initrd() {
	local dir=$1
	shift
	mkdir "$WORK/initrd.d"
	write_command "$@" >"$WORK/initrd.d/command"
	write_init >"$WORK/initrd.d/init"
	write_init2 >"$WORK/initrd.d/init2"
	chmod +x "$WORK/initrd.d/init"
	{
		cat "$(base_initrd "$dir")"
		(cd "$WORK/initrd.d" && printf 'init\ninit2\ncommand\n' | "$BUSYBOX" cpio -o -H newc 2>/dev/null)
	} >"$WORK/initrd"
}

# ---- the machine ----

# share TAG DIR: a file server for the guest, in a mount namespace of its own where DIR is a read-only
# bind mount: the guest cannot write the host's files. Adds the device to MACHINE.
share() {
	local tag=$1 socket=$WORK/$1.sock place=$WORK/$1.mount
	mkdir "$place"
	# shellcheck disable=SC2016 # expanded by that shell
	unshare -m --propagation private sh -c '
		place=$1 from=$2
		shift 2
		mount --rbind "$from" "$place" && mount -o remount,bind,ro "$place" && exec "$@"' \
		share "$place" "$2" "$VIRTIOFSD" --socket-path="$socket" -o source="$place" -o cache=always \
		-o sandbox=chroot --rlimit-nofile=500000 >"$WORK/$tag.log" 2>&1 &
	STARTED+=($!)
	for _ in $(seq 100); do
		[ ! -S "$socket" ] || break
		sleep 0.05
	done
	MACHINE+=(-chardev "socket,id=$tag,path=$socket" -device "vhost-user-fs-pci,chardev=$tag,tag=$tag")
}

# boot KERNEL-DIR: runs the machine to its end; $WORK/exit has what the guest reported
boot() {
	local dir=$1 qemu tail console status=0
	case $ARCH in
	arm64)
		# The first serial port is a PL011 and the others are numbered on their own: one too many, for the same names.
		MACHINE=(qemu-system-aarch64 -M "virt,gic-version=3" -cpu "max,pauth-impdef=on,sve=off"
			-serial "file:$WORK/console" -device pci-serial
			-chardev "file,id=out,path=$WORK/out" -device "pci-serial,chardev=out"
			-chardev "file,id=exit,path=$WORK/exit" -device "pci-serial,chardev=exit")
		console=ttyAMA0
		;;
	*)
		MACHINE=(qemu-system-x86_64 -M q35 -cpu max
			-serial "file:$WORK/console" -serial "file:$WORK/out" -serial "file:$WORK/exit")
		console=ttyS0
		;;
	esac
	MACHINE+=(-accel "tcg,thread=multi"
		-m "$MEMORY" -smp "$CPUS" -nodefaults -display none -no-reboot -device virtio-rng-pci
		-kernel "$dir/vmlinuz" -initrd "$WORK/initrd"
		-append "console=$console panic=-1 oops=panic mitigations=off quiet audit=0 random.trust_cpu=on $ARGS"
		-object "memory-backend-memfd,id=mem,size=${MEMORY}M,share=on" -numa "node,memdev=mem")
	share root "$ROOT"
	[ "$ROOT" = / ] || share directory "$PWD"
	share mods "$dir/tree/lib/modules"
	: >"$WORK/out"
	say "booting"
	timeout -k 5 "$LIMIT" "${MACHINE[@]}" </dev/null >"$WORK/qemu.log" 2>&1 &
	qemu=$!
	STARTED+=("$qemu")
	# The command's output as it comes.
	tail -c +1 -s 0.1 -f --pid="$qemu" "$WORK/out" 2>/dev/null &
	tail=$!
	wait "$qemu" || status=$?
	wait "$tail" 2>/dev/null || true
	say "ended; the guest reached its command $(sed -n 's/BOOT=//p' "$WORK/exit" | tr -d '\r') s after its start"
	return "$status"
}

# Also on SIGTERM: no machine and no file server is left behind.
cleanup() {
	local pid
	for pid in ${STARTED[@]+"${STARTED[@]}"}; do
		kill "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	rm -rf "$WORK"
}

ARCH=amd64 ROOT=/ MEMORY=1024 CPUS=2 LIMIT=120 ARGS='' CONSOLE_LOG='' PREPARE=0 SYSTEMD=0 VERBOSE=0 STARTED=()
while getopts m:c:t:a:k:r:Svpl option; do
	case $option in
	m) MEMORY=$OPTARG ;;
	c) CPUS=$OPTARG ;;
	t) LIMIT=$OPTARG ;;
	a) ARGS=$OPTARG ;;
	r) ROOT=$(realpath "$OPTARG") ;;
	k) CONSOLE_LOG=$OPTARG ;;
	S) SYSTEMD=1 ;;
	v) VERBOSE=1 ;;
	p) PREPARE=1 ;;
	l)
		printf '%s\n' "${!TABLE[@]}" | sort -V
		exit
		;;
	*) exit 126 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || die "usage: run-kernel.sh [OPTION...] KERNEL CMD..."
KERNEL=$1
shift
[ -n "${TABLE[$KERNEL]:-}" ] || die "no such kernel: $KERNEL (run-kernel.sh -l)"

case $KERNEL in
*-arm64) ARCH=arm64 ;;
esac
BUSYBOX=/bin/busybox
for place in "$BUSYBOX" "$ROOT/bin/busybox"; do
	[ -x "$place" ] || die "no $place (package busybox-static)"
done
VIRTIOFSD=$(find /usr/lib/qemu /usr/libexec -maxdepth 1 -name virtiofsd 2>/dev/null | head -1)
[ -n "$VIRTIOFSD" ] || die "no virtiofsd (package qemu-system-common)"

# One at a time downloads, unpacks and writes the cache.
mkdir -p "$CACHE"
exec 9>"$CACHE/lock"
flock 9
mapfile -t DEBS < <(resolve "$KERNEL")
[ "${#DEBS[@]}" -gt 0 ] || exit 126
DIR=$(unpack "$KERNEL" "${DEBS[@]}")
say "unpacked $(cat "$DIR/version")"
if [ "$PREPARE" = 1 ]; then
	echo "$DIR"
	exit 0
fi
[ $# -ge 1 ] || die "no command"

WORK=$(mktemp -d "${TMPDIR:-/tmp}/run-kernel.XXXXXX")
trap cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
write_initrd "$DIR" "$@"
exec 9>&-
status=0
boot "$DIR" || status=$?
[ -z "$CONSOLE_LOG" ] || cp "$WORK/console" "$CONSOLE_LOG"
told=$(sed -n 's/^EXIT=\([0-9]*\).*/\1/p' "$WORK/exit" 2>/dev/null | tail -1)
[ -z "$told" ] || exit "$told"
tail -25 "$WORK/console" >&2
cat "$WORK/qemu.log" >&2
if [ "$status" = 124 ]; then
	echo "run-kernel: no end within $LIMIT s" >&2
	exit 124
fi
echo "run-kernel: the VM ended without a status" >&2
exit 125
