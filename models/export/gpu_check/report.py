"""The report: a table for people, of the same figures that the JSON holds."""
from projection import SHARE, T4_BYTES, T4_FLOPS, Ceilings, project, streams

PAIRS = (("unet", "vae_decoder"), ("unet", "tiny_decoder"))
RATES = (25, 30)


def table(head, rows):
    """Columns as wide as they must be; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    wide = [max(len(row[i]) for row in cells) for i in range(len(head))]
    left = [not any(row[i][:1].isdigit() for row in cells[1:]) for i in range(len(head))]
    line = lambda row: "  ".join(cell.ljust(w) if l else cell.rjust(w) for cell, w, l in zip(row, wide, left)).rstrip()
    return [line(row) for row in cells]


def milliseconds(seconds):
    return f"{seconds * 1e3:.2f}"


def machine_lines(told):
    facts, gpu = told["machine"], told["machine"]["gpu"]
    packages = ", ".join(f"{name} {found}" for name, found in facts["packages"].items())
    yield f"processor: {facts['processor']}, {facts['cores']} cores; Python {facts['python']}; {packages}"
    if gpu:
        yield (f"GPU: {gpu['name']}, compute capability {gpu['compute_capability']}, {gpu['memory_bytes'] / 2**30:.0f} GiB, "
               f"CUDA {gpu['cuda']}, cuDNN {gpu['cudnn']}")
    else:
        yield "GPU: NONE. No GPU was there: nothing below says anything about one. What ran, ran on the processor."
    if told["sizes"] == "twin":
        yield "sizes: the TWINS' tiny widths (--tiny): this proves that the check runs, its figures mean nothing else"
    else:
        yield "sizes: full; weights: random (speed and rounding do not hang on the training)"
    reached = told["ceilings"]
    yield (f"reached here: {reached['flops'] / 1e12:.2f} TFLOP/s and {reached['bytes'] / 1e9:.0f} GB/s, by {reached['of']}")


def work_lines(told):
    yield "Work of one frame, counted from the graph: 2 x values out x (channels in x kernel) of each Conv, 2 x values out x inner length of"
    yield "each MatMul and Gemm; a call of b frames does b times as much. Bytes: weights once a call, and what these nodes read and write."
    rows = []
    for name, work in told["work"].items():
        parts = " + ".join(f"{op} {flops / 1e9:.3f} ({nodes} nodes)" for op, (nodes, flops) in work["by_op"].items())
        rows.append([name, f"{work['flops'] / 1e9:.3f}", f"= {parts}", f"{work['pytorch_flops'] / 1e9:.3f}",
                     f"{work['weight_bytes'] / 1e6:.1f}", f"{work['moved_bytes'] / 1e6:.1f}"])
    yield from table(["graph", "GFLOP", "calculation", "PyTorch counts", "MB of weights", "MB moved"], rows)


def compared_lines(told):
    yield "FP16 against FP32: answers compared with PyTorch's in 32 bits (TF32 off) with the weights as they were drawn."
    rows = [[row["graph"], by, row["precision"], row["batch"], row["apart"], "within rounding" if row["fine"] else "BEYOND ROUNDING"]
            for by, runner in told["runners"].items() for row in runner["rows"] if "fine" in row]
    yield from table(["graph", "by", "in", "batch", "difference", ""], rows)


def timed_rows(told):
    for by, runner in told["runners"].items():
        for row in runner["rows"]:
            if "seconds" in row:
                yield by, row


def timing_lines(told):
    yield "Time of a call, each waited for: median and 90th percentile; TFLOP/s = counted operations x batch / median."
    rows = []
    for by, row in timed_rows(told):
        rate = told["work"][row["graph"]]["flops"] * row["batch"] / row["seconds"]
        memory = row.get("gpu_bytes", row.get("process_bytes", 0))
        rows.append([row["graph"], by, row["batch"], milliseconds(row["seconds"]), milliseconds(row["seconds_90"]),
                     f"{row['batch'] / row['seconds']:.1f}", f"{rate / 1e12:.3g}", f"{100 * rate / told['ceilings']['flops']:.0f}",
                     f"{memory / 1e6:.0f}", f"{row['ready_s']:.1f}"])
    where = "GPU MB" if told["machine"]["gpu"] else "process MB, peak"
    yield from table(["graph", "by", "batch", "ms", "90 %", "a second", "TFLOP/s", "% of reached", where, "s to first answer"], rows)


def pairs(told):
    """(by, batch, decoder, rows of UNet and decoder), where both were timed."""
    found = {(by, row["graph"], row["batch"]): row for by, row in timed_rows(told)}
    for by, name, batch in found:
        for unet, decoder in PAIRS:
            if name == unet and (by, decoder, batch) in found:
                yield by, batch, decoder, (found[by, unet, batch], found[by, decoder, batch])


def faces_lines(told):
    rows = []
    for by, batch, decoder, parts in pairs(told):
        seconds = [part["seconds"] for part in parts]
        rows.append([by, decoder, batch, milliseconds(sum(seconds)), f"{batch / sum(seconds):.1f}",
                     *(f"{streams(seconds, batch, rate):.1f}" for rate in RATES)])
    yield "UNet and decoder one after the other: frames a second, and faces at so many frames a second that this holds (floor them)."
    yield from table(["by", "decoder", "batch", "ms", "frames/s", *(f"faces at {rate}" for rate in RATES)], rows)


def projections(told, share=SHARE):
    """What the figures of a GPU let expect of a T4, a dictionary a line; empty where there was no GPU."""
    if not told["machine"]["gpu"]:
        return
    here = Ceilings(told["ceilings"]["flops"], told["ceilings"]["bytes"])
    for by, batch, decoder, parts in pairs(told):
        each = {}
        for part in parts:
            work = told["work"][part["graph"]]
            moved = work["weight_bytes"] + batch * work["moved_bytes"]
            each[part["graph"]] = project(part["seconds"], batch * work["flops"], moved, here, share) | {
                "measured_s": part["seconds"], "flops": batch * work["flops"], "bytes": moved}
        best, worst = (sum(part["t4_s"][i] for part in each.values()) for i in (0, 1))
        yield {"by": by, "batch": batch, "decoder": decoder, "each": each, "t4_s": [best, worst],
               "frames_per_second": [batch / worst, batch / best]}


def projection_lines(told):
    yield "PROJECTION for a T4, NOT A MEASUREMENT: nothing ran on a T4."
    yield (f"floor = max(operations / rate, bytes / bandwidth); T4 by its data sheet: {T4_FLOPS / 1e12:.0f} TFLOP/s FP16, "
           f"{T4_BYTES / 1e9:.0f} GB/s; it clocks down at 70 W: the range is from all of both to {told['t4_share']:.0%} (assumed).")
    yield "T4 ms = floor on a T4 x (measured here / floor here)."
    rows = []
    for line in told["projection"]:
        for name, part in line["each"].items():
            rows.append([line["by"], line["batch"], name, f"{part['flops'] / 1e9:.0f}", f"{part['bytes'] / 1e6:.0f}",
                         milliseconds(part["floor_here_s"]), milliseconds(part["measured_s"]), f"{part['lost']:.2f}",
                         milliseconds(part["floor_t4_s"]), f"{milliseconds(part['t4_s'][0])} to {milliseconds(part['t4_s'][1])}", ""])
        low, high = line["frames_per_second"]
        rows.append([line["by"], line["batch"], f"unet + {line['decoder']}", "", "", "", "", "", "",
                     f"{milliseconds(line['t4_s'][0])} to {milliseconds(line['t4_s'][1])}", f"{low:.0f} to {high:.0f} frames/s"])
    yield from table(["by", "batch", "graph", "GFLOP", "MB", "floor here", "measured", "lost", "floor T4", "T4 ms", ""], rows)


def floor_lines(told):
    """Where there is nothing to project from: about the least that a T4 takes."""
    yield "T4: nothing can be projected without a GPU's figures. About the least that a call takes there, by its data sheet (calculated):"
    rows = []
    for batch in told["batches"]:
        for name, work in told["work"].items():
            flops, moved = batch * work["flops"], work["weight_bytes"] + batch * work["moved_bytes"]
            rows.append([name, batch, f"{flops / 1e9:.3f} GFLOP / 65 TFLOP/s = {milliseconds(flops / T4_FLOPS)} ms",
                         f"{moved / 1e6:.1f} MB / 320 GB/s = {milliseconds(moved / T4_BYTES)} ms",
                         milliseconds(max(flops / T4_FLOPS, moved / T4_BYTES))])
    yield from table(["graph", "batch", "arithmetic", "memory", "floor ms"], rows)


def absent_lines(told):
    for by, runner in told["runners"].items():
        if runner["not_run"]:
            yield f"not run: {by} ({runner['what']}): {runner['not_run']}"


def lines(told):
    """The report, line by line."""
    timed = any(timed_rows(told))
    sections = [machine_lines(told), work_lines(told), compared_lines(told)]
    if timed:
        sections += [timing_lines(told), faces_lines(told)]
    sections.append(projection_lines(told) if told["projection"] else floor_lines(told))
    sections.append(absent_lines(told))
    for section in sections:
        yield from section
        yield ""
