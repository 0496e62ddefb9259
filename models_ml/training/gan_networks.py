"""The two networks of a GAN, the parts of them that a stage trains, and one training step."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models_ml.config import GanConfig, Stage
from models_ml.data.gan_batches import GanBatch
from models_ml.networks import discriminator_from
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import Generator
from models_ml.runs.refused_steps import NetworkStep
from models_ml.runtime import distributed
from models_ml.runtime.device import arithmetic
from models_ml.runtime.randomness import seed_torch
from models_ml.training.passes import mixed_precision
from models_ml.training.steps import DiscriminatorStep, GeneratorStep, generate


@dataclass(frozen=True)
class GanStep:
    """What one step of a GAN measured: the gap and L_id, each None if its network rested or its step was refused."""

    gap: float | None = None
    identity: float | None = None
    steps: tuple[NetworkStep, ...] = ()


class GanNetworks:
    """A generator, and a discriminator that starts as a copy of the classifier, with their optimisers."""

    def __init__(self, classifier: Classifier, config: GanConfig, seed: int, device: torch.device) -> None:
        self.config, self.device, self.dtype = config, device, arithmetic(config.precision, device)
        self.classifier: Classifier = _placed(classifier, device).requires_grad_(False)
        seed_torch(seed, "start")
        self.discriminator: Classifier = _placed(
            discriminator_from(classifier, config.discriminator_dropout), device
        ).train()
        self.generator: Generator = _placed(Generator(config.generator), device).train()
        self.optimizers: dict[str, torch.optim.Adam] = {}  # of both networks, by name, from the first stage on

    def start_stage(self, stage: Stage) -> None:
        """Set up the optimisers for the parts that this stage trains, and freeze the other parts.

        Optimisers that keep their moments go on with those of the stages before; parts that have not been trained yet
        start without.
        """
        net, config, part = self.discriminator, self.config, stage.discriminator
        net.output.requires_grad_(part != "none")
        net.inner.requires_grad_(part in ("fnet", "all"))
        net.trunk.requires_grad_(part == "all")
        groups: list[dict[str, Any]] = [
            {"params": list(net.output.parameters()), "lr": stage.output_rate},
            {"params": list(net.inner.parameters()), "lr": stage.fnet_rate},
            {"params": list(net.trunk.parameters()), "lr": stage.vnet_rate},
        ]
        own: list[dict[str, Any]] = [{"params": list(self.generator.parameters()), "lr": stage.generator_rate}]
        self.optimizers = {
            "discriminator": self._optimizer(groups, self.optimizers.get("discriminator")),
            "generator": self._optimizer(own, self.optimizers.get("generator")),
        }
        self.discriminator_step = DiscriminatorStep(net, config, self.dtype)
        self.generator_step = GeneratorStep(self.generator, net, config, self.dtype)
        self.discriminator_module = distributed.wrap(self.discriminator_step)
        self.generator_module = distributed.wrap(self.generator_step)

    def _optimizer(self, groups: list[dict[str, Any]], before: torch.optim.Adam | None) -> torch.optim.Adam:
        optimizer = torch.optim.Adam(groups, betas=self.config.betas, fused=True)
        if before is not None and self.config.moments == "kept":
            optimizer.load_state_dict({**optimizer.state_dict(), "state": before.state_dict()["state"]})
        return optimizer

    @property
    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        """What a resumed run needs to end with the same weights, restored after `start_stage`."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_optimizer": self.optimizers["generator"],
            "discriminator_optimizer": self.optimizers["discriminator"],
        }

    def learn(self, stage: Stage, batch: GanBatch, step: int) -> GanStep:
        """Take the stage's `step`-th step, from 0, with each network that it trains.

        A step whose loss or gradient is not finite is refused: weights and optimisers stay as they were.
        """
        gap = identity = None
        steps = []
        if stage.discriminator != "none":
            gap = self._teach_discriminator(batch, penalised=step % self.config.penalty_every == 0)
            steps.append(NetworkStep("discriminator", gap is not None))
        if stage.generator != "rests" and step % stage.generator_every == 0:
            for turn in range(stage.generator_steps):
                loss = self._teach_generator(stage, batch.generator_y[turn], batch.seeds[2 + turn])
                steps.append(NetworkStep("generator", loss is not None))
                identity = identity if loss is None else loss
        return GanStep(gap, identity, tuple(steps))

    def _teach_discriminator(self, batch: GanBatch, *, penalised: bool) -> float | None:
        """Take one step on L_D + GP and return the gap s(x) − s(G(y)), None if the step was refused."""
        statistics = self._running_statistics()
        with torch.no_grad(), mixed_precision(self.dtype, self.device):
            adversarial = generate(self.generator, batch.y.to(self.device))
        seeds = [*batch.seeds[0], *batch.seeds[1]]
        loss = self.discriminator_module(batch.x.to(self.device), adversarial, seeds, penalised)
        self.optimizers["discriminator"].zero_grad()
        torch.autograd.backward(loss)
        if self.discriminator_step.is_finite:
            self.optimizers["discriminator"].step()
        else:
            self._restore(statistics)
        self.optimizers["discriminator"].zero_grad()  # frees memory for the generator's step
        return self.discriminator_step.gap if self.discriminator_step.is_finite else None

    def _teach_generator(self, stage: Stage, y: Tensor, seeds: list[int]) -> float | None:
        """Take one step on L_id alone, or on L_G with it; return L_id, None if the step was refused."""
        statistics = self._running_statistics()
        loss = self.generator_module(y.to(self.device), seeds, stage.generator == "adversarial")
        self.optimizers["generator"].zero_grad()
        torch.autograd.backward(loss)
        if self.generator_step.is_finite:
            self.optimizers["generator"].step()
        else:
            self._restore(statistics)
        self.optimizers["generator"].zero_grad()
        return self.generator_step.identity if self.generator_step.is_finite else None

    def _running_statistics(self) -> list[Tensor]:
        """Return copies of what a forward pass of the generator changes: the statistics of batch norms, if any."""
        if self.config.generator.norm != "batch":
            return []
        return [buffer.clone() for buffer in self.generator.buffers()]

    def _restore(self, statistics: list[Tensor]) -> None:
        for buffer, value in zip(self.generator.buffers(), statistics, strict=False):
            buffer.copy_(value)


def _placed(network: Any, device: torch.device) -> Any:
    return network.to(device, memory_format=torch.channels_last)
