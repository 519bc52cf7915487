/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Tells the service manager about this process: one datagram with lines such as "READY=1", to the
 * socket named by $NOTIFY_SOCKET (sd_notify(3), "Notes"). Paths and abstract names ('@'). 1: sent. 0: no
 * service manager asked. -EINVAL: the variable names no such socket. Other -errno from the socket. Never
 * blocks: a full socket is -EAGAIN.
 */
int sd_notify_send(const char *state);
