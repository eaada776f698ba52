-- Live sessions that were moved: from where, how often, and what is booked of the placement that each left last. And how often a
-- session was lost with its worker.

ALTER TABLE sessions ADD COLUMN moved_worker UUID;
ALTER TABLE sessions ADD COLUMN moved_slot SMALLINT;
ALTER TABLE sessions ADD COLUMN moved_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN moved_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN moves BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN losses BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET losses = fence - 1 WHERE ended IS NULL;
-- Delivered in earlier placements.
ALTER TABLE sessions ADD COLUMN before_ms BIGINT NOT NULL DEFAULT 0;
UPDATE sessions AS s SET before_ms = (SELECT COALESCE(sum(u.delivered_ms), 0) FROM usage AS u
    WHERE u.session = s.id AND u.fence < s.fence) WHERE s.ended IS NULL AND s.fence > 1;

-- As it is in 0004, with moves. That one stays under another name, for the way back.
ALTER FUNCTION ledger_write(json, uuid[]) RENAME TO ledger_write_0004;
CREATE FUNCTION ledger_write(batch json, named uuid[])
RETURNS TABLE (n integer, outcome smallint, record sessions)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    w       record;
    was     sessions;     -- the session as it is before the write, locked
    used    idempotency;
    up      bigint;
    busy    bigint;
    is_new  boolean;
    fits    boolean;
    books   boolean;
    booked  usage[] := '{}';  -- what is new, in the batch's order
    callers uuid[]  := '{}';  -- whose each of `booked` is
