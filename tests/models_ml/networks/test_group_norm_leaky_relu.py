"""GroupNorm and LeakyReLU in one step: the values and gradients of torch's own two."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models_ml.networks.group_norm_leaky_relu import norm_leaky


@pytest.mark.parametrize(("count", "groups"), [(1, 4), (3, 8), (2, 1)])
def test_it_is_group_norm_and_leaky_relu_forward_and_backward(count, groups):
    torch.manual_seed(count)
    norm = nn.GroupNorm(groups, 8).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    maps = torch.randn(count, 8, 5, 7, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    maps.requires_grad_()
    inputs = [maps, norm.weight, norm.bias]
    ours, theirs = norm_leaky(maps, norm, 0.2), F.leaky_relu(norm(maps), 0.2)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    above = torch.randn_like(ours)
    for found, expected in zip(
        torch.autograd.grad(ours, inputs, above), torch.autograd.grad(theirs, inputs, above), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def test_it_stays_in_bfloat16_and_channels_last():
    maps = torch.randn(2, 8, 6, 4, dtype=torch.bfloat16).contiguous(memory_format=torch.channels_last)
    maps.requires_grad_()
    left = norm_leaky(maps, nn.GroupNorm(4, 8), 0.2)
    left.float().square().sum().backward()
    for tensor in (left, maps.grad):
        assert tensor.dtype == torch.bfloat16
        assert tensor.is_contiguous(memory_format=torch.channels_last)
