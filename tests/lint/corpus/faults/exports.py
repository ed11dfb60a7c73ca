"""What the shop gives to its other parts: all of its declarations, some under a second name."""

from .signals import *
from .signals import ORDERS as TAKEN