BEGIN
    FOR w IN
        SELECT m.* FROM json_to_recordset(batch) AS m(n integer, what text, worker uuid, name text, engine text,
            instance_type text, slots bigint, up_ms bigint, busy_ms bigint, hour bigint)
        WHERE m.what = 'machine' ORDER BY m.worker, m.n
    LOOP
        -- What a worker is it measured at boot and never again.
        INSERT INTO workers (id, name, engine, instance_type, slots, up_ms, busy_ms)
            VALUES (w.worker, w.name, w.engine, w.instance_type, w.slots, 0, 0) ON CONFLICT (id) DO NOTHING;
        is_new := FOUND;
        SELECT m.up_ms, m.busy_ms INTO up, busy FROM workers AS m WHERE m.id = w.worker FOR NO KEY UPDATE;
        up := GREATEST(w.up_ms - up, 0);
        busy := GREATEST(w.busy_ms - busy, 0);
        IF up > 0 OR busy > 0 THEN
            UPDATE workers AS m SET up_ms = m.up_ms + up, busy_ms = m.busy_ms + busy WHERE m.id = w.worker;
            -- What it was up when it was heard of for the first time it needed to start.
            INSERT INTO machine_hours AS h (worker, hour, up_ms, busy_ms, starting_ms)
                VALUES (w.worker, w.hour, up, busy, CASE WHEN is_new THEN up ELSE 0 END)
                ON CONFLICT (worker, hour)
                DO UPDATE SET up_ms = h.up_ms + excluded.up_ms, busy_ms = h.busy_ms + excluded.busy_ms,
                    starting_ms = h.starting_ms + excluded.starting_ms;
        END IF;
    END LOOP;

    PERFORM FROM sessions AS s WHERE s.id = ANY (named) ORDER BY s.id FOR NO KEY UPDATE;

    FOR w IN
        SELECT c.* FROM json_to_recordset(batch) AS c(n integer, what text, session uuid, fence bigint, worker uuid,
            slot smallint, phase smallint, done bigint, total bigint, delivered_ms bigint, sent_bytes bigint, at bigint, hour bigint,
            to_worker uuid, to_slot smallint, lost boolean,
            reason text, ending text,
            kind text, api_key uuid, avatar uuid, spec text, portrait text, speech text, metadata text,
            queue_timeout_ms bigint, max_duration_ms bigint, created bigint, caller uuid, token text, fingerprint text)
        WHERE c.what <> 'machine' ORDER BY c.n
    LOOP
        n := w.n;
        IF w.what = 'create' THEN
            IF w.token IS NOT NULL THEN
                used := NULL;
                LOOP
                    INSERT INTO idempotency (api_key, token, fingerprint, session, created)
                        VALUES (w.caller, w.token, w.fingerprint, w.session, w.created)
                        ON CONFLICT (api_key, token) DO NOTHING;
                    EXIT WHEN FOUND;
                    SELECT i.* INTO used FROM idempotency AS i WHERE i.api_key = w.caller AND i.token = w.token;
                    EXIT WHEN FOUND;
                    -- It was let go of between the two.
                END LOOP;
                IF used.session IS NOT NULL THEN
                    outcome := CASE WHEN used.fingerprint = w.fingerprint THEN 2 ELSE 3 END;
                    SELECT s.* INTO record FROM sessions AS s WHERE s.id = used.session;
                    RETURN NEXT;
                    CONTINUE;
                END IF;
            END IF;
            INSERT INTO sessions (id, kind, api_key, avatar, spec, portrait, speech, metadata, queue_timeout_ms,
                    max_duration_ms, fence, phase, frames_done, frames_total, booked_ms, created, updated)
                VALUES (w.session, w.kind, w.api_key, w.avatar, w.spec, w.portrait, w.speech, w.metadata,
                    w.queue_timeout_ms, w.max_duration_ms, w.fence, 0, 0, 0, 0, w.created, w.at)
                ON CONFLICT (id) DO NOTHING;
            IF NOT FOUND THEN
                DELETE FROM idempotency AS i WHERE i.api_key = w.caller AND i.token = w.token;
                outcome := 1;
                SELECT s.* INTO record FROM sessions AS s WHERE s.id = w.session;
                RETURN NEXT;
            END IF;
            CONTINUE;
        END IF;

        SELECT s.* INTO was FROM sessions AS s WHERE s.id = w.session FOR NO KEY UPDATE;
        fits := FOUND AND was.fence = w.fence + CASE w.what WHEN 'handed_over' THEN 1 ELSE 0 END AND CASE w.what
            WHEN 'assign' THEN was.phase = 0
            WHEN 'requeue' THEN was.phase < 5 AND (was.phase = 0 OR (was.worker = w.worker AND was.slot = w.slot))
            WHEN 'move' THEN was.phase = 3 AND was.worker = w.worker AND was.slot = w.slot
            -- What it left there is told after it has moved.
            WHEN 'handed_over' THEN was.moved_worker = w.worker
            -- It never ends a session: that takes a reason.
            WHEN 'advance' THEN 0 < was.phase AND was.phase <= w.phase AND w.phase < 5
            WHEN 'end' THEN was.phase < 5
            -- What was sent last is told after the end.
            WHEN 'egress' THEN was.worker = w.worker
        END;
        fits := COALESCE(fits, FALSE);
        books := fits AND w.what <> 'handed_over' AND w.delivered_ms > was.booked_ms;
        IF fits THEN
            CASE w.what
                WHEN 'assign' THEN
                    UPDATE sessions AS s SET phase = 1, worker = w.worker, slot = w.slot, updated = w.at
                        WHERE s.id = w.session;
                WHEN 'requeue' THEN
                    UPDATE sessions AS s SET phase = 0, fence = s.fence + 1, worker = NULL, slot = NULL, frames_done = 0,
                        frames_total = 0, before_ms = s.before_ms + s.booked_ms, booked_ms = 0, booked_bytes = 0, moved_worker = NULL, moved_slot = NULL,
                        losses = s.losses + w.lost::int, updated = w.at
                        WHERE s.id = w.session;
                WHEN 'move' THEN
                    UPDATE sessions AS s SET fence = s.fence + 1, worker = w.to_worker, slot = w.to_slot, moved_worker = s.worker,
                        moved_slot = s.slot, moved_ms = s.booked_ms, moved_bytes = s.booked_bytes, moves = s.moves + 1,
                        before_ms = s.before_ms + s.booked_ms,
                        frames_done = 0, frames_total = 0, booked_ms = 0, booked_bytes = 0, updated = w.at
                        WHERE s.id = w.session;
                WHEN 'handed_over' THEN
                    IF w.delivered_ms > was.moved_ms OR w.sent_bytes > was.moved_bytes THEN
                        UPDATE sessions AS s SET moved_ms = GREATEST(s.moved_ms, w.delivered_ms),
                            before_ms = s.before_ms + GREATEST(w.delivered_ms - s.moved_ms, 0),
                            moved_bytes = GREATEST(s.moved_bytes, w.sent_bytes) WHERE s.id = w.session;
                        booked := booked || ROW(w.session, w.fence, w.hour, w.worker, GREATEST(w.delivered_ms - was.moved_ms, 0),
                            GREATEST(w.sent_bytes - was.moved_bytes, 0))::usage;
                        callers := callers || was.api_key;
                    END IF;
                WHEN 'advance' THEN
                    UPDATE sessions AS s SET updated = CASE WHEN s.phase < w.phase THEN w.at ELSE s.updated END,
                        phase = w.phase, frames_done = GREATEST(s.frames_done, w.done),
                        frames_total = GREATEST(s.frames_total, w.total),
                        booked_ms = GREATEST(s.booked_ms, w.delivered_ms) WHERE s.id = w.session;
                WHEN 'end' THEN
                    UPDATE sessions AS s SET phase = 5, end_reason = w.reason, ending = w.ending, updated = w.at, ended = w.at,
                        frames_done = GREATEST(s.frames_done, w.done), frames_total = GREATEST(s.frames_total, w.total),
                        booked_ms = GREATEST(s.booked_ms, w.delivered_ms) WHERE s.id = w.session;
                WHEN 'egress' THEN
                    IF w.sent_bytes > was.booked_bytes THEN
                        UPDATE sessions AS s SET booked_bytes = w.sent_bytes WHERE s.id = w.session;
                        booked := booked || ROW(w.session, w.fence, w.hour, w.worker, 0, w.sent_bytes - was.booked_bytes)::usage;
                        callers := callers || was.api_key;
                    END IF;
            END CASE;
        ELSE
            outcome := 1;
            record := was;
            RETURN NEXT;
            -- What its worker delivered, when it says so after the session was ended by order.
            books := w.what IN ('end', 'advance') AND was.fence = w.fence AND was.phase = 5 AND was.worker = w.worker
                AND was.end_reason IN ('cancelled', 'max_duration') AND w.delivered_ms > was.booked_ms;
            IF books THEN
                UPDATE sessions AS s SET booked_ms = w.delivered_ms WHERE s.id = w.session;
            END IF;
        END IF;
        IF books THEN
            booked := booked || ROW(w.session, w.fence, w.hour, w.worker, w.delivered_ms - was.booked_ms, 0)::usage;
            callers := callers || was.api_key;
        END IF;
    END LOOP;

    INSERT INTO usage AS u (session, fence, hour, worker, delivered_ms, sent_bytes)
        SELECT b.session, b.fence, b.hour, b.worker, sum(b.delivered_ms), sum(b.sent_bytes)
        FROM unnest(booked) AS b GROUP BY 1, 2, 3, 4
        ON CONFLICT (session, fence, hour, worker)
        DO UPDATE SET delivered_ms = u.delivered_ms + excluded.delivered_ms, sent_bytes = u.sent_bytes + excluded.sent_bytes;
    INSERT INTO delivered AS d (api_key, hour, delivered_ms)
        SELECT b.api_key, b.hour, sum(b.delivered_ms)
        FROM unnest(booked, callers) AS b(session, fence, hour, worker, delivered_ms, sent_bytes, api_key)
        WHERE b.delivered_ms > 0 GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (api_key, hour) DO UPDATE SET delivered_ms = d.delivered_ms + excluded.delivered_ms;
END
$$;
