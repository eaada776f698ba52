"""What the dashboards show. Each panel answers one question, which is its description.

A query that has nothing to tell while all is well ends in `or vector(0)`, so that an empty panel always means something is wrong.
"""


def none_is_zero(expr):
    """0 where nothing of the kind has happened yet."""
    return f"({expr}) or vector(0)"


def per_minute(counter, labels=""):
    """How often a minute, over the last five."""
    return none_is_zero(f"sum(rate({counter}{labels}[5m])) * 60")


FARM = {
    "name": "farm",
    "title": "Farm",
    "about": "Is there room, is somebody waiting, is anybody lost?",
    "span": "1h",
    "panels": [
        {
            "title": "Alerts",
            "kind": "stat",
            "about": "How many alerts fire now?",
            "unit": "short",
            "thresholds": [(1, "red")],
            "queries": {"": none_is_zero('count(ALERTS{alertstate="firing"})')},
        },
        {
            "title": "Sessions",
            "kind": "stat",
            "about": "How many sessions have a slot?",
            "unit": "short",
            "queries": {"": "farm:mouthpiece_sessions_served:sum"},
        },
        {
            "title": "Waiting",
            "kind": "stat",
            "about": "How many wait for one?",
            "unit": "short",
            "thresholds": [(1, "orange")],
            "queries": {"": "sum(mouthpiece_queue_length)"},
        },
        {
            "title": "Free slots",
            "kind": "stat",
            "about": "How many more could begin at once?",
            "unit": "short",
            "queries": {"": "farm:mouthpiece_slots_free:max"},
        },
        {
            "title": "Workers lost",
            "kind": "stat",
            "about": "How many were not heard of for longer than a lease?",
            "unit": "short",
            "thresholds": [(1, "red")],
            "queries": {"": 'max(mouthpiece_workers{state="lost"})'},
        },
        {
            "title": "Coordinators",
            "kind": "stat",
            "about": "How many are scraped?",
            "unit": "short",
            "queries": {"": "count(mouthpiece_uptime_seconds)"},
        },
        {
            "title": "Open sessions",
            "about": "In which phase are the sessions?",
            "unit": "short",
            "stacked": True,
            "min": 0,
            "queries": {"{{phase}}": "sum by (phase) (mouthpiece_sessions)"},
        },
        {
            "title": "Slots",
            "about": "How much of what there is, is in use?",
            "unit": "short",
            "min": 0,
            "queries": {"there are": "max(mouthpiece_slots)", "taken": "max(mouthpiece_slots_taken)"},
        },
        {
            "title": "Workers",
            "about": "What do the workers do?",
            "unit": "short",
            "stacked": True,
            "min": 0,
            "queries": {"{{state}}": "max by (state) (mouthpiece_workers)"},
        },
        {
            "title": "Workers wanted",
            "about": "How many should there be, and how many may there be?",
            "unit": "short",
            "min": 0,
            "queries": {
                "wanted": "max(mouthpiece_desired_workers)",
                "there are": 'sum(max by (state) (mouthpiece_workers{state!="lost"}))',
            },
        },
        {
            "title": "Queue",
            "about": "How long has the oldest waited?",
            "unit": "s",
            "min": 0,
            "queries": {"oldest": "max(mouthpiece_queue_oldest_wait_seconds)"},
        },
        {
            "title": "From asked to assigned",
            "about": "How long does a session wait for its slot?",
            "unit": "s",
            "min": 0,
            "queries": {
                "p50": "histogram_quantile(0.5, sum by (le) (increase(mouthpiece_assign_seconds_bucket[1h])))",
                "p99": "histogram_quantile(0.99, sum by (le) (increase(mouthpiece_assign_seconds_bucket[1h])))",
            },
        },
        {
            "title": "Sessions that end",
            "about": "Why do sessions end? A minute, over the last five.",
            "unit": "short",
            "min": 0,
            "queries": {"{{reason}}": "sum by (reason) (rate(mouthpiece_sessions_ended_total[5m])) * 60"},
        },
        {
            "title": "Placed again, moved",
            "about": "How often do sessions change their worker? A minute, over the last five.",
            "unit": "short",
            "min": 0,
            "queries": {
                "placed again": per_minute("mouthpiece_requeues_total"),
                "moved": per_minute("mouthpiece_live_moves_total"),
            },
        },
        {
            "title": "Turned away",
            "about": "Whom could the farm not serve? A minute, over the last five.",
            "unit": "short",
            "min": 0,
            "queries": {
                "503": per_minute("mouthpiece_http_request_seconds_count", '{method="POST",status="503"}'),
                "429": per_minute("mouthpiece_http_request_seconds_count", '{status="429"}'),
                "waited in vain": per_minute("mouthpiece_sessions_ended_total", '{reason="no_capacity"}'),
            },
        },
        {
            "title": "Requests",
            "about": "What does the API do? 99 of 100 answers, by route.",
            "unit": "s",
            "min": 0,
            "queries": {
                "{{method}} {{route}}": "histogram_quantile(0.99, "
                'sum by (le, method, route) (increase(mouthpiece_http_request_seconds_bucket{route=~"/v1/.*"}[1h])))'
            },
        },
        {
            "title": "Stores",
            "about": "Do calls to broker, pool, records and fleet succeed? Failures a minute, over the last five.",
            "unit": "short",
            "min": 0,
            "queries": {
                "calls": per_minute("mouthpiece_port_errors_total"),
                "batches of the records": per_minute("mouthpiece_ledger_errors_total"),
            },
        },
        {
            "title": "Records",
            "about": "How long does it take until what happened is on disk?",
            "unit": "s",
            "min": 0,
            "queries": {
                "p50": "histogram_quantile(0.5, sum by (le) (increase(mouthpiece_ledger_batch_seconds_bucket[1h])))",
                "p99": "histogram_quantile(0.99, sum by (le) (increase(mouthpiece_ledger_batch_seconds_bucket[1h])))",
            },
        },
    ],
}

