"""What the mail service gives to its other parts."""

from .signals import *
