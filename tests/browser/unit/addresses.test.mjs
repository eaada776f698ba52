import assert from "node:assert/strict";
import test from "node:test";
import { linkOf, viewOf } from "../../../coordinator/src/web/actions/page.js";
import { readAnswer } from "../../../coordinator/src/web/core/addresses.js";

test("addresses of an answer are whole, below whatever prefix it was asked", () => {
  const asked = "https://farm.example/avatar/v1/sessions/ses_1/events";
  const told = readAnswer('{"result":{"url":"../../renders/ses_1/result","bytes":1},"live":{"whep_url":"whep"}}', asked);
  assert.deepEqual(told, {
    result: { url: "https://farm.example/avatar/v1/renders/ses_1/result", bytes: 1 },
    live: { whep_url: "https://farm.example/avatar/v1/sessions/ses_1/whep" },
  });
  assert.deepEqual(readAnswer('{"preview":null,"id":"a"}', asked), { preview: null, id: "a" });
  // Words of one's own are left as they are when they lead nowhere.
  assert.deepEqual(readAnswer('{"metadata":{"url":"http://["}}', asked), { metadata: { url: "http://[" } });
  assert.deepEqual(readAnswer('{"url":"a"}', ""), { url: "a" });
});

test("a link is known by its fragment, and nothing else is one", () => {
  assert.equal(linkOf("#open=ab-_9"), "ab-_9");
  for (const other of ["", "#open=", "#video", "#open=a b", "#open=a&b", `#open=${"a".repeat(201)}`]) {
    assert.equal(linkOf(other), null, other);
  }
});

test("views are told by the last part of the path", () => {
  for (const [path, view] of [
    ["/", "studio"],
    ["/farm", "farm"],
    ["/avatar/", "studio"],
    ["/avatar/cost", "cost"],
    ["/farm/", "studio"],
  ]) {
    assert.equal(viewOf(path ?? ""), view, path);
  }
});