STAGES = "instance:mouthpiece_live_stage_seconds:p99_rate1m"

MEDIA = {
    "name": "media",
    "title": "Media",
    "about": "What do viewers see: is it smooth, soon, and in step?",
    "span": "15m",
    "panels": [
        {
            "title": "Live sessions",
            "kind": "stat",
            "about": "How many faces speak?",
            "unit": "short",
            "queries": {"": "sum(mouthpiece_live_sessions)"},
        },
        {
            "title": "Viewers",
            "kind": "stat",
            "about": "How many watch?",
            "unit": "short",
            "queries": {"": "sum(mouthpiece_live_viewers)"},
        },
        {
            "title": "Frames a second",
            "kind": "stat",
            "about": "How many frames leave?",
            "unit": "short",
            "queries": {"": "sum(rate(mouthpiece_live_frames_total[$__rate_interval]))"},
        },
        {
            "title": "Missed",
            "kind": "stat",
            "about": "Which share of the frames was not sent, at the worst worker?",
            "unit": "percentunit",
            "thresholds": [(0.01, "red")],
            "queries": {"": "max(instance:mouthpiece_frames_missed:ratio_rate10s)"},
        },
        {
            "title": "Latency",
            "kind": "stat",
            "about": "From a sound's arrival to its frame's departure, 99 of 100, at the worst worker?",
            "unit": "s",
            "thresholds": [(0.15, "red")],
            "queries": {"": f'max({STAGES}{{stage="total"}})'},
        },
        {
            "title": "Audio sockets",
            "kind": "stat",
            "about": "How many programs speak?",
            "unit": "short",
            "queries": {"": "sum(mouthpiece_live_audio_sockets)"},
        },
        {
            "title": "Frames missed",
            "about": "Which share of the frames was not sent, by worker? Above 1% for 10 s is an alert.",
            "unit": "percentunit",
            "min": 0,
            "thresholds": [(0.01, "red")],
            "queries": {"{{instance}}": "instance:mouthpiece_frames_missed:ratio_rate10s"},
        },
        {
            "title": "Why frames are missed",
            "about": "Too slow, without sound, or not taken by the transport? Frames a second.",
            "unit": "short",
            "min": 0,
            "queries": {"{{reason}}": "sum by (reason) (rate(mouthpiece_live_frames_missed_total[$__rate_interval]))"},
        },
        {
            "title": "Latency",
            "about": "From a sound's arrival to its frame's departure, by worker?",
            "unit": "s",
            "min": 0,
            "queries": {
                "{{instance}} p99": f'{STAGES}{{stage="total"}}',
                "{{instance}} p50": "histogram_quantile(0.5, sum by (instance, le) "
                '(rate(mouthpiece_live_stage_seconds_bucket{stage="total"}[1m])))',
                "target": "farm:target_latency_seconds",
            },
        },
        {
            "title": "Stages",
            "about": "Where does the time go? 99 of 100 frames, at the worst worker.",
            "unit": "s",
            "min": 0,
            "queries": {"{{stage}}": f'max by (stage) ({STAGES}{{stage!="total"}} >= 0)'},
        },
        {
            "title": "Lips and sound",
            "about": "How much later than its sound does a frame leave? Half of the frames, and the first and last in a hundred.",
            "unit": "s",
            "queries": {
                name: f"histogram_quantile({q}, sum by (le) (rate(mouthpiece_live_av_skew_seconds_bucket[1m])))"
                for name, q in (("p1", 0.01), ("p50", 0.5), ("p99", 0.99))
            },
        },
        {
            "title": "Joining",
            "about": "How long until a viewer sees a face? 95 of 100.",
            "unit": "s",
            "min": 0,
            "queries": {
                name: f"histogram_quantile(0.95, sum by (le) (increase(mouthpiece_live_{metric}_seconds_bucket[1h])))"
                for name, metric in (("answered", "join"), ("connected", "connect"), ("first picture", "first_frame"))
            },
        },
        {
            "title": "Sound",
            "about": "How much speech comes in, in seconds of sound a second?",
            "unit": "short",
            "min": 0,
            "queries": {"speech": "sum(rate(mouthpiece_live_audio_received_seconds_total[$__rate_interval]))"},
        },
        {
            "title": "Sound that came late",
            "about": "How often a minute did a voice run dry?",
            "unit": "short",
            "min": 0,
            "queries": {"{{instance}}": "sum by (instance) (rate(mouthpiece_live_underruns_total[1m])) * 60"},
        },
        {
            "title": "Engine: failures",
            "about": "How often did what an engine runs on fail, and what became of it? An hour, over the last one.",
            "unit": "short",
            "min": 0,
            "thresholds": [(1, "red")],
            "queries": {"{{outcome}}": "sum by (outcome) (increase(mouthpiece_engine_failures_total[1h]))"},
        },
        {
            "title": "Engine: faces that rest",
            "about": "Which share of the frames shows a mouth at rest that should speak, by worker?",
            "unit": "percentunit",
            "min": 0,
            "thresholds": [(0.01, "red")],
            "queries": {"{{instance}}": none_is_zero("instance:mouthpiece_frames_undrawn:ratio_rate1m")},
        },
        {
            "title": "Engine: frames a second at most",
            "about": "How many frames a second does the slowest worker hold for all that talk, and how often a minute does that change?",
            "unit": "short",
            "min": 0,
            "queries": {
                "at most": "min(mouthpiece_live_frame_rate_limit)",
                "changes": per_minute("mouthpiece_live_frame_rate_changes_total"),
            },
        },
        {
            "title": "Engine: memory",
            "about": "Of what it may take of its GPU's memory, how much does the fullest worker's engine take? 0 without a GPU.",
            "unit": "percentunit",
            "min": 0,
            "thresholds": [(0.95, "orange")],
            "queries": {
                "weights and what runs them": none_is_zero(
                    'max(sum by (instance) (mouthpiece_engine_memory_bytes{part=~"weights|contexts"})'
                    ' / on (instance) sum by (instance) (mouthpiece_engine_memory_limit_bytes{part="models"}))'
                ),
                "buffers": none_is_zero(
                    'max(mouthpiece_engine_memory_bytes{part="buffers"} / mouthpiece_engine_memory_limit_bytes{part="buffers"})'
                ),
            },
        },
        {
            "title": "Engine: mouths restored",
            "about": "What becomes of the mouths that are to be restored? A second; 0 where none is.",
            "unit": "short",
            "min": 0,
            "queries": {
                outcome: none_is_zero(f'sum(rate(mouthpiece_engine_restorations_total{{outcome="{outcome}"}}[1m]))')
                for outcome in ("done", "skipped", "failed")
            },
        },
        {
            "title": "Questions to workers",
            "about": "What becomes of offers and other questions? A second.",
            "unit": "short",
            "min": 0,
            "queries": {
                "{{question}}: {{outcome}}": "sum by (question, outcome) (rate(mouthpiece_live_asks_total[$__rate_interval]))"
            },
        },
    ],
}

