"""The logger of everything that is survived rather than raised."""

import logging

logger = logging.getLogger("poolware")
