"""Measures what arrives: packets or frames a second, and whether picture and sound keep together."""

import statistics

from aiortc.rtp import RtcpSrPacket


class Clock:
    """Notes when each packet of a receiver came, and the sender reports that tie its RTP time to the sender's clock."""

    def __init__(self, receiver, rate):
        self.rate, self.packets, self.report = rate, {}, None
        on_rtp, on_rtcp = receiver._handle_rtp_packet, receiver._handle_rtcp_packet

        async def rtp(packet, arrival_time_ms):
            self.packets[packet.timestamp] = arrival_time_ms / 1000  # a frame is here when its last packet is
            await on_rtp(packet, arrival_time_ms)

        async def rtcp(packet):
            if isinstance(packet, RtcpSrPacket):
                self.report = packet.sender_info.ntp_timestamp / 2**32, packet.sender_info.rtp_timestamp
            await on_rtcp(packet)

        receiver._handle_rtp_packet, receiver._handle_rtcp_packet = rtp, rtcp

    def delays(self):
        """By the moment that the sender declares: how long after it it came, s, the two clocks' difference included."""
        ntp, origin = self.report
        declared = {ntp + ((t - origin + 2**31) % 2**32 - 2**31) / self.rate: came for t, came in self.packets.items()}
        return {moment: came - moment for moment, came in sorted(declared.items())}


def summary(video, audio):
    """A sentence each: how many a second, and how long the picture comes after the sound of the same moment."""
    delays = {"video frames": video.delays(), "audio packets": audio.delays()}
    for what, seen in delays.items():
        yield f"{what}: {(len(seen) - 1) / (max(seen) - min(seen)):.2f} a second, {len(seen)} in all"
    seen = [list(of.values()) for of in delays.values()]
    parts = [[of[: len(of) // 3], of[-len(of) // 3 :]] for of in seen]
    skews = [statistics.median(v) - statistics.median(a) for v, a in [seen, *zip(*parts)]]
    all_of_it, first, last = (f"{1000 * skew:+.1f} ms" for skew in skews)
    yield f"picture after sound: {all_of_it} (first third {first}, last third {last})"
