/**
 * The shapes that the HTTP contract gives, as the page uses them. Types only; nothing runs here.
 *
 * @typedef {object} Problem why a request failed (RFC 9457), or why no answer came
 * @property {string} slug last part of the problem's type; "offline" if no answer came
 * @property {string} title
 * @property {string} detail a sentence for the user
 * @property {number} status HTTP status; 0 if no answer came
 * @property {string|null} request_id what the server's log holds too
 * @property {string|null} field the input at fault
 * @property {number|null} retry_after_s
 *
 * @typedef {object} Avatar
 * @property {string} id
 * @property {string} name
 * @property {"preparing"|"ready"|"failed"} state
 * @property {string|null} detail
 * @property {string[]} warnings
 * @property {string|null} preview
 * @property {[number, number]|null} size
 * @property {string|null} framing which part is shown, how large, and why
 * @property {number|null} frames
 * @property {string} created
 * @property {string|null} expires_at kept until then if it is not used; null for ever
 *
 * @typedef {object} Retention how long things are kept after their last use, seconds; null for ever
 * @property {number|null} uploads_s
 * @property {number|null} results_s
 * @property {number|null} avatars_s
 *
 * @typedef {"requested"|"assigned"|"preparing"|"rendering"|"live"|"draining"|"ended"} SessionState
 * @typedef {"completed"|"cancelled"|"bad_input"|"no_capacity"|"max_duration"|"lost"|"failed"|"idle_timeout"|"participant_absent"|"participant_left"} EndReason
 * @typedef {{frames_done: number, frames_total: number, percent: number|null}} Progress
 * @typedef {{reason: EndReason, detail: string|null}} End
 * @typedef {{url: string, bytes: number, frames: number, duration_ms: number, size: [number, number], framing: string, warnings: string[], expires_at: string|null, removed_at: string|null}} Result kept until `expires_at`, null for ever
 * @typedef {{fps: number, size: number|null, crop: string, preset: string, seed: number, head: boolean, motion: number, expression: string, blinks: boolean, face?: number|null}} Options size: null is chosen from the face
 * @typedef {Options & {size: number, size_up_to: number|null}} SessionOptions as a session tells them
 *
 * @typedef {object} Session
 * @property {string} id
 * @property {"render"|"prepare"|"live"} kind
 * @property {SessionState} state
 * @property {string} avatar_id
 * @property {string} key
 * @property {number} fence counts placements
 * @property {number|null} queue_position
 * @property {string|null} worker
 * @property {number|null} slot
 * @property {Progress} progress
 * @property {End|null} end
 * @property {Result|null} result
 * @property {SessionOptions} options
 * @property {LiveTerms|null} [live] of a live session
 * @property {Record<string, string>} [metadata] the page puts the recording's name under "recording"
 * @property {string} created
 * @property {string} updated
 *
 * @typedef {object} LiveTerms how to watch a live session and speak in it
 * @property {string|null} token
 * @property {string} whep_url
 * @property {string} audio_url
 * @property {RTCIceServer[]} ice_servers
 *
 * @typedef {object} LiveStatus how a live session is on its worker; times are of the last few seconds
 * @property {"idle"|"listening"|"talking"} mood
 * @property {number} viewers
 * @property {number} fps
 * @property {number} ticks frames due since the start
 * @property {number} missed of them skipped
 * @property {number} bitrate asked of the encoder, bits a second
 * @property {number} buffered_ms speech that waits
 * @property {{stage: string, p50_ms: number, p99_ms: number}[]} stages
 *
 * @typedef {{id: string, avatar_id: string, state: SessionState, kind: string, progress: Progress, age_ms: number}} SlotSession
 * @typedef {{slot: number, session: SlotSession|null}} Slot
 *
 * @typedef {object} Worker
 * @property {string} id
 * @property {string} name
 * @property {string} engine
 * @property {string} instance_type
 * @property {"idle"|"busy"|"draining"|"lost"} state
 * @property {number} frames_per_second what it sustains, over all slots
 * @property {number} up_ms
 * @property {number} seen_ms_ago
 * @property {Slot[]} slots
 *
 * @typedef {object} Farm
 * @property {Worker[]} workers
 * @property {{length: number, oldest_wait_ms: number|null, limit: number}} queue
 * @property {number} desired_workers
 * @property {boolean} scaled machines are started and stopped after that number
 * @property {{total: number, taken: number}} slots
 *
 * @typedef {object} CostRow minutes are of video, hours of machines; null where a price is unknown
 * @property {string} [group]
 * @property {string} [label]
 * @property {number} delivered_minutes
 * @property {number} failed_minutes
 * @property {number} machine_hours
 * @property {number|null} busy_share
 * @property {number|null} starting_share of machines that could not be used yet
 * @property {number|null} idle_share
 * @property {number|null} cost_usd
 * @property {number|null} usd_per_minute
 * @property {number|null} marginal_usd_per_minute
 * @property {number} egress_gb sent to viewers
 * @property {number} egress_usd what that costs, beside cost_usd
 * @property {number} sessions
 *
 * @typedef {object} CostReport
 * @property {string} from
 * @property {string} to
 * @property {string} group_by
 * @property {CostRow} total
 * @property {CostRow[]} rows
 * @property {string[]} unpriced instance types without a price
 * @property {{instance_type: string, from: string, usd_per_hour: number}[]} prices
 *
 * @typedef {{id: string, name: string, scopes: string[]}} KeyInfo
 */
export {};