COST = {
    "name": "cost",
    "title": "Cost",
    "about": "What does a minute cost, and why? The books are in /v1/reports/cost; this is what happens now.",
    "span": "24h",
    "panels": [
        {
            "title": "Machines now",
            "kind": "stat",
            "about": "What do the machines cost an hour?",
            "unit": "currencyUSD",
            "queries": {"": "farm:mouthpiece_usd_per_hour:max"},
        },
        {
            "title": "A minute of a session",
            "kind": "stat",
            "about": "Machines of the last hour, idle ones included, over minutes of sessions?",
            "unit": "currencyUSD",
            "queries": {"": "farm:mouthpiece_usd_per_session_minute:avg1h"},
        },
        {
            "title": "In use",
            "kind": "stat",
            "about": "Which share of the slots is taken?",
            "unit": "percentunit",
            "queries": {"": "max(mouthpiece_slots_taken) / max(mouthpiece_slots)"},
        },
        {
            "title": "A machine starts in",
            "kind": "stat",
            "about": "How long from asking for a machine to its worker?",
            "unit": "s",
            "queries": {"": "max(mouthpiece_worker_start_up_seconds)"},
        },
        {
            "title": "Sessions that come",
            "kind": "stat",
            "about": "How many a minute?",
            "unit": "short",
            "queries": {"": "sum(mouthpiece_session_arrivals_per_second) * 60"},
        },
        {
            "title": "Taken away",
            "kind": "stat",
            "about": "How many machines did the cloud take within a day?",
            "unit": "short",
            "queries": {
                "": none_is_zero('sum(increase(mouthpiece_machine_notices_total{notice="interruption"}[1d]))')
            },
        },
        {
            "title": "A minute of a session",
            "about": "Machines, idle ones included, over minutes of sessions, as an hour's mean, beside what is wanted?",
            "unit": "currencyUSD",
            "min": 0,
            "width": 12,
            "queries": {
                "is": "farm:mouthpiece_usd_per_session_minute:avg1h",
                "wanted": "farm:target_usd_per_session_minute",
            },
        },
        {
            "title": "Machines",
            "about": "What do they cost an hour?",
            "unit": "currencyUSD",
            "min": 0,
            "width": 12,
            "queries": {"machines": "farm:mouthpiece_usd_per_hour:max"},
        },
        {
            "title": "What is paid for and not used",
            "about": "Workers by what they do: idle ones are the reserve.",
            "unit": "short",
            "stacked": True,
            "min": 0,
            "queries": {"{{state}}": 'max by (state) (mouthpiece_workers{state!="lost"})'},
        },
        {
            "title": "Ceiling",
            "about": "How far is it to the most that there may be, by number and by dollars?",
            "unit": "short",
            "min": 0,
            "queries": {"allowed": "max(mouthpiece_workers_ceiling)", "wanted": "max(mouthpiece_desired_workers)"},
        },
        {
            "title": "Kept",
            "about": "How much is stored, by class? Counted once an hour.",
            "unit": "decbytes",
            "stacked": True,
            "min": 0,
            "queries": {"{{class}}": "max by (class) (mouthpiece_kept_bytes)"},
        },
    ],
}

