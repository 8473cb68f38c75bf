/* SPDX-License-Identifier: MIT */
#include "io/tcp_figures.h"

#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>
#include <linux/tcp.h> /* glibc's own tcp_info ends before what is wanted */
#include <netinet/in.h>

bool sm_tcp_figures_read(struct sm_tcp_figures *out, int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    int queued = 0;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_delivery_rate) + sizeof(info.tcpi_delivery_rate) ||
        ioctl(fd, SIOCOUTQ, &queued) != 0 || queued < 0)
        return false;
    /* The shortest round trip begins as all ones. */
    bool has_rtt = info.tcpi_rtt > 0 && info.tcpi_min_rtt > 0 && info.tcpi_min_rtt != UINT32_MAX;
    *out = (struct sm_tcp_figures){
        .rtt_us = info.tcpi_rtt,
        .min_rtt_us = has_rtt ? info.tcpi_min_rtt : 0,
        .bytes_per_second = info.tcpi_delivery_rate,
        .queued_bytes = (uint64_t)queued,
    };
    return true;
}
