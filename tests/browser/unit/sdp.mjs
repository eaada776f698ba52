/** An offer and an answer, shortened. */

const lines = (/** @type {string[]} */ ...all) => `${all.join("\r\n")}\r\n`;

export const OFFER = lines(
  "v=0",
  "o=- 1 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0 1",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "c=IN IP4 0.0.0.0",
  "a=ice-ufrag:EsAw",
  "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
  "a=mid:0",
  "a=recvonly",
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "c=IN IP4 0.0.0.0",
  "a=ice-ufrag:EsAw",
  "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
  "a=mid:1",
  "a=recvonly",
);

export const ANSWER = lines(
  "v=0",
  "o=- 3 4 IN IP4 0.0.0.0",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0 1",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=ice-ufrag:srv1",
  "a=ice-pwd:serverpassword",
  "a=candidate:1 1 udp 2130706431 203.0.113.7 40000 typ host",
  "a=end-of-candidates",
  "a=mid:0",
  "a=sendonly",
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "a=ice-ufrag:srv1",
  "a=ice-pwd:serverpassword",
  "a=candidate:1 1 udp 2130706431 203.0.113.7 40000 typ host",
  "a=mid:1",
  "a=sendonly",
);
