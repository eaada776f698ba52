"""Trains the viseme network on what data.py made.

    python train.py DATA OUT.pt [--hold VOICE ...] [--steps N]

`--hold` leaves voices out of training and uses them for validation: that is
how every choice was made. The shipped weights then train on all voices but
the two test voices, which nothing is tuned on.
"""

import argparse
import time

import numpy as np
import torch

from augment import Mixer
from data import TEST_VOICES, load
from features import log_mel
from net import LOOK_AHEAD, VisemeNet
from phones import PP, SIL, VISEMES

WEIGHTS = {"espeak": 1.0, "hibari": 1.5, "russian": 1.0, "kal_diphone": 0.4, "slt_hts": 0.7, "kal16": 0.8}


# A closed mouth that stays open, or lips that move in silence, are seen first: such frames count more.
IMPORTANCE = torch.ones(len(VISEMES))
IMPORTANCE[PP], IMPORTANCE[SIL] = 2.0, 2.0


def targets(labels):
    """Label distributions [B, 15, T]: bilabials a frame longer at both ends, edges blurred over a frame.

    Phone boundaries are no more exact than that. Lips meet before the sound
    stops, so a closure may start early, and widening it here finds the whole of
    each closure at far fewer false closures than a bias at the output does.
    """
    closed = torch.nn.functional.max_pool1d((labels == PP).float()[:, None], 3, 1, 1)[:, 0] > 0
    labels = torch.where(closed & (labels != SIL), PP, labels)
    hot = torch.nn.functional.one_hot(labels, len(VISEMES)).float().transpose(1, 2)
    padded = torch.nn.functional.pad(hot, (1, 1), mode="replicate")
    return 0.96 * (0.15 * padded[:, :, :-2] + 0.7 * hot + 0.15 * padded[:, :, 2:]) + 0.04 / len(VISEMES)


def statistics(clips):
    """Mean and deviation of each band over the clean training speech."""
    features = np.concatenate([log_mel(c[2] / 32768.0) for c in clips[::3]])
    return features.mean(0).astype(np.float32), features.std(0).astype(np.float32)


def predict(net, mean, std, samples):
    """[T, 15] logits of float samples, as a stream followed by silence would give them."""
    with torch.no_grad():
        x = torch.from_numpy((log_mel(samples) - mean) / std).T[None]
        after = torch.from_numpy((np.log(np.float32(1e-6)) - mean) / std)
        return net(x, after)[0].T.numpy()


def score(logits, labels):
    """Accuracy, bilabial recall, silence recall."""
    guess = logits.argmax(1)
    recall = lambda v: float((guess[labels == v] == v).mean()) if (labels == v).any() else float("nan")
    return float((guess == labels).mean()), recall(PP), recall(SIL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--hold", nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--start", help="weights to go on from")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)

    clips = [c for c in load(args.data) if c[0] not in TEST_VOICES]
    train = [c for c in clips if c[1] == "train" and c[0] not in args.hold]
    check = [c for c in clips if c[1] == "val"]
    mean, std = statistics(train)
    mixer = Mixer(train, WEIGHTS, rng)
    net = VisemeNet()
    if args.start:
        saved = torch.load(args.start, weights_only=False)
        net.load_state_dict(saved["net"])
        mean, std = saved["mean"], saved["std"]
    smooth = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    optimiser = torch.optim.AdamW(net.parameters(), args.rate / 4, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, total_steps=args.steps, pct_start=0.15)
    mean_t, std_t = (torch.from_numpy(a)[None, :, None] for a in (mean, std))
    print(sum(p.numel() for p in net.parameters()), "parameters", flush=True)

    started, total = time.time(), 0.0
    for step in range(1, args.steps + 1):
        features, labels = mixer.batch(args.batch)
        logits = net((features - mean_t) / std_t)
        goal = targets(labels)[:, :, :-LOOK_AHEAD]
        loss = torch.nn.functional.cross_entropy(logits, goal, weight=IMPORTANCE)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        smooth.update_parameters(net)
        total += loss.item()
        if step % 500 == 0 or step == args.steps:
            model = smooth.module.eval()
            lines = []
            for voice in sorted({c[0] for c in check}):
                pairs = [(predict(model, mean, std, c[2] / 32768.0), c[3]) for c in check if c[0] == voice]
                result = score(np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs]))
                lines.append(f"{voice}{'*' if voice in args.hold else ''} " + "/".join(f"{r:.3f}" for r in result))
            print(f"step {step} loss {total / 500:.3f} {time.time() - started:.0f}s  " + "  ".join(lines), flush=True)
            total = 0.0
            torch.save({"net": model.state_dict(), "mean": mean, "std": std, "hold": args.hold}, args.out)


if __name__ == "__main__":
    main()
