"""The two networks of a GAN, what each learns in a stage, and one step of either."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models_ml.config import GanConfig, Stage
from models_ml.data.gan_batches import Batch
from models_ml.networks.classifier import Classifier, discriminator_from
from models_ml.networks.generator import Generator
from models_ml.runtime import distributed
from models_ml.runtime.device import arithmetic
from models_ml.runtime.randomness import seed_torch
from models_ml.training.steps import DiscriminatorStep, GeneratorStep, drawn, mixed


@dataclass(frozen=True)
class Learnt:
    """One step: the gap and L_id, None if a network rested or its step was refused; and whose steps were taken."""

    gap: float | None
    identity: float | None
    taken: tuple[tuple[str, bool], ...]  # the network, and whether its step was taken or refused


class Duel:
    """A generator and the discriminator that starts as the classifier did, with their optimisers."""

    def __init__(self, judge: Classifier, config: GanConfig, seed: int, device: torch.device) -> None:
        self.config, self.device, self.dtype = config, device, arithmetic(config.precision, device)
        self.judge: Classifier = _placed(judge, device).requires_grad_(False)
        seed_torch(seed, "start")
        self.discriminator: Classifier = _placed(
            discriminator_from(judge, config.discriminator_dropout), device
        ).train()
        self.generator: Generator = _placed(Generator(config.generator), device).train()

    def enter(self, stage: Stage) -> None:
        """Fresh optimisers for the parts that this stage trains; everything else holds still."""
        net, config, part = self.discriminator, self.config, stage.discriminator
        net.output.requires_grad_(part != "none")
        net.fnet.requires_grad_(part in ("fnet", "all"))
        net.vnet.requires_grad_(part == "all")
        groups = [
            {"params": list(net.output.parameters()), "lr": stage.output_rate},
            {"params": list(net.fnet.parameters()), "lr": stage.fnet_rate},
            {"params": list(net.vnet.parameters()), "lr": stage.vnet_rate},
        ]
        self.discriminator_optimizer = torch.optim.Adam(groups, betas=config.betas, fused=True)
        self.generator_optimizer = torch.optim.Adam(
            self.generator.parameters(), lr=stage.generator_rate, betas=config.betas, fused=True
        )
        self.discriminator_step = DiscriminatorStep(net, config, self.dtype)
        self.generator_step = GeneratorStep(self.generator, net, config, self.dtype)
        self.discriminator_module = distributed.wrap(self.discriminator_step)
        self.generator_module = distributed.wrap(self.generator_step)

    def learn(self, stage: Stage, batch: Batch, step: int) -> Learnt:
        """Take the stage's `step`-th step with each network that it trains.

        A step whose loss or gradient is not finite is refused: it leaves weights and optimisers as they were.
        """
        gap = identity = None
        taken = []
        if stage.discriminator != "none":
            gap = self._teach_discriminator(batch, penalised=step % self.config.penalty_every == 0)
            taken.append(("discriminator", gap is not None))
        if stage.generator != "rests" and step % stage.generator_every == 0:
            for turn in range(stage.generator_steps):
                found = self._teach_generator(stage, batch.changed[turn], batch.seeds[2 + turn])
                taken.append(("generator", found is not None))
                identity = identity if found is None else found
        return Learnt(gap, identity, tuple(taken))

    def _teach_discriminator(self, batch: Batch, *, penalised: bool) -> float | None:
        """One step on L_D + GP for target images and images to change; gives s(x) − s(G(y)), None if refused."""
        statistics = self._running_statistics()
        with torch.no_grad(), mixed(self.dtype, self.device):
            fakes = drawn(self.generator, batch.y.to(self.device))
        seeds = [*batch.seeds[0], *batch.seeds[1]]
        loss = self.discriminator_module(batch.x.to(self.device), fakes, seeds, penalised)
        self.discriminator_optimizer.zero_grad()
        torch.autograd.backward(loss)
        if self.discriminator_step.is_finite:
            self.discriminator_optimizer.step()
        else:
            self._restore(statistics)
        self.discriminator_optimizer.zero_grad()  # the generator's step needs the room
        return self.discriminator_step.gap if self.discriminator_step.is_finite else None

    def _teach_generator(self, stage: Stage, y: Tensor, seeds: list[int]) -> float | None:
        """One step on L_id alone, or on L_G with it; gives L_id, None if refused."""
        statistics = self._running_statistics()
        loss = self.generator_module(y.to(self.device), seeds, stage.generator == "adversarial")
        self.generator_optimizer.zero_grad()
        torch.autograd.backward(loss)
        if self.generator_step.is_finite:
            self.generator_optimizer.step()
        else:
            self._restore(statistics)
        self.generator_optimizer.zero_grad()
        return self.generator_step.identity if self.generator_step.is_finite else None

    def _running_statistics(self) -> list[Tensor]:
        """Copies of what a forward pass of the generator changes: the statistics of batch norms, if it has any."""
        if self.config.generator.norm != "batch":
            return []
        return [buffer.clone() for buffer in self.generator.buffers()]

    def _restore(self, statistics: list[Tensor]) -> None:
        for buffer, value in zip(self.generator.buffers(), statistics, strict=False):
            buffer.copy_(value)

    def state(self) -> dict[str, Any]:
        """What a resumed run needs to go on to the same weights."""
        return {name: getattr(self, name).state_dict() for name in _PARTS}

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Back to a state, after `enter` of the stage in which it was taken."""
        for name in _PARTS:
            getattr(self, name).load_state_dict(state[name])


_PARTS = ("generator", "discriminator", "generator_optimizer", "discriminator_optimizer")


def _placed(network: Any, device: torch.device) -> Any:
    return network.to(device, memory_format=torch.channels_last)
