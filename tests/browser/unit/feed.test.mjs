import assert from "node:assert/strict";
import test from "node:test";
import { openFeed, parseData, waitBefore } from "../../../coordinator/src/web/core/feed.js";

test("only objects are taken from a stream", () => {
  assert.deepEqual(parseData('{"id":"ses_1"}'), { id: "ses_1" });
  for (const bad of ["", "{", "null", "[1]", "3", undefined, new ArrayBuffer(2)]) assert.equal(parseData(bad), null);
});

test("waits double and are bounded", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 50].map(waitBefore), [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test("a broken stream is opened anew, says so, and is silent once closed", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {Source[]} */
  const opened = [];
  class Source extends EventTarget {
    closed = false;
    /** @param {string} url */
    constructor(url) {
      super();
      this.url = url;
      opened.push(this);
    }
    close() {
      this.closed = true;
    }
    /** @param {string} name @param {string} data */
    say(name, data) {
      this.dispatchEvent(Object.assign(new Event(name), { data }));
    }
  }
  Reflect.set(globalThis, "EventSource", Source);
  t.after(() => Reflect.deleteProperty(globalThis, "EventSource"));

  /** @type {unknown[]} */
  const heard = [];
  const close = openFeed("/v1/events", { farm: (data) => heard.push(data) }, (link) => heard.push(link));
  opened[0]?.dispatchEvent(new Event("open"));
  opened[0]?.say("farm", '{"n":1}');
  opened[0]?.say("farm", "broken");
  opened[0]?.dispatchEvent(new Event("error"));
  assert.deepEqual(heard, ["connecting", "live", { n: 1 }, "lost"]);
  assert.equal(opened[0]?.closed, true);
  t.mock.timers.tick(499);
  assert.equal(opened.length, 1);
  t.mock.timers.tick(1);
  assert.equal(opened.length, 2);
  opened[1]?.dispatchEvent(new Event("error"));
  t.mock.timers.tick(999);
  assert.equal(opened.length, 2);
  t.mock.timers.tick(1);
  opened[2]?.dispatchEvent(new Event("open"));
  close();
  opened[2]?.dispatchEvent(new Event("error"));
  opened[2]?.say("farm", '{"n":2}');
  t.mock.timers.tick(60_000);
  assert.equal(opened.length, 3);
  assert.deepEqual(heard.slice(4), ["lost", "live"]);
});
