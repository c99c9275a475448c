"""A small model that benchmarks/teaches.py trains and asks, with PyTorch on the CPU.

Weights are kept in 32 bits and computed with in bfloat16: at these learning rates most steps are
smaller than what 16 bits can add to a weight.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.teaching_data import Phase, Sample, pack, warm_up

SAVE_SECONDS = 600
ANSWER_TOKENS = 24
MEASURED = 3  # blocks by which the speed is told, after one that warms up


class Trainee:
    """A GGUF's model as 32-bit weights; what becomes of it is kept in `folder`."""

    def __init__(self, gguf: Path, folder: Path) -> None:
        """Load the model as it was last left; after a whole training, as that ended."""
        self._folder = folder
        self._file = folder / "state.pt"
        self._tokenizer: Any = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        self._model: Any = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.float32
        )
        self._state: dict[str, Any] = {"phase": 0, "step": 0, "seconds": 0.0, "blocks": 0}
        if self._file.exists():
            self._state = torch.load(self._file, weights_only=True)
            self._model.load_state_dict(self._state.pop("weights"))

    @property
    def bos(self) -> list[int]:
        return _listed(self._tokenizer.bos_token_id)

    @property
    def eos(self) -> list[int]:
        return _listed(self._tokenizer.eos_token_id)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without BOS and EOS."""
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def measure(self, length: int) -> float:
        """Return how many tokens a second it is trained on; the weights stay as they are."""
        block = Sample((1,) * length, (1,) * length)
        self._model.train()
        self._loss([block]).backward()
        started = time.monotonic()
        for _ in range(MEASURED):
            self._loss([block]).backward()
        self._model.zero_grad(set_to_none=True)
        return MEASURED * length / (time.monotonic() - started)

    def train(
        self,
        phases: Sequence[Phase],
        settings: Sequence[Mapping[str, float]],
        length: int,
        batch: int,
        seconds: float,
        seed: int,
    ) -> dict[str, float]:
        """Train phase after phase, for so many seconds at most; return blocks and seconds.

        Blocks are drawn again on going on, so that the same ones come in the same order.
        """
        for number in range(int(self._state["phase"]), len(phases)):
            phase = phases[number]
            steps = phase.blocks // batch + bool(phase.blocks % batch)
            blocks = islice(pack(phase.samples, length, seed + number), phase.blocks)
            if not self._train_phase(blocks, settings[number], steps, batch, seconds):
                break
            self._state |= {"phase": number + 1, "step": 0, "optimizer": None}
        self._save()
        return {name: self._state[name] for name in ("blocks", "seconds")}

    def _train_phase(
        self,
        blocks: Iterator[Sample],
        settings: Mapping[str, float],
        steps: int,
        batch: int,
        seconds: float,
    ) -> bool:
        """Whether the phase came to its end before the time was over."""
        optimizer = torch.optim.AdamW(
            self._model.parameters(),
            lr=settings["learning_rate"],
            weight_decay=settings["weight_decay"],
        )
        if self._state.get("optimizer"):
            optimizer.load_state_dict(self._state["optimizer"])
        noise = _add_noise(self._model, settings["neftune_noise_alpha"])
        self._model.train()
        saved = time.monotonic()
        for step in range(steps):
            some = list(islice(blocks, batch))
            if step < self._state["step"]:
                continue
            if self._state["seconds"] >= seconds:
                break
            started = time.monotonic()
            for group in optimizer.param_groups:
                group["lr"] = settings["learning_rate"] * warm_up(
                    step, steps, settings["warmup_ratio"]
                )
            self._step(optimizer, some)
            now = time.monotonic()
            self._state["seconds"] += now - started
            self._state["blocks"] += len(some)
            self._state["step"] = step + 1
            self._state["optimizer"] = optimizer.state_dict()
            if now - saved > SAVE_SECONDS:
                self._save()
                saved = time.monotonic()
        noise.remove()
        return bool(self._state["step"] == steps)

    def _step(self, optimizer: Any, blocks: Sequence[Sample]) -> None:
        """Take one optimizer step over blocks, which go through the model one by one.

        Every trained token weighs the same, in whatever block it stands.
        """
        trained = sum(label >= 0 for block in blocks for label in block.labels[1:])
        for block in blocks:
            own = sum(label >= 0 for label in block.labels[1:])
            if own:
                (self._loss([block]) * (own / trained)).backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def _loss(self, blocks: Sequence[Sample]) -> Any:
        tokens = torch.tensor([block.tokens for block in blocks])
        labels = torch.tensor([block.labels for block in blocks])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self._model(input_ids=tokens, labels=labels).loss

    def weigh(self, prompt: str, options: Sequence[str]) -> list[float]:
        """Return for each answer the mean log of its tokens' probabilities, in nats."""
        self._model.eval()
        asked = self.encode(prompt)
        answers = [self.encode(f" {option}") for option in options]
        longest = max(map(len, answers))
        rows = [asked + answer + [0] * (longest - len(answer)) for answer in answers]
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self._model(input_ids=torch.tensor(rows)).logits
        logs = logits.float().log_softmax(-1)
        found = []
        for row, answer in enumerate(answers):
            places = range(len(asked) - 1, len(asked) - 1 + len(answer))
            said = [logs[row, place, token] for place, token in zip(places, answer, strict=True)]
            found.append(float(sum(said)) / len(said))
        return found

    def answer(self, prompt: str) -> str:
        """Return the likeliest answer, up to the end of its line."""
        self._model.eval()
        asked = torch.tensor([self.encode(prompt)])
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            drawn = self._model.generate(
                input_ids=asked,
                attention_mask=torch.ones_like(asked),
                max_new_tokens=ANSWER_TOKENS,
                do_sample=False,
                pad_token_id=self.eos[0] if self.eos else 0,
            )[0][asked.shape[1] :]
        text = str(self._tokenizer.decode(drawn, skip_special_tokens=True))
        return text.strip().partition("\n")[0].strip()

    def _save(self) -> None:
        """Write the state beside the old one, then put it in its place."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        torch.save({**self._state, "weights": self._model.state_dict()}, part)
        part.replace(self._file)


def _add_noise(model: Any, alpha: float) -> Any:
    """Have the embeddings of every forward pass carry noise, as NEFTune does; return its handle.

    Uniform, up to alpha / sqrt(tokens x width): N. Jain et al., "NEFTune: Noisy embeddings improve
    instruction finetuning" (2023).
    """

    def disturb(layer: Any, given: Any, embedded: Any) -> Any:
        size = alpha / (embedded.shape[-2] * embedded.shape[-1]) ** 0.5
        return embedded + torch.empty_like(embedded).uniform_(-size, size)

    return model.get_input_embeddings().register_forward_hook(disturb)


def _listed(token: int | None) -> list[int]:
    return [] if token is None else [token]