GPU = {
    "name": "gpu",
    "title": "GPUs",
    "about": "Are the GPUs busy, full or hot? Workers without an NVIDIA GPU say nothing here.",
    "span": "1h",
    "panels": [
        {
            "title": "GPUs",
            "kind": "stat",
            "about": "How many do the workers have?",
            "unit": "short",
            "queries": {"": "count(mouthpiece_gpu_memory_bytes)"},
        },
        {
            "title": "Fullest",
            "kind": "stat",
            "about": "Which share of its memory is in use, on the fullest one?",
            "unit": "percentunit",
            "thresholds": [(0.9, "orange"), (0.97, "red")],
            "queries": {"": "max(mouthpiece_gpu_memory_used_bytes / mouthpiece_gpu_memory_bytes)"},
        },
        {
            "title": "Hottest",
            "kind": "stat",
            "about": "How hot is the hottest? A T4 slows down near 90.",
            "unit": "celsius",
            "thresholds": [(80, "orange"), (88, "red")],
            "queries": {"": "max(mouthpiece_gpu_temperature_celsius)"},
        },
        {
            "title": "Computing",
            "about": "Which part of the time does each GPU compute? At all times is too much: frames are missed soon.",
            "unit": "percentunit",
            "min": 0,
            "width": 12,
            "thresholds": [(0.95, "red")],
            "queries": {"{{instance}} {{gpu}}": "mouthpiece_gpu_utilization_ratio"},
        },
        {
            "title": "Encoding",
            "about": "The same of its video encoder, where it has one.",
            "unit": "percentunit",
            "min": 0,
            "width": 12,
            "queries": {"{{instance}} {{gpu}}": "mouthpiece_gpu_encoder_utilization_ratio"},
        },
        {
            "title": "Memory",
            "about": "How much of its memory is in use, by anybody?",
            "unit": "bytes",
            "min": 0,
            "width": 12,
            "queries": {
                "{{instance}} {{gpu}}": "mouthpiece_gpu_memory_used_bytes",
                "there is": "max(mouthpiece_gpu_memory_bytes)",
            },
        },
        {
            "title": "Temperature",
            "about": "Does one of them run hotter than the others?",
            "unit": "celsius",
            "width": 12,
            "queries": {"{{instance}} {{gpu}}": "mouthpiece_gpu_temperature_celsius"},
        },
    ],
}

BOARDS = [FARM, MEDIA, COST, GPU]
