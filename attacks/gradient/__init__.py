"""Gradient attacks on tensors: images in 0…1, (B, 1, H, W)."""

from attacks.gradient.apgd import APGD
from attacks.gradient.carlini_wagner import CarliniWagner
from attacks.gradient.ensemble import BinaryAutoAttack
from attacks.gradient.fab import FAB
from attacks.gradient.fgsm import FGSM
from attacks.gradient.pgd import PGD
from attacks.gradient.square import Square

__all__ = ["APGD", "FAB", "FGSM", "PGD", "BinaryAutoAttack", "CarliniWagner", "Square"]
