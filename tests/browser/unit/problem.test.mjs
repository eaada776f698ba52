import assert from "node:assert/strict";
import test from "node:test";
import { offline, readProblem, remedy } from "../../../coordinator/src/web/core/problem.js";

test("a problem document is read as it is", () => {
  const body = JSON.stringify({
    type: "/problems/over-quota",
    title: "Over the quota",
    status: 429,
    detail: "2 sessions are open, which is all this key may have",
    request_id: "abc",
    field: "speech",
    retry_after_s: 7,
  });
  const problem = readProblem(429, body, "from-header", null);
  assert.deepEqual(problem, {
    slug: "over-quota",
    title: "Over the quota",
    detail: "2 sessions are open, which is all this key may have",
    status: 429,
    request_id: "abc",
    field: "speech",
    retry_after_s: 7,
  });
  assert.equal(remedy(problem), "Try again in 7 s.");
});

test("an answer without a document still has a sentence, an id and the header's wait", () => {
  for (const body of ["", "<html>Bad gateway</html>", "null", "[]", '"text"']) {
    const problem = readProblem(503, body, "from-header", "12");
    assert.equal(problem.slug, "status-503");
    assert.match(problem.detail, /No capacity/);
    assert.equal(problem.request_id, "from-header");
    assert.equal(problem.retry_after_s, 12);
  }
  assert.equal(readProblem(418, "{}", null, "soon").retry_after_s, null);
});

test("silence carries the id that was sent, and a remedy", () => {
  const problem = offline("page-1");
  assert.equal(problem.request_id, "page-1");
  assert.match(remedy(problem) ?? "", /try again/);
});
