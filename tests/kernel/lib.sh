# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the kernel tests share: running a TAP program in a VM and judging how it ended.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
FAILED=0
# Seconds for one VM: boot, a sensor's start and a few slow programs.
VM_SECONDS=400
# Emulation makes a second long; what the limits are about is measured on the host.
# Code runs some twenty times slower there; a stop waits for timers more than it computes.
export LATENCY_SECONDS=3 READY_SECONDS=120 START_SECONDS=40 END_SECONDS=6

# in_vm NAME [OPTION...] KERNEL CMD...: the program's points, with NAME in front
in_vm() {
	local name=$1 status=0
	shift
	tests/kernel/run-kernel.sh -t "$VM_SECONDS" "$@" |
		sed -u -E "s/\r$//; s/^(not )?ok /\1ok $name: /" || status=$?
	# shellcheck disable=SC2034 # for the tests
	[ "$status" = 0 ] || FAILED=1
	# 1 means points that failed, and those have been printed.
	[ "$status" -le 1 ] || echo "not ok $name: the program ends in the VM (status $status)"
}
