"""Pushes a WAV to a live face and saves what comes back: python push_wav.py KEY AVATAR speech.wav out.mp4 [SERVER]"""

import asyncio
import sys
import wave
from urllib.parse import urljoin

from aiohttp import ClientSession
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRecorder

from sync import Clock, summary


async def main(key, avatar, speech, output, server="http://127.0.0.1:8000"):
    sound = wave.open(speech)  # mono, 16 bits, 8 to 48 kHz
    async with ClientSession(headers={"authorization": f"Bearer {key}"}) as http:
        made = await http.post(f"{server.rstrip('/')}/v1/sessions", json={"kind": "live", "avatar_id": avatar})
        session = await made.json()
        assert made.status == 201, session
        # Addresses are relative to the one that was asked.
        whep, audio = (urljoin(str(made.url), session["live"][name]) for name in ("whep_url", "audio_url"))
        peer, recorder = RTCPeerConnection(), MediaRecorder(output)
        receivers = {kind: peer.addTransceiver(kind, "recvonly").receiver for kind in ("audio", "video")}
        clocks = Clock(receivers["video"], 90_000), Clock(receivers["audio"], 48_000)
        await peer.setLocalDescription(await peer.createOffer())
        offer = {"data": peer.localDescription.sdp, "headers": {"content-type": "application/sdp"}}
        while (answer := await http.post(whep, **offer)).status == 409:
            await asyncio.sleep(float(answer.headers["retry-after"]))  # it waits for a slot; without one it has ended
        assert answer.status == 201, await answer.text()
        await peer.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
        for receiver in receivers.values():
            recorder.addTrack(receiver.track)
        await recorder.start()
        while peer.connectionState != "connected":
            assert peer.connectionState != "failed", "no UDP path to the worker"
            await asyncio.sleep(0.02)
        async with http.ws_connect(f"{audio}?sample_rate={sound.getframerate()}") as voice:
            while piece := sound.readframes(sound.getframerate() // 5):
                await voice.send_bytes(piece)
                await asyncio.sleep(0.15)  # faster than it is said: it is buffered
            await voice.send_json({"type": "agent.speak_end"})
            async for message in voice:
                if message.json()["type"] in ("agent.speak_ended", "error"):
                    print(message.data)
                    break
        await recorder.stop()
        await peer.close()
        await http.delete(urljoin(str(made.url), made.headers["location"]))
    print(*summary(*clocks), sep="\n")


asyncio.run(main(*sys.argv[1:]))
